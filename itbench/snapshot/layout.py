"""Which files of a folder belong to a snapshot, and what they are: the names of both generations of recorders."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from itbench.model.errors import SnapshotError

Family = Literal[
    "events", "objects", "spans", "logs", "metrics", "alerts", "topology",
    "costs", "billing", "allocation", "usage", "cost_events", "budgets", "cost_alerts",
]  # fmt: skip
FAMILIES: tuple[Family, ...] = get_args(Family)
TELEMETRY: tuple[Family, ...] = ("events", "objects", "spans", "logs", "metrics", "alerts")
"""The families whose rows have a time; a snapshot always has tables of them, if empty ones."""
COSTS: tuple[Family, ...] = ("costs", "billing", "allocation", "usage", "cost_events", "budgets", "cost_alerts")
"""Those of FinOps scenarios; there are tables of the files that are there."""

# A file belongs to the first family whose pattern its name fits.
_PATTERNS: tuple[tuple[Family, str], ...] = (
    ("events", "*events*.tsv"),
    ("objects", "*objects*.tsv"),
    ("spans", "*traces*.tsv"),
    ("logs", "*logs*.tsv"),
    ("topology", "*topology*.json"),
    ("alerts", "alerts*.json"),
    ("alerts", "alerts/*.json"),
    ("metrics", "metrics/*.tsv"),
    ("metrics", "metrics_pod/*.tsv"),
    ("metrics", "metrics_service/*.tsv"),
    ("costs", "data.csv"),
    ("costs", "anomaly.json"),
    ("billing", "billing.csv"),
    ("allocation", "allocation.csv"),
    ("usage", "usage.csv"),
    ("cost_events", "events.csv"),
    ("budgets", "budgets.csv"),
    ("cost_alerts", "alerts.csv"),
)


_ANSWERS = ("ground_truth", "ground-truth", "groundtruth", "gt.", "gt_")


@dataclass(frozen=True, slots=True)
class InputFile:
    """One file of a snapshot; `name` is its path inside the folder, with `/`."""

    path: Path
    name: str
    family: Family


def discover(folder: Path) -> tuple[InputFile, ...]:
    """The input files of a scenario folder, by family and then name.

    Raises:
        SnapshotError: the folder is missing or cannot be listed, or a file's name is not UTF-8.
    """
    if not folder.is_dir():
        raise SnapshotError("there is no such folder", path=folder)
    try:
        found = {file.name: file for file in reversed(list(_candidates(folder.absolute())))}
    except OSError as error:
        raise SnapshotError(f"cannot list the folder: {error.strerror}", path=error.filename or folder) from error
    return tuple(sorted(found.values(), key=lambda file: (FAMILIES.index(file.family), file.name)))


def _tells_the_answer(path: Path) -> bool:
    """Whether a file, or what a link leads to, is named as a ground truth: a snapshot is what agents may see."""
    return any(part.name.lower().startswith(_ANSWERS) for part in (path, path.resolve()))


def _candidates(folder: Path) -> Iterator[InputFile]:
    for family, pattern in _PATTERNS:
        for path in folder.glob(pattern):
            if not path.name.isprintable():
                raise SnapshotError("the name of a file has characters that cannot be printed", path=repr(str(path)))
            if path.is_file() and not _tells_the_answer(path):
                yield InputFile(path, path.relative_to(folder).as_posix(), family)
