"""MAST-Data: rows of traces that are one text each, with the labels that models or people gave.

The full file has `mast_annotation {code: 0|1}`; the human file has `annotations [{"failure mode", annotator_1, …}]`. A text
is cut into steps where a line names a speaker; a text without such lines is cut at paragraphs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from itbench.datasets.trajectories.builder import Builder
from itbench.datasets.trajectories.fields import mapping, mappings, string
from itbench.model.trajectory import AgentInfo, Trajectory

_LONGEST_STEP = 20_000
# On a line of its own: `Planner:`, `Planner (to Coder):`, `[2025-01-02 03:04:05 INFO] Planner:`, `------ Planner ------`.
_SPEAKER = re.compile(
    r"^[ \t]*(?:\[\d{4}[^\]\n]{0,40}\][ \t]*)?(?:-{3,}[ \t]*)?\**([A-Za-z][\w .]{1,38}?)\**"
    r"(?:[ \t]*\(to [\w .-]{1,40}\))?(?:[ \t]*-{3,}|:)[ \t]*$",
    re.MULTILINE,
)
_NO_AGENTS = frozenset({"user", "human", "task", "problem", "instruction", "system"})


@dataclass(frozen=True, slots=True)
class GivenLabel:
    """A label as the file has it: the annotator's name, the label's text, and whether the mode was seen."""

    annotator: str
    label: str
    present: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One row: a name that is unique in its file, the trace, its labels, and the label set that those are of."""

    name: str
    trajectory: Trajectory
    labels: tuple[GivenLabel, ...]
    label_set: str | None


def is_row(fields: Mapping[str, Any]) -> bool:
    """Whether an element of a JSON array is a row of MAST-Data."""
    return "mas_name" in fields and "trace" in fields


def read_row(fields: Mapping[str, Any], number: int) -> Row:
    """One row, from the full or from the human file."""
    trace = fields.get("trace")
    text = string(mapping(trace).get("trajectory")) if isinstance(trace, dict) else string(trace)
    system = string(fields.get("mas_name")) or "unknown"
    name = "-".join(part for part in (system, str(fields.get("trace_id", "")), str(number)) if part)
    old = string(fields.get("round")).startswith("Round")
    return Row(
        name=re.sub(r"[^\w.-]+", "_", name),
        trajectory=split_text(text, system, string(fields.get("llm_name")) or None),
        labels=tuple(_labels(fields)),
        label_set="mast-data-rounds" if old else None,
    )


def split_text(text: str, system: str, model: str | None = None) -> Trajectory:
    """A trajectory of a text. What comes before the first speaker is the user's."""
    builder = Builder()
    marks = list(_SPEAKER.finditer(text))
    if len(marks) < 2:
        for paragraph in re.split(r"\n\s*\n", text):
            if paragraph.strip():
                _add(builder, "", paragraph.strip(), model)
    else:
        if before := text[: marks[0].start()].strip():
            builder.say("user", before[:_LONGEST_STEP], None)
        for mark, following in zip(marks, [*marks[1:], None], strict=True):
            said = text[mark.end() : following.start() if following else len(text)].strip()
            _add(builder, mark[1].strip(), said, model)
    return builder.trajectory(AgentInfo(name=system, version="unknown", model_name=model), None)


def _add(builder: Builder, speaker: str, said: str, model: str | None) -> None:
    for start in range(0, len(said) or 1, _LONGEST_STEP):
        part = said[start : start + _LONGEST_STEP]
        if speaker.lower() in _NO_AGENTS:
            builder.say("user", part, None)
            continue
        builder.close()
        draft = builder.agent(None, model)
        draft.said.append(part)
        if speaker:
            draft.extra["speaker"] = speaker


def _labels(fields: Mapping[str, Any]) -> Iterator[GivenLabel]:
    for code, value in mapping(fields.get("mast_annotation")).items():
        if value in (0, 1):
            yield GivenLabel("mast-data-llm", code, bool(value))
    for row in mappings(fields.get("annotations")):
        for key, value in row.items():
            if key.startswith("annotator") and isinstance(value, bool):
                yield GivenLabel(key, string(row.get("failure mode")), value)
