"""Alerts: rules evaluated at even intervals, and the state in which each alert is."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

import numpy as np

from itbench.snapshot.records import Alert
from itbench.twin.flow.moments import Array
from itbench.twin.telemetry.rules.evaluate import Evaluator
from itbench.twin.telemetry.rules.load import AlertRule, filled
from itbench.twin.telemetry.series import Samples, Scrapes

INTERVAL = 60.0
"""Seconds between evaluations, of the twin's own monitoring."""


def sightings(
    rules: Sequence[AlertRule], samples: Iterable[Samples], scrapes: Scrapes, interval: float = INTERVAL
) -> list[Alert]:
    """Every alert that is pending or firing, at each evaluation, in the order of time and then of the rules.

    An alert is active as long as its expression has a value for its labels; it fires once it has been so for the rule's
    `for`.

    Args:
        rules: in the order in which their alerts are told.
        samples: what was scraped.
        scrapes: when.
        interval: seconds between evaluations.
    """
    moments = _moments(scrapes, interval)
    evaluator = Evaluator(samples, scrapes, moments)
    found = [alert for rule in rules for alert in _of_rule(rule, evaluator, scrapes, moments)]
    return sorted(found, key=lambda alert: alert.time)


def evaluation_times(scrapes: Scrapes) -> tuple[datetime, ...]:
    """When rules are evaluated."""
    return tuple(scrapes.begin + timedelta(seconds=moment) for moment in _moments(scrapes, INTERVAL).tolist())


def _moments(scrapes: Scrapes, interval: float) -> Array:
    return np.arange(interval, (scrapes.count - 1) * scrapes.step + 1e-9, interval)


def identity(alert: Alert) -> tuple[str, ...]:
    """What tells one alert from another: its rule and what it is about."""
    return (alert.name, *(f"{key}={value}" for key, value in sorted(alert.labels.items()) if key != "alertname"))


def _of_rule(rule: AlertRule, evaluator: Evaluator, scrapes: Scrapes, moments: Array) -> Iterator[Alert]:
    vector = evaluator.value(rule.expression)
    times = [scrapes.begin + timedelta(seconds=moment) for moment in moments.tolist()]
    for own, values in zip(vector.labels or (), vector.values.tolist(), strict=True):
        since: datetime | None = None
        for time, value in zip(times, values, strict=True):
            if math.isnan(value):  # not active
                since = None
                continue
            since = time if since is None else since
            yield _alert(rule, own, value, time, since)


def _alert(rule: AlertRule, own: dict[str, str], value: float, time: datetime, since: datetime) -> Alert:
    labels = {name: filled(text, own, value) for name, text in rule.labels.items()}
    return Alert(
        time=time,
        labels={"alertname": rule.name, **own, **labels},
        state="firing" if (time - since).total_seconds() >= rule.hold else "pending",
        active_since=since,
        value=value,
        annotations={name: filled(text, own, value) for name, text in rule.annotations.items()},
    )


class ActiveAlerts:
    """Alerts from one evaluation to the next: what `sightings` finds in a whole recording, for those who go on.

    Args:
        rules: in the order in which their alerts are told.
    """

    def __init__(self, rules: Sequence[AlertRule]) -> None:
        self._rules = rules
        self._since: dict[tuple[int, frozenset[tuple[str, str]]], datetime] = {}

    def evaluate(self, samples: Iterable[Samples], scrapes: Scrapes) -> list[Alert]:
        """The alerts that are pending or firing at the last scrape.

        Args:
            samples: at least as far back as the rules look.
            scrapes: when they were read.
        """
        seconds = (scrapes.count - 1) * scrapes.step
        time = scrapes.begin + timedelta(seconds=seconds)
        evaluator = Evaluator(samples, scrapes, np.array([seconds]))
        before, self._since = self._since, {}
        found = []
        for number, rule in enumerate(self._rules):
            vector = evaluator.value(rule.expression)
            for own, (value,) in zip(vector.labels or (), vector.values.tolist(), strict=True):
                if not math.isnan(value):
                    key = number, frozenset(own.items())
                    since = self._since[key] = before.get(key, time)
                    found.append(_alert(rule, own, value, time, since))
        return found
