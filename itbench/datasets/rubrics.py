"""Load the rubrics in evaluators/judge/, or in a folder of copies that somebody adapted."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from itbench.bundled import bundled
from itbench.datasets.findings import dotted
from itbench.datasets.source import read_source
from itbench.model.errors import DatasetError
from itbench.model.rubric import JUDGED_CRITERIA, JudgedCriterion, Rubric, Rubrics

_FILES: dict[JudgedCriterion, str] = {"root_cause_entity": "entity_match"}


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
    source = read_source(path)
    try:
        rubric = Rubric.model_validate(source.value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise DatasetError(
            first["msg"].removeprefix("Value error, "),
            path=path,
            line=source.line(first["loc"]),
            key=dotted(first["loc"]) or None,
            hint="docs/judge.md describes every key; evaluators/judge of itbench holds examples.",
        ) from error
    if rubric.criterion != criterion:
        raise DatasetError(
            f"this is the rubric of {rubric.criterion}, not of {criterion}", path=path, line=source.line(("criterion",))
        )
    return rubric
