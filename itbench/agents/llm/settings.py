"""What follows `llm:`: a model and options, such as `gpt-5-mini?turns=40&cost=0.50&temperature=0`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import parse_qsl

from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError

from itbench.model.base import Model
from itbench.model.errors import UsageError

_SCALES = {"k": 1_000, "m": 1_000_000}


def _scaled(value: object) -> object:
    """`200k` and `1.5m` as numbers of tokens."""
    if isinstance(value, str) and value and value[-1].lower() in _SCALES:
        try:
            return int(float(value[:-1]) * _SCALES[value[-1].lower()])
        except ValueError:
            return value
    return value


Tokens = Annotated[int, BeforeValidator(_scaled), Field(gt=0)]


class Options(Model):
    """The options of an `llm:` agent. What is None is not sent to the endpoint, or not limited."""

    turns: int = Field(default=50, gt=0, le=1000, description="replies of the model; the last one must be the answer")
    tokens: Tokens | None = Field(default=2_000_000, description="prompt and completion tokens of the whole trial")
    cost: float | None = Field(default=None, gt=0, description="US dollars of the whole trial")
    context: Tokens | None = Field(default=None, description="the model's context window, in tokens")
    reply: Tokens | None = Field(default=None, description="longest reply, in tokens")
    temperature: float | None = Field(default=None, ge=0, le=2)
    effort: str | None = Field(default=None, pattern=r"^[a-z]+$", description="reasoning effort, as the model names it")
    seed: Literal["on", "off"] = Field(default="on", description="off where an endpoint refuses the parameter")


@dataclass(frozen=True, slots=True)
class Settings:
    """A model and its options."""

    model: str
    options: Options

    @classmethod
    def from_text(cls, text: str) -> Settings:
        """From what follows `llm:`.

        Raises:
            UsageError: no model, an unknown option, or a value that it cannot have.
        """
        model, _, query = text.partition("?")
        key = f"--agent llm:{text}"
        if not model.strip():
            raise UsageError("say which model", key=key, hint="For example: --agent llm:gpt-5-mini")
        pairs = parse_qsl(query, keep_blank_values=True)
        try:
            options = TypeAdapter(Options).validate_python(dict(pairs))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            name = ".".join(map(str, first["loc"]))
            known = ", ".join(Options.model_fields)
            told = "there is no such option" if first["type"] == "extra_forbidden" else first["msg"]
            raise UsageError(f"option {name}: {told}", key=key, hint=f"Options: {known}") from None
        return cls(model.strip(), options)
