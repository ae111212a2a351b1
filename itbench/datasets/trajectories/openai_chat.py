"""Logs of the chat-completions protocol.

Three forms: a list of messages (or an object with `messages`), JSON Lines of one message each, and JSON Lines of exchanges
`{request, response}`, whose last request holds the conversation and whose responses hold the tokens.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from itbench.datasets.trajectories.builder import Builder
from itbench.datasets.trajectories.fields import arguments, count, mapping, mappings, string, text_of, time
from itbench.datasets.trajectories.lines import Lines
from itbench.model.trajectory import AgentInfo, StepMetrics, Trajectory


def read_openai_chat(lines: Lines) -> Trajectory:
    """The conversation of one file of JSON Lines."""
    messages: list[Mapping[str, Any]] = []
    usages: list[Mapping[str, Any]] = []
    request: Mapping[str, Any] = {}
    for number, line in lines:
        if isinstance(line.get("role"), str):
            messages.append(line)
        elif isinstance(line.get("messages"), list):
            messages = [*mappings(line["messages"])]
            request = line
        elif "response" in line:
            request = mapping(line.get("request")) or request
            response = mapping(line.get("response"))
            reply = mapping(mapping(next(mappings(response.get("choices")), {})).get("message"))
            messages = [*mappings(request.get("messages")), *([reply] if reply else [])]
            usages.append(mapping(response.get("usage")))
        else:
            lines.leave_out(number, "no chat message: neither role, messages nor response")
    return chat_session(messages, model=string(request.get("model")), tools=request.get("tools"), usages=usages)


def chat_session(
    messages: Iterable[Mapping[str, Any]],
    *,
    model: str = "",
    tools: object = None,
    usages: Sequence[Mapping[str, Any]] = (),
    agent: str = "openai-chat",
) -> Trajectory:
    """A conversation; `usages` are those of the last replies, in order.

    Where messages have names, a step of the agent says in `extra.speaker` which of several agents it is.
    """
    builder = Builder()
    for message in messages:
        role, when, text = string(message.get("role")), time(message.get("timestamp")), text_of(message.get("content"))
        if role == "assistant":
            builder.close()
            draft = builder.agent(when, string(message.get("model")) or model or None)
            draft.said.append(text or string(message.get("refusal")))
            if speaker := string(message.get("name")):
                draft.extra["speaker"] = speaker
            if reasoning := string(message.get("reasoning_content")) or string(message.get("reasoning")):
                draft.reasoning.append(reasoning)
            for call in mappings(message.get("tool_calls")):
                function = mapping(call.get("function"))
                given, malformed = arguments(function.get("arguments"))
                builder.call(draft, string(call.get("id")), string(function.get("name")), given, malformed)
            draft.metrics = _usage(mapping(message.get("usage")))
        elif role == "tool":
            if not builder.result(string(message.get("tool_call_id")), text):
                builder.say("system", text, when, tool_result_without_call=True)
        else:
            builder.say("user" if role == "user" else "system", text, when)
    replies = [draft for draft in builder.steps if draft.source == "agent"]
    for draft, usage in zip(reversed(replies), reversed(usages), strict=False):
        draft.metrics = _usage(usage)
    definitions = tuple(dict(tool) for tool in mappings(tools)) or None
    info = AgentInfo(name=agent, version="unknown", model_name=model or None, tool_definitions=definitions)
    return builder.trajectory(info, None)


def _usage(usage: Mapping[str, Any]) -> StepMetrics | None:
    if count(usage.get("prompt_tokens")) is None:
        return None
    return StepMetrics(
        prompt_tokens=count(usage.get("prompt_tokens")),
        completion_tokens=count(usage.get("completion_tokens")),
        cached_tokens=count(mapping(usage.get("prompt_tokens_details")).get("cached_tokens")),
    )
