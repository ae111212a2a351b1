"""Arithmetic on samples: rates of counters, quantiles from buckets, what is unusual. Pure functions over arrays.

Times are seconds in ascending order, values floats of the same length; NaN values are left out by `clean`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_COUNTERS = ("_total", "_count", "_sum", "_bucket")


def is_counter(metric: str) -> bool:
    """By Prometheus' naming: what ends in _total, _count, _sum or _bucket only grows, or starts again."""
    return metric.endswith(_COUNTERS)


def clean(times: Array, values: Array) -> tuple[Array, Array]:
    """Without NaN, and with the last of several samples of one time."""
    keep = ~np.isnan(values)
    times, values = times[keep], values[keep]
    if times.size > 1:
        last = np.append(times[1:] != times[:-1], True)
        times, values = times[last], values[last]
    return times, values


def increases(values: Array) -> Array:
    """What a counter gained between consecutive samples; after a reset it started from zero. One shorter than `values`."""
    return np.where(values[1:] >= values[:-1], values[1:] - values[:-1], values[1:])


def rates(times: Array, values: Array) -> tuple[Array, Array]:
    """Gain per second between consecutive samples, at the time of the later one."""
    return times[1:], increases(values) / np.diff(times)


def in_steps(times: Array, values: Array, edges: Array) -> Array:
    """The mean of a gauge's samples in each [edge, next edge); NaN where there are none."""
    place = np.searchsorted(edges, times, side="right") - 1
    inside = (place >= 0) & (place < edges.size - 1)
    count = np.bincount(place[inside], minlength=edges.size - 1)
    total = np.bincount(place[inside], weights=values[inside], minlength=edges.size - 1)
    result = np.full(edges.size - 1, np.nan)
    np.divide(total, count, out=result, where=count > 0)
    return result


def rate_in_steps(times: Array, values: Array, edges: Array) -> Array:
    """A counter's gain per second in each step: each gain counts where the later of its two samples lies."""
    result = np.full(edges.size - 1, np.nan)
    if times.size < 2:
        return result
    place = np.searchsorted(edges, times[1:], side="right") - 1
    inside = (place >= 0) & (place < edges.size - 1)
    gained = np.bincount(place[inside], weights=increases(values)[inside], minlength=edges.size - 1)
    passed = np.bincount(place[inside], weights=np.diff(times)[inside], minlength=edges.size - 1)
    np.divide(gained, passed, out=result, where=passed > 0)
    return result


def bucket_quantile(q: float, buckets: Mapping[float, float]) -> float:
    """The quantile of a histogram as Prometheus has it: linear inside a bucket, from zero in the first one.

    Args:
        q: 0 to 1.
        buckets: upper bound (infinity for the last) to the number of observations up to it.

    Returns:
        NaN without observations or without the last bucket; the highest finite bound where the quantile lies above it.
    """
    bounds = sorted(buckets)
    if len(bounds) < 2 or bounds[-1] != np.inf:
        return float("nan")
    # Buckets are scraped one after the other: what a lower one counted, a higher one counts too.
    counts = np.maximum.accumulate([buckets[bound] for bound in bounds])
    if not counts[-1] > 0:
        return float("nan")
    rank = q * counts[-1]
    at = int(np.searchsorted(counts, rank, side="left"))
    if at >= len(bounds) - 1:
        return float(bounds[-2])
    if at == 0 and bounds[0] <= 0:
        return float(bounds[0])
    lower, below = (bounds[at - 1], counts[at - 1]) if at else (0.0, 0.0)
    inside = counts[at] - below
    return float(lower + (bounds[at] - lower) * (rank - below) / inside) if inside > 0 else float(bounds[at])


@dataclass(frozen=True, slots=True)
class Anomaly:
    """How far a series went from its baseline.

    Attributes:
        before: median of the baseline.
        after: median of the incident window.
        peak: the value of the incident window that is farthest from `before`.
        score: (after - before) in robust standard deviations of the baseline.
        peak_score: the same of the peak.
    """

    before: float
    after: float
    peak: float
    score: float
    peak_score: float


def anomaly(baseline: Array, incident: Array) -> Anomaly | None:
    """None where there are fewer than three values on either side.

    The deviation is 1.4826 · MAD of the baseline, but at least 2 % of its median and 1 % of the largest value, so
    that a series that never moved is not infinitely surprising when it does.
    """
    if baseline.size < 3 or incident.size < 3:
        return None
    before, after = float(np.median(baseline)), float(np.median(incident))
    spread = 1.4826 * float(np.median(np.abs(baseline - before)))
    largest = float(max(np.max(np.abs(baseline)), np.max(np.abs(incident))))
    floor = max(0.02 * abs(before), 0.01 * largest, 1e-12)
    deviation = max(spread, floor)
    peak = float(incident[int(np.argmax(np.abs(incident - before)))])
    return Anomaly(before, after, peak, (after - before) / deviation, (peak - before) / deviation)
