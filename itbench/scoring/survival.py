"""Durations of which some were not seen to end: Kaplan–Meier medians and restricted means, with 95 % intervals.

A trial that never resolved its incident is no missing value: it says that this takes longer than the trial lasted. Medians
are where the product-limit estimate falls to one half, their intervals where its log-log bounds do (Brookmeyer and Crowley);
restricted means are the area below it up to the horizon, with Greenwood's variance. docs/statistics.md has the formulas.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

from itbench.model.rules import Rules
from itbench.model.summary import Estimate, Survival
from itbench.model.trial import TrialRecord

TIMES = "times"
"""The score that has a trial's durations, `censored` among its evidence."""
_Z = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True, slots=True)
class Duration:
    """Seconds until something happened, or, if it did not, until nobody looked any more."""

    seconds: float
    happened: bool


@dataclass(frozen=True, slots=True)
class _Step:
    """One time at which something happened: to `events` of the `at_risk`; `share` is left afterwards."""

    seconds: float
    at_risk: int
    events: int
    share: float
    spread: float  # Greenwood's sum so far


def survival(durations: Sequence[Duration], horizon: float) -> Survival:
    """The figures of some durations; what happened after `horizon` counts as not seen.

    Raises:
        ValueError: there are none.
    """
    if not durations:
        raise ValueError("there are no durations")
    seen = [each if each.seconds <= horizon else Duration(horizon, happened=False) for each in durations]
    steps = list(_steps(seen))
    low, high = _median_interval(steps)
    return Survival(
        n=len(seen),
        happened=sum(each.happened for each in seen),
        horizon=horizon,
        median=next((step.seconds for step in steps if step.share <= 0.5 + 1e-12), None),
        median_low=low,
        median_high=high,
        restricted_mean=_restricted_mean(steps, horizon, len(seen)),
    )


def survivals(records: Sequence[TrialRecord], rules: Rules) -> dict[str, Survival]:
    """The figures of one agent's live trials, by duration.

    A trial that the agent itself failed is one in which nothing was seen to happen; others without a verdict are left out.
    Horizons are those of the trials; where they differ, the shortest holds for all.
    """
    live = [record for record in records if TIMES in record.scores]
    if not live:
        return {}
    horizon = min(float(record.scores[TIMES].evidence["horizon"]) for record in live)
    failed = [each for each in records if each.outcome.cause is not None and rules.outcomes[each.outcome.cause] == "zero"]
    found: dict[str, list[Duration]] = {}
    for record in live:
        censored = record.scores[TIMES].evidence["censored"]
        for name, seconds in record.scores[TIMES].values.items():
            if seconds is not None:
                found.setdefault(name, []).append(Duration(seconds, name not in censored))
    never = [Duration(horizon, happened=False)] * len(failed)
    return {name: survival([*durations, *never], horizon) for name, durations in found.items()}


def _steps(durations: Sequence[Duration]) -> Sequence[_Step]:
    """The product-limit estimate. Who is censored at the time of an event was still at risk."""
    events: dict[float, int] = {}
    for each in durations:
        if each.happened:
            events[each.seconds] = events.get(each.seconds, 0) + 1
    steps, share, spread = list[_Step](), 1.0, 0.0
    for seconds, count in sorted(events.items()):
        at_risk = sum(each.seconds >= seconds for each in durations)
        share *= 1 - count / at_risk
        spread += count / (at_risk * (at_risk - count)) if at_risk > count else math.inf
        steps.append(_Step(seconds, at_risk, count, share, spread))
    return steps


def _median_interval(steps: Sequence[_Step]) -> tuple[float | None, float | None]:
    """The first times at which the lower and the upper bound of the share are at most one half."""
    low = next((step.seconds for step in steps if _bound(step, -1) <= 0.5), None)
    high = next((step.seconds for step in steps if _bound(step, +1) <= 0.5), None)
    return low, high


def _bound(step: _Step, side: int) -> float:
    """A log-log bound of the share at a step."""
    if step.share <= 0 or math.isinf(step.spread):
        return 0.0
    if step.share >= 1:
        return 1.0
    theta = _Z * math.sqrt(step.spread) / math.log(step.share)
    return float(step.share ** math.exp(-side * abs(theta)))


def _restricted_mean(steps: Sequence[_Step], horizon: float, n: int) -> Estimate:
    """The area below the estimate up to the horizon."""
    edges = [0.0, *(step.seconds for step in steps), horizon]
    shares = [1.0, *(step.share for step in steps)]
    areas = [share * (end - begin) for share, begin, end in zip(shares, edges[:-1], edges[1:], strict=True)]
    area, variance = sum(areas), 0.0
    for index, step in enumerate(steps):
        if step.at_risk > step.events:
            left = sum(areas[index + 1 :])
            variance += left**2 * step.events / (step.at_risk * (step.at_risk - step.events))
    if n < 2:
        return Estimate(mean=area, n=n)
    error = math.sqrt(variance)
    return Estimate(mean=area, low=max(area - _Z * error, 0.0), high=min(area + _Z * error, horizon), n=n, stderr=error)
