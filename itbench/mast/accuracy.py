"""How well annotators find what others know to be there: precision and recall, mode by mode."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from itbench.mast.labels import Label
from itbench.model.errors import UsageError
from itbench.model.mast import Taxonomy, Verdict


@dataclass(frozen=True, slots=True)
class Accuracy:
    """One annotator on one mode, or on all (`code` is "all"), in the traces for which the truth is known.

    Attributes:
        hits: there, and found.
        missed: there, and not found; what the annotator calls unknown or not applicable was not found.
        invented: found, and not there.
        open: of all these units, those that the annotator calls unknown.
    """

    annotator: str
    code: str
    hits: int
    missed: int
    invented: int
    open: int

    @property
    def precision(self) -> float | None:
        """Share of what was found that is there; None if nothing was found."""
        found = self.hits + self.invented
        return self.hits / found if found else None

    @property
    def recall(self) -> float | None:
        """Share of what is there that was found; None if nothing is there."""
        there = self.hits + self.missed
        return self.hits / there if there else None

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self) | {"precision": self.precision, "recall": self.recall}


def accuracy(labels: Sequence[Label], truth: Sequence[str], taxonomy: Taxonomy) -> tuple[Accuracy, ...]:
    """Hold all other annotators against the ones who know: each in the order of the taxonomy, "all" last.

    What more than half of `truth` say counts, of those who say present or absent; where they are divided, nothing does.

    Raises:
        UsageError: one of `truth` labelled nothing, or nobody else labelled a trace that they did.
    """
    present = {label.annotator for label in labels}
    for name in truth:
        if name not in present:
            raise UsageError(f"there is no label of {name!r}", hint=f"There are those of {', '.join(sorted(present))}")
    known = _known(labels, frozenset(truth))
    others = tuple(dict.fromkeys(label.annotator for label in labels if label.annotator not in truth))
    given: dict[str, dict[tuple[str, str], Verdict]] = {name: {} for name in others}
    for label in labels:
        if label.annotator in given and (label.trace, label.code) in known:
            given[label.annotator][label.trace, label.code] = label.verdict
    if not any(given.values()):
        raise UsageError("nobody else labelled a trace of theirs", hint="Traces are held together by their names")
    codes = (*taxonomy.codes, "all")
    return tuple(_accuracy(name, code, verdicts, known) for name, verdicts in given.items() for code in codes)


def _known(labels: Sequence[Label], truth: frozenset[str]) -> dict[tuple[str, str], bool]:
    votes: dict[tuple[str, str], Counter[bool]] = {}
    for label in labels:
        if label.annotator in truth and label.verdict in ("present", "absent"):
            votes.setdefault((label.trace, label.code), Counter())[label.verdict == "present"] += 1
    return {unit: told[True] > told[False] for unit, told in votes.items() if told[True] != told[False]}


def _accuracy(
    annotator: str, code: str, given: dict[tuple[str, str], Verdict], known: dict[tuple[str, str], bool]
) -> Accuracy:
    units = [(known[unit], verdict) for unit, verdict in given.items() if code in (unit[1], "all")]
    counts = Counter((there, verdict == "present") for there, verdict in units)
    return Accuracy(
        annotator,
        code,
        hits=counts[True, True],
        missed=counts[True, False],
        invented=counts[False, True],
        open=sum(verdict == "unknown" for _, verdict in units),
    )
