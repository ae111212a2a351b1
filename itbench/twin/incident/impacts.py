"""What a fault did to each service: levels that leave the band of the same world without the fault, and stay away."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from itbench.twin.flow.moments import Array
from itbench.twin.incident.levels import Levels

Aspect = Literal[
    "errors",
    "calls",
    "latency",
    "starved",
    "surge",
    "missing",
    "surplus",
    "unready",
    "restarts",
    "cpu",
    "memory",
    "throttled",
]
TRAFFIC: tuple[Aspect, ...] = ("errors", "calls", "latency", "starved", "surge")
"""What the users of a service, or those it uses, notice; the rest concerns its pods."""

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From when on a difference between the worlds counts; docs/ground-truth.md gives the reasons.

    Attributes:
        errors: more failing requests, or calls, as a share of all.
        latency_factor, latency_seconds: both must be exceeded.
        starved, surge: of the other world's rate of requests; `least_rate` is needed to say so (a second).
        cores_factor, cores, memory_factor, memory: both of each must be exceeded (cores, bytes).
        throttled: more of the time.
        lasting, within: a difference counts if it holds in so many seconds of so many in a row.
    """

    errors: float = 0.02
    latency_factor: float = 1.5
    latency_seconds: float = 0.02
    starved: float = 0.7
    surge: float = 1.5
    least_rate: float = 0.02
    cores_factor: float = 1.5
    cores: float = 0.05
    memory_factor: float = 1.3
    memory: float = 20e6
    throttled: float = 0.1
    lasting: float = 30.0
    within: float = 60.0


@dataclass(frozen=True, slots=True)
class Impact:
    """One way in which a service suffers.

    Attributes:
        onset: seconds from the beginning of the recording.
        seconds: how long in all.
        healthy, peak: the level without the fault at the moment of the largest difference, and with it; in the unit of
            the aspect (share, seconds, requests a second, pods, runs, cores, bytes).
    """

    service: str
    aspect: Aspect
    onset: float
    seconds: float
    healthy: float
    peak: float


def impacts(healthy: Levels, faulted: Levels, limits: Thresholds | None = None) -> tuple[Impact, ...]:
    """The impacts, sorted by onset, service and aspect.

    Args:
        healthy: the world without the fault.
        faulted: the world with it; as many ticks and the same services.
        limits: what counts.
    """
    found = []
    for aspect, (flags, one, two) in differing(healthy, faulted, limits).items():
        for index in np.flatnonzero(flags.any(0)).tolist():
            column = flags[:, index]
            difference = np.where(column, np.abs(two[:, index] - one[:, index]), -1.0)
            worst = int(difference.argmax())
            found.append(
                Impact(
                    service=faulted.services[index],
                    aspect=aspect,
                    onset=float(column.argmax()) * faulted.seconds,
                    seconds=float(column.sum()) * faulted.seconds,
                    healthy=float(one[worst, index]),
                    peak=float(two[worst, index]),
                )
            )
    return tuple(sorted(found, key=lambda impact: (impact.onset, impact.service, impact.aspect)))


def differing(
    healthy: Levels, faulted: Levels, limits: Thresholds | None = None
) -> dict[Aspect, tuple[Flags, Array, Array]]:
    """By aspect, where (t, s) a level has left the band of the healthy world for long enough, and the two levels.

    Where one world went on for longer, t ends with the other.
    """
    limits, ticks = limits or Thresholds(), min(len(healthy), len(faulted))
    found: dict[Aspect, tuple[Flags, Array, Array]] = {}
    for aspect, (rule, *levels) in _rules(healthy, faulted, limits).items():
        one, two = (level[:ticks] for level in levels)
        found[aspect] = lasting(rule(one, two), faulted.seconds, limits), one, two
    return found


def lasting(flags: Flags, seconds: float, limits: Thresholds) -> Flags:
    """The ticks (t, …) that belong to a window in which a difference holds long enough."""
    window, needed = (max(round(length / seconds), 1) for length in (limits.within, limits.lasting))
    window = min(window, len(flags))
    sums = np.cumsum(np.concatenate((np.zeros((1, *flags.shape[1:]), dtype=int), flags)), axis=0)
    enough = sums[window:] - sums[:-window] >= min(needed, window)  # by the first tick of each window
    covered = np.zeros_like(flags)
    for offset in range(window):
        covered[offset : offset + len(enough)] |= enough
    return covered & flags


_Rule = Callable[[Array, Array], Flags]


def _rules(healthy: Levels, faulted: Levels, limits: Thresholds) -> dict[Aspect, tuple[_Rule, Array, Array]]:
    """For each aspect what to compare, and how."""

    def slower(one: Array, two: Array) -> Flags:
        return slow(one, two, limits)

    return {
        "errors": (lambda one, two: two - one >= limits.errors, healthy.failures, faulted.failures),
        "calls": (lambda one, two: two - one >= limits.errors, healthy.failing_calls, faulted.failing_calls),
        "latency": (slower, healthy.latency, faulted.latency),
        "starved": (lambda one, two: fewer(one, two, limits), healthy.requests, faulted.requests),
        "surge": (lambda one, two: more(one, two, limits), healthy.requests, faulted.requests),
        "missing": (lambda one, two: one - two >= 1, healthy.ready, faulted.ready),
        "surplus": (lambda one, two: two - one >= 1, healthy.ready, faulted.ready),
        "unready": (lambda one, two: two - one >= 1, healthy.unready, faulted.unready),
        "restarts": (lambda one, two: two - one >= 1, healthy.restarts, faulted.restarts),
        "cpu": (
            lambda one, two: (two >= one * limits.cores_factor) & (two - one >= limits.cores),
            healthy.cores,
            faulted.cores,
        ),
        "memory": (
            lambda one, two: (two >= one * limits.memory_factor) & (two - one >= limits.memory),
            healthy.memory,
            faulted.memory,
        ),
        "throttled": (lambda one, two: two - one >= limits.throttled, healthy.throttled, faulted.throttled),
    }


def slow(one: Array, two: Array, limits: Thresholds) -> Flags:
    """Where times in the second array are materially longer than in the first."""
    longer = (two >= one * limits.latency_factor) & (two - one >= limits.latency_seconds)
    return longer & (one > 0)


def fewer(one: Array, two: Array, limits: Thresholds) -> Flags:
    """Where a rate is materially lower."""
    return (one >= limits.least_rate) & (two <= one * limits.starved)


def more(one: Array, two: Array, limits: Thresholds) -> Flags:
    """Where a rate is materially higher."""
    return (two >= limits.least_rate) & (two >= one * limits.surge)
