"""A trace in parts that a model can read at once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from itbench.mast.trace import Trace
from itbench.mast.view import text_of
from itbench.model.trajectory import Step

ROOM = 60_000
"""Characters of a part, as JSON; about 17,000 tokens."""
MOST_PARTS = 40
_SAID, _ARGUMENTS, _RESULT, _TASK = 6_000, 3_000, 4_000, 6_000
_MOST_CALLS = 40
_OUTLINE, _LINE = 8_000, 90


@dataclass(frozen=True, slots=True)
class Part:
    """Steps that are read together. `material` is what the model is shown, `words` what it may quote, by step."""

    number: int
    of: int
    material: dict[str, Any]
    words: dict[int, str]


def parts_of(trace: Trace, task: str, room: int = ROOM) -> tuple[list[Part], bool]:
    """The parts in order, and whether they are all of the trace: of very long ones the middle is left out.

    A step is never split. Its texts are shown by their beginnings and ends where they are long, so that one step of any size
    takes no more than about a part.
    """
    groups: list[list[dict[str, Any]]] = [[]]
    used = 0
    for step in trace.trajectory.steps:
        shown = _shown(step)
        size = len(json.dumps(shown, ensure_ascii=False))
        if groups[-1] and used + size > room:
            groups.append([])
            used = 0
        groups[-1].append(shown)
        used += size
    whole = len(groups) <= MOST_PARTS
    if not whole:
        groups = [*groups[: MOST_PARTS // 2], *groups[-MOST_PARTS // 2 :]]
    outline = list(_outline(trace))
    return [
        Part(
            number,
            len(groups),
            {"task": _cut(task, _TASK), "outline": outline, "steps": steps},
            {step["step"]: "\n".join(_strings(step)) for step in steps},
        )
        for number, steps in enumerate(groups, start=1)
    ], whole


def _shown(step: Step) -> dict[str, Any]:
    speaker = (step.extra or {}).get("speaker")
    shown: dict[str, Any] = {"step": step.step_id, "by": f"{step.source} ({speaker})"[:80] if speaker else step.source}
    if (step.extra or {}).get("compacted"):
        shown["note"] = "the history was replaced by a summary here"
    if step.reasoning_content:
        shown["thought"] = _cut(step.reasoning_content, _SAID)
    if said := text_of(step.message):
        shown["said"] = _cut(said, _SAID)
    calls = step.tool_calls or ()
    if calls:
        shown["calls"] = [
            {"tool": call.function_name[:200], "arguments": _cut(json.dumps(call.arguments, ensure_ascii=False), _ARGUMENTS)}
            for call in calls[:_MOST_CALLS]
        ]
    results = step.observation.results if step.observation else ()
    if results:
        shown["results"] = [_cut(text_of(each.content), _RESULT) for each in results[:_MOST_CALLS]]
    return shown


def _outline(trace: Trace) -> Iterator[str]:
    left = _OUTLINE
    steps = trace.trajectory.steps
    for place, step in enumerate(steps):
        tools = ", ".join(call.function_name for call in step.tool_calls or ())
        said = " ".join(text_of(step.message)[:300].split())
        line = f"{step.step_id} {step.source} {tools or said}"[:_LINE]
        left -= len(line) + 4
        if left < 0:
            yield f"… {len(steps) - place} more steps"
            return
        yield line


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _strings(each)
    elif isinstance(value, list):
        for each in value:
            yield from _strings(each)


def _cut(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]} [… {len(text) - 2 * half:,} characters …] {text[-half:]}"
