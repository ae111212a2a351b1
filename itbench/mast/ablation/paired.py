"""Paired differences of the same trials under two conditions.

Sources: Newcombe 1998 (Statistics in Medicine 17, 2635), method 10 for paired shares; the exact McNemar test. Trials of one
scenario are alike: where scenarios repeat, the interval is widened to what a bootstrap over scenarios gives.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from itbench.scoring.statistics import ANYTHING, DIFFERENCE_OF_SHARES, mean, t_interval, wilson_interval


@dataclass(frozen=True, slots=True)
class Change:
    """A figure before and after, over `n` pairs of trials; bounds are of a 95 % interval of the difference.

    Attributes:
        gained, lost: of shares: pairs in which only the second, or only the first, has it.
        p: of shares: exact McNemar test, two-sided.
    """

    before: float
    after: float
    difference: float
    low: float | None
    high: float | None
    n: int
    gained: int | None = None
    lost: int | None = None
    p: float | None = None


@dataclass(frozen=True, slots=True)
class Pair:
    """One trial of a scenario under both conditions."""

    scenario: str
    before: float
    after: float


def change_of_shares(pairs: Sequence[Pair], rng: np.random.Generator) -> Change | None:
    """The change of something that a trial has (1) or has not (0); None without pairs."""
    if not pairs:
        return None
    n = len(pairs)
    both = sum(bool(each.before and each.after) for each in pairs)
    lost = sum(bool(each.before and not each.after) for each in pairs)
    gained = sum(bool(each.after and not each.before) for each in pairs)
    low, high = _newcombe(both, lost, gained, n - both - lost - gained)
    if 1 < len({each.scenario for each in pairs}) < n:
        wide_low, wide_high = _over_scenarios(pairs, rng)
        low, high = min(low, wide_low), max(high, wide_high)
    before, after = (both + lost) / n, (both + gained) / n
    return Change(before, after, after - before, low, high, n, gained, lost, _mcnemar(gained, lost))


def change_of_means(pairs: Sequence[Pair], *, share: bool = False) -> Change | None:
    """The change of a number, by Student's interval over scenarios; None without pairs."""
    if not pairs:
        return None
    by_scenario: dict[str, list[Pair]] = {}
    for each in pairs:
        by_scenario.setdefault(each.scenario, []).append(each)
    befores = [mean([each.before for each in own]) or 0.0 for own in by_scenario.values()]
    afters = [mean([each.after for each in own]) or 0.0 for own in by_scenario.values()]
    differences = [after - before for before, after in zip(befores, afters, strict=True)]
    interval = t_interval(differences, possible=DIFFERENCE_OF_SHARES if share else ANYTHING)
    told = bool(interval.stderr)
    centre = interval.mean or 0.0
    low, high = (interval.low, interval.high) if told else (None, None)
    return Change(mean(befores) or 0.0, mean(afters) or 0.0, centre, low, high, len(pairs))


def _newcombe(both: int, lost: int, gained: int, neither: int) -> tuple[float, float]:
    n = both + lost + gained + neither
    first, second = wilson_interval(both + lost, n), wilson_interval(both + gained, n)
    assert None not in (first.mean, first.low, first.high, second.mean, second.low, second.high)
    p1, l1, u1 = first.mean or 0.0, first.low or 0.0, first.high or 0.0
    p2, l2, u2 = second.mean or 0.0, second.low or 0.0, second.high or 0.0
    product = (both + lost) * (gained + neither) * (both + gained) * (lost + neither)
    excess = both * neither - lost * gained
    corrected = max(excess - n / 2, 0.0) if excess > 0 else float(excess)
    phi = corrected / math.sqrt(product) if product else 0.0
    below = math.sqrt(max(0.0, (p2 - l2) ** 2 - 2 * phi * (p2 - l2) * (u1 - p1) + (u1 - p1) ** 2))
    above = math.sqrt(max(0.0, (u2 - p2) ** 2 - 2 * phi * (u2 - p2) * (p1 - l1) + (p1 - l1) ** 2))
    return max(-1.0, p2 - p1 - below), min(1.0, p2 - p1 + above)


def _mcnemar(gained: int, lost: int) -> float:
    """Twice the smaller tail of a fair coin."""
    n = gained + lost
    tail = sum(math.comb(n, k) for k in range(min(gained, lost) + 1))
    return min(1.0, 2.0 * tail / float(2**n))


def _over_scenarios(pairs: Sequence[Pair], rng: np.random.Generator, resamples: int = 2_000) -> tuple[float, float]:
    names = sorted({each.scenario for each in pairs})
    place = {name: number for number, name in enumerate(names)}
    sums = np.zeros((len(names), 2))
    for each in pairs:
        sums[place[each.scenario]] += (each.after - each.before, 1)
    drawn = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=resamples) @ sums
    low, high = np.quantile(drawn[:, 0] / drawn[:, 1], [0.025, 0.975])
    return float(low), float(high)
