"""Codex rollouts: `{timestamp, type, payload}` a line.

Messages come twice, as response_item and as event_msg: only the former count. Events tell tokens, and that the history
was compacted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from itbench.datasets.trajectories.builder import Builder
from itbench.datasets.trajectories.fields import arguments, count, mapping, mappings, string, text_of, time
from itbench.datasets.trajectories.lines import Lines
from itbench.model.trajectory import AgentInfo, FinalMetrics, StepMetrics, Trajectory

_CALLS = {"function_call": "arguments", "custom_tool_call": "input", "local_shell_call": "action"}
_OUTPUTS = frozenset({"function_call_output", "custom_tool_call_output"})


def read_codex(lines: Lines) -> Trajectory:
    """The session of one rollout file."""
    return _Rollout(lines).read()


class _Rollout:
    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._builder = Builder()
        self._meta: Mapping[str, Any] = {}
        self._model: str | None = None
        self._totals: Mapping[str, Any] = {}
        self._compacted = 0

    def read(self) -> Trajectory:
        for number, line in self._lines:
            kind, payload = string(line.get("type")), mapping(line.get("payload"))
            if not kind or not payload:
                self._lines.leave_out(number, "no record of a Codex session: type or payload is missing")
                continue
            self._record(number, kind, payload, time(line.get("timestamp")))
        agent = AgentInfo(
            name=string(self._meta.get("originator")) or "codex",
            version=string(self._meta.get("cli_version")) or "unknown",
            model_name=self._model,
            extra={"model_provider": provider} if (provider := string(self._meta.get("model_provider"))) else None,
        )
        told = {"compactions": self._compacted} if self._compacted else {}
        return self._builder.trajectory(agent, string(self._meta.get("id")), self._final(), **told)

    def _record(self, number: int, kind: str, payload: Mapping[str, Any], when: str | None) -> None:
        if kind == "session_meta":
            self._meta = payload
            base = mapping(payload.get("base_instructions")).get("text")
            if instructions := string(payload.get("instructions")) or string(base):
                self._builder.say("system", instructions, when)
        elif kind == "turn_context":
            self._model = string(payload.get("model")) or self._model
        elif kind == "compacted":
            self._compacted += 1
            self._builder.say("system", string(payload.get("message")), when, compacted=True)
        elif kind == "response_item":
            self._item(number, payload, when)
        elif kind == "event_msg" and payload.get("type") == "token_count":
            self._count(mapping(payload.get("info")))

    def _item(self, number: int, item: Mapping[str, Any], when: str | None) -> None:
        kind = string(item.get("type"))
        if kind == "message":
            role, text = string(item.get("role")), text_of(item.get("content"))
            if role == "assistant":
                self._builder.agent(when, self._model).said.append(text)
            else:
                self._builder.say("user" if role == "user" else "system", text, when)
        elif kind == "reasoning":
            text = text_of(item.get("content")) or text_of(item.get("summary"))
            if text:
                self._builder.agent(when, self._model).reasoning.append(text)
        elif kind in _CALLS:
            given = item.get(_CALLS[kind])
            # A custom tool takes any text; that is no malformed JSON.
            read, malformed = ({"input": given}, None) if kind == "custom_tool_call" else arguments(given)
            name = string(item.get("name")) or kind.removesuffix("_call")
            call_id = string(item.get("call_id")) or string(item.get("id"))
            self._builder.call(self._builder.agent(when, self._model), call_id, name, read, malformed)
        elif kind in _OUTPUTS:
            text, failed = _output(item.get("output"))
            if not self._builder.result(string(item.get("call_id")), text, is_error=failed):
                self._lines.leave_out(number, f"the output of a call that is not in the file: {item.get('call_id')!r}")

    def _count(self, info: Mapping[str, Any]) -> None:
        """The counts come after each reply, and again whenever limits change: only a changed total tells a new reply."""
        totals = mapping(info.get("total_token_usage"))
        if not totals or totals == self._totals:
            return
        self._totals = totals
        last = mapping(info.get("last_token_usage"))
        agents = [draft for draft in self._builder.steps if draft.source == "agent"]
        if last and agents and agents[-1].metrics is None:
            agents[-1].metrics = StepMetrics(
                prompt_tokens=count(last.get("input_tokens")),
                completion_tokens=count(last.get("output_tokens")),
                cached_tokens=count(last.get("cached_input_tokens")),
            )
        # A step may wait for outputs of its calls; the reply itself is over.
        self._builder.close()

    def _final(self) -> FinalMetrics | None:
        if not self._totals:
            return None
        return FinalMetrics(
            total_prompt_tokens=count(self._totals.get("input_tokens")),
            total_completion_tokens=count(self._totals.get("output_tokens")),
            total_cached_tokens=count(self._totals.get("cached_input_tokens")),
            total_steps=len(self._builder.steps),
        )


def _output(output: object) -> tuple[str, bool]:
    """The text of an output, and whether it tells of a failure. It is mostly JSON inside a string."""
    value = output
    if isinstance(output, str):
        try:
            value = json.loads(output)
        except (ValueError, RecursionError):
            return output, False
    if isinstance(value, dict):
        failed = mapping(value.get("metadata")).get("exit_code") not in (0, None) or value.get("success") is False
        told = value.get("output", value.get("content"))
        return (text_of(told) if told is not None else text_of(output), failed)
    if isinstance(value, list) and list(mappings(value)):
        return text_of(value), False
    return text_of(output), False
