"""Claude Code: the session files below ~/.claude/projects, and what `--output-format stream-json` prints.

One reply of the model is spread over several lines with one message id, each with one block and the usage so far.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from itbench.datasets.trajectories.builder import Builder, Draft
from itbench.datasets.trajectories.fields import arguments, count, mapping, mappings, string, text_of, time
from itbench.datasets.trajectories.lines import Lines
from itbench.model.trajectory import AgentInfo, FinalMetrics, StepMetrics, Trajectory

_PROMPT_TOKENS = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")


def read_claude(lines: Lines) -> Trajectory:
    """The session of one file."""
    return _Session(lines).read()


class _Session:
    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._builder = Builder()
        self._replies: dict[str, Draft] = {}
        self._session = self._version = ""
        self._model: str | None = None
        self._tools: tuple[dict[str, Any], ...] | None = None
        self._result: Mapping[str, Any] = {}

    def read(self) -> Trajectory:
        for number, line in self._lines:
            self._session = self._session or string(line.get("sessionId")) or string(line.get("session_id"))
            self._version = self._version or string(line.get("version"))
            self._line(number, line)
        agent = AgentInfo(
            name="claude-code",
            version=self._version or "unknown",
            model_name=self._model,
            tool_definitions=self._tools,
        )
        return self._builder.trajectory(agent, self._session, self._final())

    def _line(self, number: int, line: Mapping[str, Any]) -> None:
        kind, message = string(line.get("type")), mapping(line.get("message"))
        when = time(line.get("timestamp"))
        if not kind:
            self._lines.leave_out(number, "no record of a Claude Code session: type is missing")
        elif kind == "assistant":
            self._reply(message, when, line)
        elif kind == "user":
            self._user(number, message, when, line)
        elif kind == "system" and line.get("subtype") == "init":
            self._model = string(line.get("model")) or self._model
            self._version = self._version or string(line.get("claude_code_version"))
            names = line.get("tools")
            if isinstance(names, list):
                self._tools = tuple({"type": "function", "function": {"name": str(name)}} for name in names) or None
        elif kind == "system" and line.get("subtype") == "compact_boundary":
            self._builder.say("system", string(line.get("content")) or "(the history was compacted)", when, compacted=True)
        elif kind == "result":
            self._result = line

    def _reply(self, message: Mapping[str, Any], when: str | None, line: Mapping[str, Any]) -> None:
        name = string(message.get("id"))
        self._model = model = string(message.get("model")) or self._model
        draft = self._replies.get(name)
        if draft is None:
            self._builder.close()
            draft = self._builder.agent(when, model)
            if name:
                self._replies[name] = draft
            if line.get("isSidechain") or line.get("parent_tool_use_id"):
                draft.extra["sidechain"] = True
        content = message.get("content")
        if isinstance(content, str):
            draft.said.append(content)
        for block in mappings(content):
            kind = block.get("type")
            if kind == "text":
                draft.said.append(string(block.get("text")))
            elif kind == "thinking" and string(block.get("thinking")):
                draft.reasoning.append(string(block.get("thinking")))
            elif kind in ("tool_use", "server_tool_use"):
                given, malformed = arguments(block.get("input"))
                self._builder.call(draft, string(block.get("id")), string(block.get("name")), given, malformed)
        draft.metrics = _usage(mapping(message.get("usage"))) or draft.metrics

    def _user(self, number: int, message: Mapping[str, Any], when: str | None, line: Mapping[str, Any]) -> None:
        content, said = message.get("content"), []
        if isinstance(content, str):
            said.append(content)
        for block in mappings(content):
            if block.get("type") == "tool_result":
                call = string(block.get("tool_use_id"))
                if not self._builder.result(call, text_of(block.get("content")), is_error=block.get("is_error") is True):
                    self._lines.leave_out(number, f"the result of a call that is not in the file: {call!r}")
            else:
                said.append(text_of([block]))
        if text := "\n".join(filter(None, said)):
            compacted = {"compacted": True} if line.get("isCompactSummary") else {}
            self._builder.say("user", text, when, **compacted)

    def _final(self) -> FinalMetrics | None:
        """By the result line, which the session files lack."""
        usage = _usage(mapping(self._result.get("usage")))
        cost = self._result.get("total_cost_usd")
        if usage is None:
            return None
        return FinalMetrics(
            total_prompt_tokens=usage.prompt_tokens,
            total_completion_tokens=usage.completion_tokens,
            total_cached_tokens=usage.cached_tokens,
            total_cost_usd=float(cost) if isinstance(cost, int | float) and not isinstance(cost, bool) else None,
            total_steps=len(self._builder.steps),
        )


def _usage(usage: Mapping[str, Any]) -> StepMetrics | None:
    parts = [count(usage.get(name)) for name in _PROMPT_TOKENS]
    if all(part is None for part in parts):
        return None
    return StepMetrics(
        prompt_tokens=sum(part or 0 for part in parts),
        completion_tokens=count(usage.get("output_tokens")),
        cached_tokens=count(usage.get("cache_read_input_tokens")),
    )
