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
"""Seconds between evaluations."""


def sightings(rules: Sequence[AlertRule], samples: Iterable[Samples], scrapes: Scrapes) -> list[Alert]:
    """Every alert that is pending or firing, at each evaluation, in the order of time and then of the rules.

    An alert is active as long as its expression has a value for its labels; it fires once it has been so for the rule's
    `for`.
    """
    moments = _moments(scrapes)
    evaluator = Evaluator(samples, scrapes, moments)
    found = [alert for rule in rules for alert in _of_rule(rule, evaluator, scrapes, moments)]
    return sorted(found, key=lambda alert: alert.time)


def evaluation_times(scrapes: Scrapes) -> tuple[datetime, ...]:
    """When rules are evaluated."""
    return tuple(scrapes.begin + timedelta(seconds=moment) for moment in _moments(scrapes).tolist())


def _moments(scrapes: Scrapes) -> Array:
    return np.arange(INTERVAL, (scrapes.count - 1) * scrapes.step + 1e-9, INTERVAL)


def _of_rule(rule: AlertRule, evaluator: Evaluator, scrapes: Scrapes, moments: Array) -> Iterator[Alert]:
    vector = evaluator.value(rule.expression)
    for own, values in zip(vector.labels or (), vector.values.tolist(), strict=True):
        since: float | None = None
        for moment, value in zip(moments.tolist(), values, strict=True):
            if math.isnan(value):  # not active
                since = None
                continue
            since = moment if since is None else since
            labels = {name: filled(text, own, value) for name, text in rule.labels.items()}
            yield Alert(
                time=scrapes.begin + timedelta(seconds=moment),
                labels={"alertname": rule.name, **own, **labels},
                state="firing" if moment - since >= rule.hold else "pending",
                active_since=scrapes.begin + timedelta(seconds=since),
                value=value,
                annotations={name: filled(text, own, value) for name, text in rule.annotations.items()},
            )
