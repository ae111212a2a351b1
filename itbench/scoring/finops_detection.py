"""When somebody could have known: the first alert about a cause, after its onset. docs/metrics.md, FinOps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from itbench.model.cost import CostTruth
from itbench.model.outcome import Score
from itbench.scoring.finops_names import CostMatcher

_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class CostAlert:
    """A budget or anomaly rule that fired: `scope` is what it watches: a value of the hierarchy, several, or all."""

    rule: str
    scope: str
    fired_on: date


def detection_score(truth: CostTruth, matcher: CostMatcher, alerts: Sequence[CostAlert], *, named: bool) -> dict[str, Score]:
    """time_to_detect, seconds from the first cause's onset to the evening of the first day with an alert about a cause.

    An answer that names no cause did not detect it: it counts the whole time from onset to the end of the data, as what was
    never detected does elsewhere.
    """
    if not alerts or not truth.causes:
        return {}
    onset = min(cause.onset for cause in truth.causes)
    horizon = ((truth.window[1] - onset).days + 1) * _DAY
    telling = sorted(
        (alert for alert in alerts if alert.fired_on >= onset and _about(alert, truth, matcher)),
        key=lambda alert: (alert.fired_on, alert.rule, alert.scope),
    )
    first = telling[0] if telling else None
    found = first is not None and named
    seconds = min((first.fired_on + timedelta(days=1) - onset).days * _DAY, horizon) if first and named else horizon
    evidence = {
        "onset": str(onset),
        "alert": None if first is None else {"rule": first.rule, "scope": first.scope, "fired_on": str(first.fired_on)},
        "horizon": horizon,
        "censored": [] if found else ["time_to_detect"],
    }
    return {"times": Score(values={"time_to_detect": seconds}, evidence=evidence)}


def _about(alert: CostAlert, truth: CostTruth, matcher: CostMatcher) -> bool:
    """Whether an alert's scope holds some of the anomalous cost."""
    if not alert.scope.strip() or alert.scope.strip().casefold() in ("*", "all", "total", "organisation"):
        return True
    return any(row.amount > 0 and matcher.within(alert.scope, row.path) for row in truth.attribution)
