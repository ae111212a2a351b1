"""The chat-completions protocol as far as the loop needs it: what is sent, and what comes back.

Replies are read leniently: local servers leave fields out, and the loop copes; a reply that is no chat completion at all
is refused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from itbench.scoring.strict_json import without_half_characters

_LONGEST_NAME = 200
Role = Literal["system", "user", "assistant", "tool"]
# What an endpoint may refuse without its caller depending on it.
OPTIONAL_PARAMETERS = ("temperature", "seed", "reasoning_effort", "max_completion_tokens", "tool_choice", "response_format")


@dataclass(frozen=True, slots=True)
class Call:
    """One tool call of a model; `arguments` is None where `raw` is not a JSON object."""

    id: str
    name: str
    raw: str
    arguments: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation. `reference` stands for a tool's output once the window is full."""

    role: Role
    content: str | None
    calls: tuple[Call, ...] = ()
    call_id: str = ""
    reference: str = ""

    @property
    def size(self) -> int:
        """Characters, all told."""
        return len(self.content or "") + sum(len(call.raw) + len(call.name) for call in self.calls)

    def body(self) -> dict[str, Any]:
        """The message as the protocol writes it."""
        written: dict[str, Any] = {"role": self.role, "content": self.content}
        if self.calls:
            # Some servers parse the arguments of earlier calls: what was not JSON must not come back to them.
            written["tool_calls"] = [
                {
                    "id": call.id,
                    "type": "function",
                    "function": {"name": call.name, "arguments": call.raw if call.arguments is not None else "{}"},
                }
                for call in self.calls
            ]
        if self.role == "tool":
            written["tool_call_id"] = self.call_id
        return written


@dataclass(frozen=True, slots=True)
class Request:
    """One request for a completion."""

    model: str
    messages: tuple[Message, ...]
    tools: tuple[dict[str, Any], ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        """The request as the protocol writes it."""
        body: dict[str, Any] = {"model": self.model, "messages": [message.body() for message in self.messages]}
        if self.tools:
            body["tools"] = list(self.tools)
        return body | {name: value for name, value in self.parameters.items() if self.tools or name != "tool_choice"}

    def without(self, parameter: str) -> Request:
        """The same request without one parameter."""
        kept = {name: value for name, value in self.parameters.items() if name != parameter}
        return replace(self, parameters=kept)


class _Lenient(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Function(_Lenient):
    name: str = ""
    arguments: str | dict[str, Any] | None = None


class _ToolCall(_Lenient):
    id: str | None = None
    function: _Function = _Function()


class _Reply(_Lenient):
    content: str | list[Any] | None = None
    refusal: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    tool_calls: list[_ToolCall] | None = None


class _Choice(_Lenient):
    message: _Reply
    finish_reason: str | None = None


class _Cached(_Lenient):
    cached_tokens: int | None = Field(default=None, ge=0)


class Tokens(_Lenient):
    """Tokens of one request by the endpoint's count."""

    prompt_tokens: int = Field(default=0, ge=0)
    completion_tokens: int = Field(default=0, ge=0)
    prompt_tokens_details: _Cached | None = None

    @property
    def cached(self) -> int | None:
        """Those of the prompt that were read from a cache, None if not told."""
        return self.prompt_tokens_details.cached_tokens if self.prompt_tokens_details else None


class _Body(_Lenient):
    model: str | None = None
    choices: list[_Choice] = Field(min_length=1)
    usage: Tokens | None = None

    @field_validator("usage", mode="before")
    @classmethod
    def _odd_usage_is_unknown(cls, value: object) -> object:
        try:
            return None if value is None else Tokens.model_validate(value)
        except ValidationError:
            return None


@dataclass(frozen=True, slots=True)
class Completion:
    """What a model replied."""

    text: str
    calls: tuple[Call, ...] = ()
    refusal: str = ""
    reasoning: str = ""
    finish_reason: str = ""
    served_model: str = ""
    tokens: Tokens | None = None


def read_completion(body: str) -> Completion:
    """The first choice of a chat completion.

    Raises:
        ValueError: it is not a chat completion.
    """
    try:
        read = _Body.model_validate_json(without_half_characters(body))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "the body"
        raise ValueError(f"the reply is not a chat completion: {where}: {first['msg']}") from None
    choice = read.choices[0]
    message = choice.message
    return Completion(
        text=_text(message.content),
        calls=tuple(_call(call, number) for number, call in enumerate(message.tool_calls or (), start=1)),
        refusal=message.refusal or ("stopped by a content filter" if choice.finish_reason == "content_filter" else ""),
        reasoning=message.reasoning_content or message.reasoning or "",
        finish_reason=choice.finish_reason or "",
        served_model=read.model or "",
        tokens=read.usage,
    )


def _call(call: _ToolCall, number: int) -> Call:
    given = call.function.arguments
    raw = without_half_characters(given if isinstance(given, str) else json.dumps(given or {}))
    try:
        arguments = json.loads(raw) if raw.strip() else {}
    except (ValueError, RecursionError):
        arguments = None
    known = arguments if isinstance(arguments, dict) else None
    return Call(call.id or f"call-{number}", call.function.name[:_LONGEST_NAME], raw, known)


def _text(content: str | list[Any] | None) -> str:
    """The text of a message; some servers split it into parts."""
    if isinstance(content, list):
        return "".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
    return content or ""
