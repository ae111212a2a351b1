"""Find the traces in a folder: of runs, of imported sessions, of sessions as other programs left them.

Traces are read one at a time; only their names stay in memory.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from itbench.datasets.files import read_bytes
from itbench.datasets.trajectories import Converted, Session, read_sessions
from itbench.mast.trace import Trace, TraceInfo
from itbench.model.errors import DatasetError, UsageError
from itbench.model.trajectory import Trajectory
from itbench.model.trial import TrialRecord

INFO, TRAJECTORY, ANSWER = "trace.json", "trajectory.json", "agent_output.json"
_WHOLE_FOLDER = frozenset({"session.jsonl", TRAJECTORY})
_OTHER_FILES = frozenset(
    f"{name}.json"
    for name in (
        *("agent_output", "judge_output", "result", "task", "run", "lock", "summary", "scores", "evaluation_results"),
        *("isolation", "started", "trace", "labels", "annotations", "ground_truth", "manifest", "analysis"),
    )
) | {"events.jsonl"}
_OTHER_FOLDERS = frozenset({"attempts", "interrupted", "code_generated_by_agent", "node_modules"})
_PUBLISHED = re.compile(r"(?:^|/)(?P<agent>[^/]+)/(?P<domain>sre|finops|ciso)/(?P<scenario>Scenario-[^/]+)/(?P<trial>\d+)$")
_LARGEST_ANSWER = 5_000_000
_LARGEST_TRAJECTORY = 200_000_000
_SHOWN = 20


@dataclass(slots=True)
class Notes:
    """What reading met: counts, and the first places of what was left out."""

    traces: int = 0
    steps: int = 0
    calls: int = 0
    formats: dict[str, int] = field(default_factory=dict)
    malformed: int = 0
    unreadable: int = 0
    problems: list[str] = field(default_factory=list)
    labelled: list[tuple[str, Session]] = field(default_factory=list)

    def problem(self, text: str) -> None:
        """Note where something was left out; the first 20 are kept."""
        if len(self.problems) < _SHOWN:
            self.problems.append(text)

    def count(self, trace: Trace) -> None:
        """Add a trace to the counts."""
        self.traces += 1
        self.steps += len(trace.trajectory.steps)
        self.calls += sum(len(step.tool_calls or ()) for step in trace.trajectory.steps)
        self.formats[trace.info.format] = self.formats.get(trace.info.format, 0) + 1


def read_traces(path: Path, notes: Notes) -> Iterator[Trace]:
    """The traces of a folder or file, by name. Files that cannot be read are noted, and stop nothing.

    Args:
        path: a run folder, a folder that `mast import` wrote, a folder of sessions, or one session file.
        notes: is filled on the way.

    Raises:
        UsageError: there is nothing at the path, or no trace in it.
    """
    if not path.exists():
        raise UsageError("there is no such file or folder", path=path)
    names: set[str] = set()
    untraced: list[Path] = []
    for file in _files(path, untraced):
        try:
            if file.name == INFO:
                found: Iterator[Trace] = iter([_imported(file)])
            else:
                found = _sessions(path, file, notes)
            for trace in found:
                if trace.info.trace in names:
                    trace = _renamed(trace, names)  # noqa: PLW2901 - the same trace under another name
                names.add(trace.info.trace)
                notes.count(trace)
                yield trace
        except DatasetError as error:
            notes.unreadable += 1
            notes.problem(str(error))
    if untraced:
        count = "a trial that left" if len(untraced) == 1 else f"{len(untraced)} trials that left"
        notes.problems.append(f"{count} no trajectory, such as {untraced[0]}")
    if not notes.traces:
        why = f"\n  {notes.problems[0]}\n" if notes.problems else ""
        raise UsageError(f"no trace was found here{why}", path=path, hint="docs/mast.md names the formats that are read")


def _files(path: Path, untraced: list[Path]) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    for folder, folders, files in os.walk(path):
        folders[:] = sorted(name for name in folders if name not in _OTHER_FOLDERS and not name.startswith("."))
        if INFO in files:
            yield Path(folder, INFO)
        elif "result.json" in files:
            if TRAJECTORY in files:
                yield Path(folder, TRAJECTORY)
            else:
                untraced.append(Path(folder))
        else:
            for name in sorted(files):
                if name not in _OTHER_FILES and name.endswith((".jsonl", ".json", ".eval")):
                    yield Path(folder, name)


def _imported(file: Path) -> Trace:
    try:
        info = TraceInfo.model_validate_json(read_bytes(file, 1_000_000))
        trajectory = Trajectory.model_validate_json(read_bytes(file.with_name(TRAJECTORY), _LARGEST_TRAJECTORY))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise DatasetError(f"not as `mast import` writes it: {first['msg']}", path=file) from None
    return Trace(info, trajectory, _answer(file.parent))


def _sessions(root: Path, file: Path, notes: Notes) -> Iterator[Trace]:
    for session in read_sessions(file):
        if session.converted is None:
            notes.unreadable += 1
            notes.problem(f"{file}: {session.problem}")
            continue
        notes.malformed += session.converted.malformed
        for problem in session.converted.problems:
            notes.problem(f"{file}:{problem.line}: {problem.message}")
        trace = _trace(root, file, session, session.converted, notes)
        if session.labels:
            notes.labelled.append((trace.info.trace, session))
        yield trace


def _trace(root: Path, file: Path, session: Session, converted: Converted, notes: Notes) -> Trace:
    relative = file.relative_to(root) if root.is_dir() else Path(file.name)
    place = relative.parent if relative.name in _WHOLE_FOLDER and relative.parent.parts else relative.with_suffix("")
    name = "/".join(_safe(part) for part in (*place.parts, *filter(None, [session.name])))
    trajectory = converted.trajectory
    whole = file.parent.resolve().as_posix() if file.name in _WHOLE_FOLDER else ""
    published, record = _PUBLISHED.search(whole), _record(file.parent, notes)
    output = _answer(file.parent) if whole else None
    told: dict[str, Any] = {"agent": trajectory.agent.model_name or trajectory.agent.name, "metrics": {}}
    if published:
        told |= {"agent": published["agent"], "scenario": published["scenario"], "trial": int(published["trial"])}
        told |= {"domain": published["domain"], "metrics": _judged(file.parent)}
    if record is not None:
        told |= {"agent": record.agent, "scenario": record.scenario, "trial": record.trial, "domain": record.domain}
        told |= {"complexity": record.complexity, "cause": record.outcome.cause, "metrics": record.metrics}
    asked = published is not None or record is not None
    info = TraceInfo(
        trace=name,
        source=str(file),
        format=converted.format,
        answer="present" if output is not None else "missing" if asked else "unknown",
        malformed=converted.malformed,
        **told,
    )
    return Trace(info, trajectory, output)


def _record(folder: Path, notes: Notes) -> TrialRecord | None:
    file = folder / "result.json"
    if not file.is_file():
        return None
    try:
        return TrialRecord.model_validate_json(read_bytes(file, 50_000_000))
    except ValidationError:
        notes.problem(f"{file}: no result of a trial that this version of itbench knows; read without it")
        return None


def _judged(folder: Path) -> dict[str, float]:
    """The flat scores of a judge_output.json beside a published session."""
    try:
        scores = json.loads(read_bytes(folder / "judge_output.json", _LARGEST_ANSWER))["flat_scores"]
        numbers = {str(key): float(value) for key, value in scores.items() if isinstance(value, int | float)}
        return {key: value for key, value in numbers.items() if math.isfinite(value)}
    except (DatasetError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return {}


def _answer(folder: Path) -> str | None:
    file = folder / ANSWER
    return read_bytes(file, _LARGEST_ANSWER).decode("utf-8", "replace") if file.is_file() else None


def _renamed(trace: Trace, names: set[str]) -> Trace:
    number = next(number for number in range(2, len(names) + 3) if f"{trace.info.trace}-{number}" not in names)
    return Trace(trace.info.model_copy(update={"trace": f"{trace.info.trace}-{number}"}), trace.trajectory, trace.output)


def _safe(part: str) -> str:
    """A name that is one folder's, whoever chose it."""
    return re.sub(r"[^\w.@+=-]", "_", part)[:120].strip(".") or "_"
