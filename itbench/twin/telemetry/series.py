"""Series on the common grid of scrapes: what rules look at, and what is written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

import numpy as np

from itbench.model.errors import UsageError
from itbench.snapshot.records import ObjectKind, Series
from itbench.twin.flow.graph import Indices
from itbench.twin.flow.moments import Array

_JOBS = {
    "traces_": "otel-collector",
    "istio_": "istio-proxy",
    "container_": "kubelet",
    "kube_": "kube-state-metrics",
    "cluster:": "kube-state-metrics",
    "kafka_": "kafka-exporter",
}


@dataclass(frozen=True, slots=True)
class Scrapes:
    """When metrics are read: at the beginning, and then at even steps.

    Attributes:
        begin: the time of tick 0 and of the first scrape.
        tick: seconds.
        step: seconds from one scrape to the next.
        count: how many.
        uptime: seconds that had been counted before, at the rates of the first tick.
    """

    begin: datetime
    tick: float
    step: float
    count: int
    uptime: float

    @classmethod
    def over(cls, begin: datetime, tick: float, step: float, ticks: int, uptime: float = 0.0) -> Scrapes:
        """The scrapes of so many ticks.

        Raises:
            UsageError: `step` is no whole number of ticks.
        """
        if step < tick or abs(step / tick - round(step / tick)) > 1e-9:
            raise UsageError(f"metrics cannot be read every {step:g} s in ticks of {tick:g} s", hint="Take a multiple.")
        return cls(begin, tick, step, int(ticks * tick / step + 1e-9) + 1, uptime)

    @property
    def seconds(self) -> Array:
        """(n) when, in seconds from the beginning."""
        return np.arange(self.count, dtype=np.float64) * self.step

    @property
    def ticks(self) -> Indices:
        """(n) how many ticks are over by then."""
        return np.arange(self.count) * round(self.step / self.tick)

    @property
    def last_ticks(self) -> Indices:
        """(n) the tick that has just ended; at the very beginning the first."""
        return np.maximum(self.ticks - 1, 0)

    @property
    def times(self) -> tuple[datetime, ...]:
        """(n) when."""
        return tuple(self.begin + timedelta(seconds=second) for second in self.seconds.tolist())

    def sampled(self, values: Array) -> Array:
        """A gauge's values (n) at the scrapes, from those at the end of each tick (t)."""
        return np.asarray(values[self.last_ticks], dtype=np.float64)

    def accumulated(self, increments: Array, start: Array | float = 0.0) -> Array:
        """A counter's values (n, …) at the scrapes, from its growth in each tick (t, …)."""
        total = np.concatenate((np.zeros((1, *increments.shape[1:])), np.cumsum(increments, axis=0)))
        return np.asarray(total[self.ticks] + start, dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """One series: the values (n) at all scrapes, nan where it is not there."""

    metric: str
    object_kind: ObjectKind
    object_name: str
    labels: Mapping[str, str]
    values: Array
    purpose: str = ""

    def record(self, times: Sequence[datetime]) -> Series:
        """The series as it is written; `times` are those of the scrapes."""
        there = np.flatnonzero(~np.isnan(self.values)).tolist()
        values = self.values.tolist()
        points = tuple((times[index], values[index]) for index in there)
        return Series(self.metric, self.object_kind, self.object_name, self.labels, points, self.purpose)


def labelled(metric: str, namespace: str, labels: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The label set of a series: its own labels, where it comes from and who scraped it."""
    return {"job": _job(metric), "namespace": namespace, **dict(labels)}


@cache
def _job(metric: str) -> str:
    return next(job for prefix, job in _JOBS.items() if metric.startswith(prefix))


def records(samples: Iterable[Samples], scrapes: Scrapes) -> Iterator[Series]:
    """Series that have at least one value, as they are written."""
    times = scrapes.times
    for one in samples:
        if not np.isnan(one.values).all():
            yield one.record(times)
