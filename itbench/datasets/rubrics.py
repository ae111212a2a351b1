"""Load the rubrics in evaluators/judge/, or in a folder of copies that somebody adapted."""

from __future__ import annotations

from pathlib import Path

from itbench.bundled import bundled
from itbench.datasets.shipped import read_shipped
from itbench.datasets.source import read_source
from itbench.model.errors import DatasetError
from itbench.model.rubric import JUDGED_CRITERIA, JudgedCriterion, Rubric, Rubrics

_FILES: dict[JudgedCriterion, str] = {"root_cause_entity": "entity_match"}
_HINT = "docs/judge.md describes every key; evaluators/judge of itbench holds examples."


def load_rubrics(folder: Path | None = None) -> Rubrics:
    """The rubric of every criterion that can be judged.

    Raises:
        DatasetError: a file is missing, or a rule in it is missing, unknown or of the wrong type; with line and key.
    """
    folder = folder or bundled("evaluators") / "judge"
    return {
        criterion: _load(folder / f"{_FILES.get(criterion, criterion)}.yaml", criterion) for criterion in JUDGED_CRITERIA
    }


def _load(path: Path, criterion: JudgedCriterion) -> Rubric:
    rubric = read_shipped(path, Rubric, _HINT)
    if rubric.criterion != criterion:
        line = read_source(path).line(("criterion",))
        raise DatasetError(f"this is the rubric of {rubric.criterion}, not of {criterion}", path=path, line=line)
    return rubric
