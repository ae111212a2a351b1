"""How far annotators agree on failure modes.

The unit is a mode in a trace. Only present and absent are held against each other: unknown and not applicable are no
ratings, and are counted apart. Intervals are bootstraps over traces, because the modes of one trace are not independent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from itbench.mast.labels import Label
from itbench.model.errors import UsageError
from itbench.model.mast import Taxonomy, Verdict
from itbench.scoring.coefficients import Floats, Ratings, cohen_kappa, fleiss_kappa, krippendorff_alpha

_RATED: dict[Verdict, int] = {"absent": 0, "present": 1}
_RESAMPLES = 2_000


@dataclass(frozen=True, slots=True)
class Estimate:
    """A coefficient with its 95 % interval; None where it is not defined."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Pair:
    """Two annotators on one mode, or on all: `table` counts (verdict of the one, of the other)."""

    one: str
    other: str
    n: int
    agreement: float | None
    kappa: Estimate
    table: dict[str, int]


@dataclass(frozen=True, slots=True)
class ModeAgreement:
    """One mode, or all together (`code` is "all"). `units` were rated by two annotators or more."""

    code: str
    units: int
    alpha: Estimate
    fleiss: Estimate
    pairs: tuple[Pair, ...]


@dataclass(frozen=True, slots=True)
class Agreement:
    """Modes in the order of the taxonomy, "all" last."""

    taxonomy: str
    annotators: tuple[str, ...]
    traces: int
    modes: tuple[ModeAgreement, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {"schema_version": 1, "kind": "mast-agreement", **asdict(self)}


def agreement(labels: Sequence[Label], taxonomy: Taxonomy, rng: np.random.Generator) -> Agreement:
    """Hold all annotators against each other.

    Raises:
        UsageError: fewer than two annotators, no trace that two of them labelled, or one who contradicts himself.
    """
    by_unit: dict[tuple[str, str], dict[str, Verdict]] = {}
    for label in labels:
        given = by_unit.setdefault((label.trace, label.code), {})
        if given.setdefault(label.annotator, label.verdict) != label.verdict:
            raise UsageError(f"{label.annotator} gives {label.code} in {label.trace} two verdicts")
    annotators = tuple(dict.fromkeys(label.annotator for label in labels))
    traces = tuple(sorted({trace for (trace, _), given in by_unit.items() if len(given) > 1}))
    if len(annotators) < 2 or not traces:
        what = "there is one annotator only" if len(annotators) < 2 else "no two annotators labelled the same trace"
        raise UsageError(what, hint="Traces are held together by their names; docs/mast.md")
    draws = rng.multinomial(len(traces), np.full(len(traces), 1 / len(traces)), size=_RESAMPLES).astype(float)
    weights = np.concatenate([np.ones((1, len(traces))), draws])
    place = {trace: number for number, trace in enumerate(traces)}
    modes = []
    for code in (*taxonomy.codes, "all"):
        units = [(place[trace], given) for (trace, of), given in by_unit.items() if trace in place and code in (of, "all")]
        if units:
            modes.append(_mode(code, annotators, units, weights))
    return Agreement(taxonomy.version, annotators, len(traces), tuple(modes))


def _mode(
    code: str, annotators: tuple[str, ...], units: list[tuple[int, dict[str, Verdict]]], weights: Floats
) -> ModeAgreement:
    ratings: Ratings = np.array(
        [[_RATED.get(given.get(name, "unknown"), -1) for name in annotators] for _, given in units], dtype=np.int64
    )
    own = weights[:, [trace for trace, _ in units]]
    pairs = []
    for (i, one), (j, other) in combinations(enumerate(annotators), 2):
        two = ratings[:, [i, j]]
        both = two[(two >= 0).all(axis=1)]
        table = Counter(f"{given[one]}/{given[other]}" for _, given in units if one in given and other in given)
        share = float((both[:, 0] == both[:, 1]).mean()) if len(both) else None
        pairs.append(Pair(one, other, len(both), share, _estimate(cohen_kappa(two, own, 2)), dict(sorted(table.items()))))
    return ModeAgreement(
        code=code,
        units=int(((ratings >= 0).sum(axis=1) >= 2).sum()),
        alpha=_estimate(krippendorff_alpha(ratings, own, 2)),
        fleiss=_estimate(fleiss_kappa(ratings, own, 2)),
        pairs=tuple(pairs),
    )


def _estimate(values: NDArray[np.float64]) -> Estimate:
    """The first value is the estimate, the others are its bootstrap; resamples where it is not defined are left out."""
    if np.isnan(values[0]):
        return Estimate(None, None, None)
    drawn = values[1:][~np.isnan(values[1:])]
    if len(drawn) < len(values) // 2:
        return Estimate(float(values[0]), None, None)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Estimate(float(values[0]), float(low), float(high))
