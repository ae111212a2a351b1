"""The curves of a picture: requests, failures and latency of the services that an incident reached, in both worlds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from itbench.twin.flow.moments import Array
from itbench.twin.incident.levels import Levels
from itbench.twin.incident.measure import Measured

Metric = Literal["requests", "failures", "latency"]
METRICS: tuple[Metric, ...] = ("requests", "failures", "latency")

_BINS = 120
_IDLE = 1e-6
"""Requests a second below which a service has none, so that nothing of it can fail or be late."""


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """One figure over time, with and without the faults; NaN where there was no request to say it of.

    Attributes:
        healthy, faulted: (b) mean of each bin; requests a second, a share, or seconds.
    """

    healthy: Array
    faulted: Array


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """The curves of one service.

    Attributes:
        users: whether it is the load generator, which sees what users see.
    """

    service: str
    users: bool
    curves: dict[Metric, Curve]


@dataclass(frozen=True, slots=True, eq=False)
class Curves:
    """The rows of a picture, the nearest to the root first and the users last.

    Attributes:
        times: (b) the middle of each bin, seconds from the beginning of the recording.
        omitted: services that suffer too and are not shown.
    """

    times: Array
    rows: tuple[Row, ...]
    omitted: tuple[str, ...]


def curves_of(measured: Measured, window: tuple[float, float], most: int = 6) -> Curves:
    """The curves around the onset.

    Args:
        measured: the incident.
        window: begin and end, seconds from the beginning of the recording.
        most: services, besides the users.
    """
    faulted, healthy = measured.levels
    load = measured.worlds.plan.application.load.service
    shown, omitted = choose(measured, most)
    edges = bins(window, faulted.seconds, len(faulted))
    rows = [_row(name, faulted, healthy, edges, users=name == load) for name in (*shown, load)]
    return Curves((edges[:-1] + edges[1:]) / 2 * faulted.seconds, tuple(rows), omitted)


def choose(measured: Measured, most: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The services worth a row, nearest to the roots first, and those of the chain that are not.

    Where they are too many, those where the roots act stay, then those that fail, slow down or get too much, before
    those that merely get less to do; among equals the ones where most changes.
    """
    faulted, healthy = measured.levels
    load = measured.worlds.plan.application.load.service
    known = dict.fromkeys((*measured.chain.services, *(impact.service for impact in measured.impacts)))
    names = [name for name in known if name != load]
    first = {name for group in measured.chain.first.values() for name in group}
    telling = {impact.service for impact in measured.impacts if impact.aspect in ("errors", "latency", "surge")}

    def order(name: str) -> tuple[bool, bool, float, int]:
        return name not in first, name not in telling, -noticed(faulted, healthy, name), names.index(name)

    ranked = sorted(names, key=order)
    kept = set(ranked[:most])
    return tuple(name for name in names if name in kept), tuple(name for name in names if name not in kept)


def noticed(faulted: Levels, healthy: Levels, service: str) -> float:
    """How much of an incident shows at a service, 0 for nothing: the largest of what its failures, its rate of requests
    and its latency change by, each between 0 and 1 (at ten times the latency).
    """
    index = faulted.services.index(service)
    failures = faulted.failures[:, index] - healthy.failures[:, index]
    before, after = healthy.requests[:, index].mean(), faulted.requests[:, index]
    fewer = 1 - after.min() / before if before > _IDLE else 0.0
    both = (healthy.latency[:, index] > 0) & (faulted.latency[:, index] > 0)
    slower = np.log10(faulted.latency[both, index] / healthy.latency[both, index]).max(initial=0.0)
    return float(max(failures.max(), fewer, min(slower, 1.0), 0.0))


def bins(window: tuple[float, float], seconds: float, ticks: int, most: int = _BINS) -> Array:
    """The edges (b+1) of bins over a window, in ticks: whole ones, all alike but the last."""
    first, last = max(int(window[0] / seconds), 0), min(round(window[1] / seconds), ticks)
    width = max(-(-(last - first) // most), 1)
    return np.append(np.arange(first, last, width), last).astype(float)


def _row(service: str, faulted: Levels, healthy: Levels, edges: Array, *, users: bool) -> Row:
    one, two = _figures(healthy, service, edges), _figures(faulted, service, edges)
    return Row(service, users, {metric: Curve(a, b) for metric, a, b in zip(METRICS, one, two, strict=True)})


def _figures(levels: Levels, service: str, edges: Array) -> tuple[Array, Array, Array]:
    """Means over bins, those of failures and latency over the requests of a bin."""
    index = levels.services.index(service)
    requests = levels.requests[:, index]
    total = _sums(requests, edges)
    some = total > _IDLE * np.diff(edges)
    weighted = (_sums(requests * series[:, index], edges) for series in (levels.failures, levels.latency))
    failures, latency = (np.divide(sums, total, out=np.full_like(total, np.nan), where=some) for sums in weighted)
    return total / np.diff(edges), failures, latency


def _sums(series: Array, edges: Sequence[float] | Array) -> Array:
    starts = np.asarray(edges, dtype=int)
    return np.add.reduceat(series[: starts[-1]], starts[:-1])
