"""One person's labels of traces, kept in a file after every key: the work can be left and taken up at any moment."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from itbench.mast.labels import Label, read_labels
from itbench.mast.trace import Trace
from itbench.mast.view import text_of
from itbench.model.errors import UsageError
from itbench.model.mast import Taxonomy, Verdict
from itbench.model.text import visible
from itbench.runner.atomic import write_file

_LINES, _WIDTH = 12, 400


class LabelFile:
    """The labels of one annotator. Nobody else's are read, or may be in the file: whoever labels must be blind to them."""

    def __init__(self, path: Path, annotator: str, taxonomy: Taxonomy) -> None:
        """Take up what is in the file.

        Raises:
            UsageError: labels of somebody else are in it.
            DatasetError: it is no file of labels.
        """
        self.path = path
        self.annotator = annotator
        self._labels: dict[tuple[str, str], Label] = {}
        has_content = path.is_file() and path.read_text(encoding="utf-8", errors="replace").count("\n") > 1
        for label in read_labels(path, taxonomy) if has_content else ():
            if label.annotator != annotator:
                raise UsageError(f"labels of {label.annotator!r} are in this file", path=path, hint="Give another --out")
            self._labels[label.trace, label.code] = label

    def verdict(self, trace: str, code: str) -> Verdict | None:
        """What was said so far."""
        label = self._labels.get((trace, code))
        return label.verdict if label else None

    def record(self, trace: str, code: str, verdict: Verdict) -> None:
        """Say it, or say it otherwise; the file is written."""
        self._labels[trace, code] = Label(trace, code, verdict, self.annotator)
        text = io.StringIO(newline="")
        rows = csv.writer(text, lineterminator="\n")
        rows.writerow(("trace", "code", "verdict", "annotator"))
        rows.writerows((each.trace, each.code, each.verdict, each.annotator) for each in self._labels.values())
        write_file(self.path, text.getvalue().encode())

    def __len__(self) -> int:
        return len(self._labels)


def transcript(trace: Trace) -> Iterator[str]:
    """A trace as lines to read: each step with number, speaker, words, calls and results; long texts are cut."""
    for step in trace.trajectory.steps:
        speaker = (step.extra or {}).get("speaker")
        yield f"── {step.step_id} {step.source}" + (f" ({visible(str(speaker))})" if speaker else "")
        yield from _cut(step.reasoning_content or "", "(thinks) ")
        yield from _cut(text_of(step.message))
        for call in step.tool_calls or ():
            yield from _cut(f"{call.function_name} {call.arguments}", "→ ")
        for result in step.observation.results if step.observation else ():
            yield from _cut(text_of(result.content), "← ")


def _cut(text: str, prefix: str = "") -> Iterator[str]:
    lines = text.splitlines()
    for line in lines[:_LINES]:
        yield f"{prefix}{visible(line[:_WIDTH])}{'…' if len(line) > _WIDTH else ''}"
    if len(lines) > _LINES:
        yield f"{prefix}[{len(lines) - _LINES} more lines]"
