"""A trace as detectors look at it: what was said, what was called, what came back, and where the answer was written."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from itbench.mast import commands
from itbench.mast.trace import Trace
from itbench.model.trajectory import Content, Step, ToolCall

_RESULT = 20_000
_SAID = 20_000
_FILE = re.compile(
    r"(?:write|save|put|store|leave|record|output|answer|result|report|findings)[^\n]{0,80}?"
    r"((?:/|\b)[\w./-]*\w\.(?:json|ya?ml|md|txt|csv))\b",
    re.IGNORECASE,
)
_TIMES = re.compile(r"\d{4}-\d\d-\d\d[T ][\d:.]+Z?|\b\d\d:\d\d:\d\d(?:\.\d+)?\b")
_PAGING = re.compile(r"\s*\|\s*(?:head|tail)(?:\s+-n)?\s*-?\d*\s*$|^timeout\s+\d+\w?\s+")


@dataclass(frozen=True, slots=True)
class Call:
    """One tool call with its result. `key` is equal for calls that ask the same."""

    step: int
    speaker: str
    name: str
    text: str
    is_shell: bool
    key: str
    result: str
    answered: bool
    failed: bool
    kinds: frozenset[str]
    writes: tuple[str, ...]
    changes: bool

    @property
    def cut(self) -> bool:
        """Whether the result goes on beyond what is kept here."""
        return len(self.result) >= _RESULT

    @property
    def outcome(self) -> str:
        """Equal for results that say the same but for the time."""
        return hashlib.sha256(_TIMES.sub("", self.result).encode("utf-8", "replace")).hexdigest()


@dataclass(frozen=True, slots=True)
class Saying:
    """What a step says: `text` aloud, `thought` to itself."""

    step: int
    speaker: str
    source: str
    text: str
    thought: str


class View:
    """A trace, read once."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.steps = trace.trajectory.steps
        self.calls = [call for step in self.steps for call in _calls(step)]
        self.sayings = [_saying(step) for step in self.steps]

    @cached_property
    def agent_sayings(self) -> list[Saying]:
        """What agents say, in order."""
        return [saying for saying in self.sayings if saying.source == "agent"]

    @cached_property
    def speakers(self) -> tuple[str, ...]:
        """The agents by name, in order of appearance."""
        return tuple(dict.fromkeys(saying.speaker for saying in self.agent_sayings))

    @cached_property
    def multi(self) -> bool:
        """Whether several agents work together."""
        return len(self.speakers) > 1 or bool(self.trace.trajectory.subagent_trajectories)

    @cached_property
    def task(self) -> str:
        """What system and user say before the first step of an agent."""
        told = []
        for saying in self.sayings:
            if saying.source == "agent":
                break
            told.append(saying.text)
        return "\n".join(told)

    @cached_property
    def answer_path(self) -> str:
        """The file that the task asks for."""
        found = _FILE.findall(self.task)
        return str(found[-1]) if found else "agent_output.json"

    @cached_property
    def answer_file(self) -> str:
        """Its name without folders."""
        return self.answer_path.rsplit("/", 1)[-1]

    @cached_property
    def answer_writes(self) -> list[int]:
        """Places in `calls` where the answer is written, successfully as far as is known."""
        return [
            place
            for place, call in enumerate(self.calls)
            if not call.failed and any(file.endswith(self.answer_file) for file in call.writes)
        ]

    @cached_property
    def answer_reads(self) -> list[int]:
        """Places in `calls` where the answer is read."""
        return [
            place
            for place, call in enumerate(self.calls)
            if self.answer_file in call.text
            and (
                commands.reads_file(call.text, self.answer_file)
                if call.is_shell
                else not any(file.endswith(self.answer_file) for file in call.writes)
            )
        ]

    @cached_property
    def replied_answer(self) -> int | None:
        """The step whose words are the answer: the last of the agent, if it calls nothing and is JSON."""
        last = self.agent_sayings[-1] if self.agent_sayings else None
        if last is None or any(call.step == last.step for call in self.calls):
            return None
        body = re.sub(r"^```\w*\s*|\s*```$", "", last.text.strip())
        return last.step if body.startswith("{") and _is_json(body) else None

    @cached_property
    def answer(self) -> Any:
        """The answer's JSON; None if there is no answer or it is no JSON."""
        try:
            return json.loads(self.trace.output or "")
        except (ValueError, RecursionError):
            return None

    @cached_property
    def answer_entities(self) -> list[dict[str, Any]]:
        """The entities that the answer names, in the form of ITBench; none where it has another one."""
        entities = self.answer.get("entities") if isinstance(self.answer, dict) else None
        return [each for each in entities if isinstance(each, dict)] if isinstance(entities, list) else []

    @cached_property
    def answer_step(self) -> int | None:
        """The step that gives the answer: the last that writes it, else the words that are it."""
        return self.calls[self.answer_writes[-1]].step if self.answer_writes else self.replied_answer

    @cached_property
    def compactions(self) -> list[int]:
        """Steps at which the history was replaced by a summary."""
        return [step.step_id for step in self.steps if step.extra and step.extra.get("compacted")]

    @cached_property
    def budget_told(self) -> int | None:
        """The step at which the loop of itbench told the agent that its budget was spent."""
        return next(
            (step.step_id for step in self.steps if step.source == "user" and (step.extra or {}).get("budget")), None
        )

    @cached_property
    def observed(self) -> str:
        """What tools returned and the task said, in lower case; what an answer says of itself is no observation."""
        own = {*self.answer_writes, *self.answer_reads}
        results = (call.result for place, call in enumerate(self.calls) if place not in own)
        return "\n".join([self.task, *results]).lower()


def short_name(entity: Mapping[str, Any]) -> str:
    """The name of an answer's entity without namespace and kind."""
    return str(entity.get("name", "")).rsplit("/", 1)[-1].strip()


def text_of(content: Content | None) -> str:
    """The words of a message or result."""
    if isinstance(content, str):
        return content
    return "\n".join(part.text for part in content or () if part.text)


def _calls(step: Step) -> list[Call]:
    results = {result.source_call_id: result for result in (step.observation.results if step.observation else ())}
    made = []
    for call in step.tool_calls or ():
        result = results.get(call.tool_call_id)
        text, is_shell = commands.command_of(call.arguments)
        name = call.function_name.rsplit("__", 1)[-1]
        made.append(
            Call(
                step=step.step_id,
                speaker=_speaker(step),
                name=name,
                text=text,
                is_shell=is_shell,
                key=_key(call, text),
                result=text_of(result.content)[:_RESULT] if result else "",
                answered=result is not None,
                failed=bool(result and result.extra and result.extra.get("is_error")),
                kinds=commands.kinds_in(commands.without_heredocs(text) if is_shell else f"{name} {text}"),
                writes=commands.written_files(name, text, call.arguments, is_shell=is_shell),
                changes=commands.changes_state(name, text, is_shell=is_shell),
            )
        )
    return made


def _key(call: ToolCall, text: str) -> str:
    return f"{call.function_name} {_PAGING.sub('', ' '.join(text.split()))}"


def _speaker(step: Step) -> str:
    return str((step.extra or {}).get("speaker", ""))


def _saying(step: Step) -> Saying:
    return Saying(
        step.step_id, _speaker(step), step.source, text_of(step.message)[:_SAID], (step.reasoning_content or "")[:_SAID]
    )


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
