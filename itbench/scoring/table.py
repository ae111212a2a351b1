"""What each trial counts: its value, 0 for an agent's own failure, nothing where the trial is excluded.

Whose failure a cause is stands in the rules (evaluators/metrics.yaml, `outcomes`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from itbench.model.base import Domain
from itbench.model.rules import Rules
from itbench.model.trial import TrialRecord
from itbench.scoring.statistics import mean

_Item = TypeVar("_Item")
_Key = TypeVar("_Key")
Judged = Mapping[str, Sequence[str]]
"""Scenario to the metrics that can be judged there."""


@dataclass(frozen=True, slots=True)
class ValueTable:
    """The trials of one agent in one domain: metric to scenario to a value per trial, None for excluded trials."""

    cells: Mapping[str, Mapping[str, Sequence[float | None]]]

    def scenario_means(self, metric: str, *, excluded_as: float | None = None) -> dict[str, float]:
        """The mean over the trials of each scenario; excluded trials count `excluded_as`, or not at all if that is None."""
        means = {}
        for scenario, values in self.cells.get(metric, {}).items():
            counted = [value for value in (excluded_as if value is None else value for value in values) if value is not None]
            centre = mean(counted)
            if centre is not None:
                means[scenario] = centre
        return means

    def successes(self, metric: str) -> dict[str, tuple[int, int]]:
        """Per scenario how many trials count, and how many of those have the full value of 1."""
        return {
            scenario: (len(counted), sum(value == 1 for value in counted))
            for scenario, values in self.cells.get(metric, {}).items()
            if (counted := [value for value in values if value is not None])
        }


def tabulate(records: Iterable[TrialRecord], rules: Rules, judged: Judged) -> ValueTable:
    """The values of one agent's trials in one domain.

    A trial without a verdict counts in every metric that can be judged in its scenario, save durations: who never
    detected an incident did not detect it in 0 seconds.
    """
    cells: dict[str, dict[str, list[float | None]]] = {}
    for record in records:
        cause = record.outcome.cause
        values: Mapping[str, float | None]
        if cause is None:
            values = record.metrics
        else:
            stand_in = 0.0 if rules.outcomes[cause] == "zero" else None
            values = {metric: stand_in for metric in judged[record.scenario] if is_share(metric)}
        for metric, value in values.items():
            cells.setdefault(metric, {}).setdefault(record.scenario, []).append(value)
    return ValueTable(cells)


def judged_metrics(records: Sequence[TrialRecord], otherwise: Callable[[Domain], Sequence[str]]) -> Judged:
    """What can be judged in each scenario, seen from the verdicts of any agent.

    A scenario in which nobody got a verdict is taken to be like the others of its domain; `otherwise` tells what a
    domain's evaluator yields if nobody got a verdict in all of it.
    """
    seen: dict[str, dict[str, None]] = {}
    in_domain: dict[Domain, dict[str, None]] = {}
    for record in records:
        if record.outcome.cause is None:
            metrics = dict.fromkeys(record.metrics)
            seen.setdefault(record.scenario, {}).update(metrics)
            in_domain.setdefault(record.domain, {}).update(metrics)
    return {
        record.scenario: tuple(seen.get(record.scenario) or in_domain.get(record.domain) or otherwise(record.domain))
        for record in records
    }


def is_share(metric: str) -> bool:
    """Whether a metric lies between 0 and 1; all do, save durations (seconds, days) and amounts of money."""
    return not metric.startswith(("time_to_", "saved_monthly")) and not metric.endswith("_days")


def grouped(items: Iterable[_Item], key: Callable[[_Item], _Key]) -> dict[_Key, list[_Item]]:
    """Items by key, in the order of first appearance."""
    groups: dict[_Key, list[_Item]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return groups
