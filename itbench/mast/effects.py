"""What a mode does to success: the difference between its shares in failed and in successful traces.

Formulas: Newcombe 1998 (method 10, Wilson limits combined) for differences, Katz 1978 on the log scale with 0.5 added for
ratios, Benjamini and Hochberg 1995 for many tests. Trials of one scenario are alike: where scenarios repeat, the interval
of the difference is widened to what a bootstrap over scenarios gives.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from itbench.model.mast import Verdict
from itbench.scoring.statistics import wilson_interval

Fatality = Literal["fatal", "recoverable", "undecided", "not seen", "not applicable"]
MARGIN = 0.1
"""A mode that raises its share among failures by less than this, with confidence, is recoverable."""
_Z = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Share:
    """`present` of `known` traces to which the mode applies. Where the annotator could not tell it is not counted as
    present, so that a share is a lower bound; how often that was is said beside it.
    """

    present: int
    known: int

    @property
    def value(self) -> float | None:
        """The share."""
        return self.present / self.known if self.known else None


@dataclass(frozen=True, slots=True)
class Observation:
    """A mode in one trace; `failed` is None where nothing tells."""

    scenario: str
    failed: bool | None
    verdict: Verdict

    @property
    def present(self) -> bool:
        """Whether it was flagged."""
        return self.verdict == "present"


@dataclass(frozen=True, slots=True)
class Effect:
    """A mode held against success. Bounds are of 95 % intervals; None where there is nothing to compare.

    Attributes:
        difference: share among failed minus share among successful traces.
        ratio: the one share over the other.
        p: Fisher's exact test, two-sided; it takes traces as independent.
        verdict: fatal if the interval of the difference lies above 0, recoverable if it lies below the margin. Where the
            annotator could not tell in most traces, only fatal is ever said.
        needed: traces in all, of the same mixture, that would decide an undecided mode.
    """

    failed: Share
    succeeded: Share
    unknown: int
    difference: float | None
    low: float | None
    high: float | None
    ratio: float | None
    ratio_low: float | None
    ratio_high: float | None
    p: float | None
    verdict: Fatality
    needed: int | None

    @property
    def seen(self) -> int:
        """Traces with the mode."""
        return self.failed.present + self.succeeded.present

    @property
    def blind(self) -> bool:
        """Whether the annotator could not tell in most traces."""
        return self.unknown > (self.failed.known + self.succeeded.known) / 2


def effect(observations: Sequence[Observation], rng: np.random.Generator, *, margin: float = MARGIN) -> Effect:
    """The effect of one mode."""
    judged = [each for each in observations if each.failed is not None and each.verdict != "not_applicable"]
    failed = Share(sum(e.present for e in judged if e.failed), sum(bool(e.failed) for e in judged))
    succeeded = Share(sum(e.present for e in judged if not e.failed), sum(not e.failed for e in judged))
    unknown = sum(each.verdict == "unknown" for each in judged)
    if not failed.known or not succeeded.known:
        applies = any(each.verdict != "not_applicable" for each in observations)
        untold: Fatality = "undecided" if applies else "not applicable"
        return Effect(failed, succeeded, unknown, None, None, None, None, None, None, None, untold, None)
    difference, low, high = _newcombe(failed, succeeded)
    scenarios = {each.scenario for each in judged}
    if 1 < len(scenarios) < len(judged):
        wide_low, wide_high = _over_scenarios(judged, sorted(scenarios), rng)
        low, high = min(low, wide_low), max(high, wide_high)
    ratio, ratio_low, ratio_high = _katz(failed, succeeded)
    verdict, needed = _verdict(failed, succeeded, (difference, low, high), margin)
    if verdict in ("recoverable", "not seen") and unknown > len(judged) / 2:
        verdict, needed = "undecided", None  # no number of traces helps an annotator who cannot tell
    p = fisher_exact(failed, succeeded)
    return Effect(failed, succeeded, unknown, difference, low, high, ratio, ratio_low, ratio_high, p, verdict, needed)


def benjamini_hochberg(ps: Sequence[float | None]) -> list[float | None]:
    """Adjusted p-values (false discovery rate), None where there is none; the order is kept."""
    ranked = sorted((p, place) for place, p in enumerate(ps) if p is not None)
    adjusted: list[float | None] = [None] * len(ps)
    least = 1.0
    for rank in range(len(ranked), 0, -1):
        p, place = ranked[rank - 1]
        least = min(least, p * len(ranked) / rank)
        adjusted[place] = least
    return adjusted


def fisher_exact(one: Share, other: Share) -> float:
    """Two-sided p of two shares: the sum over all tables with these margins that are no likelier than this one."""
    total, n, present = one.known + other.known, one.known, one.present + other.present
    lowest, highest = max(0, n + present - total), min(n, present)
    logs = [_log_choose(present, k) + _log_choose(total - present, n - k) for k in range(lowest, highest + 1)]
    top = max(logs)
    weights = [math.exp(each - top) for each in logs]
    own = weights[one.present - lowest]
    return min(1.0, math.fsum(each for each in weights if each <= own * (1 + 1e-7)) / math.fsum(weights))


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def _newcombe(one: Share, other: Share) -> tuple[float, float, float]:
    a, b = wilson_interval(one.present, one.known), wilson_interval(other.present, other.known)
    assert a.mean is not None and a.low is not None and a.high is not None  # noqa: PT018 - both were observed
    assert b.mean is not None and b.low is not None and b.high is not None  # noqa: PT018
    difference = a.mean - b.mean
    below = math.hypot(a.mean - a.low, b.high - b.mean)
    above = math.hypot(a.high - a.mean, b.mean - b.low)
    return difference, max(-1.0, difference - below), min(1.0, difference + above)


def _katz(one: Share, other: Share) -> tuple[float, float, float]:
    a, b = one.present + 0.5, other.present + 0.5
    ratio = (a / (one.known + 0.5)) / (b / (other.known + 0.5))
    reach = _Z * math.sqrt(max(0.0, 1 / a - 1 / (one.known + 0.5) + 1 / b - 1 / (other.known + 0.5)))
    return ratio, ratio * math.exp(-reach), ratio * math.exp(reach)


def _over_scenarios(
    judged: Sequence[Observation], scenarios: list[str], rng: np.random.Generator, resamples: int = 2_000
) -> tuple[float, float]:
    place = {name: number for number, name in enumerate(scenarios)}
    counts = np.zeros((len(scenarios), 4))
    for each in judged:
        column = 0 if each.failed else 2
        counts[place[each.scenario], column] += each.present
        counts[place[each.scenario], column + 1] += 1
    drawn = rng.multinomial(len(scenarios), np.full(len(scenarios), 1 / len(scenarios)), size=resamples) @ counts
    drawn = drawn[(drawn[:, 1] > 0) & (drawn[:, 3] > 0)]
    if not len(drawn):
        return -1.0, 1.0
    low, high = np.quantile(drawn[:, 0] / drawn[:, 1] - drawn[:, 2] / drawn[:, 3], [0.025, 0.975])
    return float(low), float(high)


def _verdict(
    failed: Share, succeeded: Share, interval: tuple[float, float, float], margin: float
) -> tuple[Fatality, int | None]:
    difference, low, high = interval
    if not failed.present + succeeded.present:
        return "not seen", None
    if low > 0:
        return "fatal", None
    if high < margin:
        return "recoverable", None
    # An interval shrinks with the root of n: how far until one of the two bounds clears its line?
    shrink = [(difference - low) / difference] if difference > 0 else []
    shrink += [(high - difference) / (margin - difference)] if difference < margin else []
    n = failed.known + succeeded.known
    return "undecided", math.ceil(n * min(shrink) ** 2) + 1
