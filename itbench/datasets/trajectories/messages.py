"""Message lists of agent frameworks, put into the form of the chat-completions protocol.

LangChain and LangGraph: `{type: human|ai|tool|system, content, tool_calls: [{name, args, id}]}`, plain or as a dump whose
fields lie under `kwargs` or `data`. AutoGen 0.2: `{role, name, content}`, where whoever is no person is an agent.
AutoGen 0.4: `{source, type: TextMessage|ToolCallRequestEvent|…, content}`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from itbench.datasets.trajectories.fields import mapping, mappings, string

Message = Mapping[str, Any]
_LANGCHAIN = {
    "human": "user",
    "HumanMessage": "user",
    "ai": "assistant",
    "AIMessage": "assistant",
    "AIMessageChunk": "assistant",
    "system": "system",
    "SystemMessage": "system",
    "tool": "tool",
    "ToolMessage": "tool",
}
_PEOPLE = frozenset({"user", "human", "user_proxy", "userproxy", "admin"})


def is_message_list(messages: Iterable[Message]) -> bool:
    """Whether these are messages of a framework, and not of the chat-completions protocol itself."""
    first = next(iter(messages), {})
    return _langchain_kind(first) is not None or _is_autogen(first) or ("name" in first and "role" in first)


def chat_messages(messages: Iterable[Message]) -> Iterator[Message]:
    """The messages as `{role, content, name, tool_calls, tool_call_id}`; what has no form that is known is left out."""
    for message in messages:
        kind = _langchain_kind(message)
        if kind is not None:
            yield _langchain(kind, message)
        elif _is_autogen(message):
            yield from _autogen(message)
        elif isinstance(message.get("role"), str):
            yield _named(message)


def _langchain_kind(message: Message) -> str | None:
    if message.get("type") == "constructor":
        path = message.get("id")
        return string(path[-1]) if isinstance(path, list) and path else None
    kind = string(message.get("type"))
    known = kind in _LANGCHAIN and "role" not in message and "source" not in message
    return kind if known else None


def _langchain(kind: str, message: Message) -> Message:
    fields = mapping(message.get("kwargs")) or mapping(message.get("data")) or message
    calls = [
        {"id": call.get("id"), "function": {"name": call.get("name"), "arguments": call.get("args")}}
        for call in mappings(fields.get("tool_calls"))
    ]
    role = _LANGCHAIN.get(kind, "system")
    return {
        "role": role,
        "content": fields.get("content"),
        "name": fields.get("name") if role == "assistant" else None,
        "tool_calls": calls,
        "tool_call_id": fields.get("tool_call_id"),
    }


def _is_autogen(message: Message) -> bool:
    return isinstance(message.get("source"), str) and isinstance(message.get("type"), str)


def _autogen(message: Message) -> Iterator[Message]:
    source, kind, content = string(message.get("source")), string(message.get("type")), message.get("content")
    if kind == "ToolCallExecutionEvent":
        for result in mappings(content):
            yield {"role": "tool", "tool_call_id": result.get("call_id"), "content": result.get("content")}
    elif source.lower() in _PEOPLE:
        yield {"role": "user", "content": content}
    elif kind == "ToolCallRequestEvent":
        calls = [
            {"id": call.get("id"), "function": {"name": call.get("name"), "arguments": call.get("arguments")}}
            for call in mappings(content)
        ]
        yield {"role": "assistant", "name": source, "content": "", "tool_calls": calls}
    elif kind == "ThoughtEvent":
        yield {"role": "assistant", "name": source, "content": "", "reasoning": content}
    elif kind != "ToolCallSummaryMessage":  # it repeats what the execution event said
        yield {"role": "assistant", "name": source, "content": content}


def _named(message: Message) -> Message:
    """In AutoGen 0.2 the role is seen from one agent's side: the other agents are its users."""
    name = string(message.get("name"))
    if message.get("role") == "user" and name and name.lower() not in _PEOPLE:
        return {**message, "role": "assistant"}
    return message
