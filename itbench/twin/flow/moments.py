"""Times as measures: a share of requests together with the first two moments of how long they take.

A measure is an array whose first axis has three entries: the share w, w·E[t] and w·E[t²] (seconds, seconds²). Measures
of exclusive outcomes add up; a time that comes on top multiplies. Where a distribution is needed (a time-out, a
quantile, a histogram) it is the lognormal of these moments.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

Array: TypeAlias = NDArray[np.float64]

# No process is less spread than this (standard deviation of the logarithm): it keeps steps numerically tame.
_LEAST_SIGMA = 0.01
# A share of requests below which their times do not matter, and rounding would spoil them.
_NOBODY = 1e-12


def measure(share: Array, mean: Array, square: Array) -> Array:
    """The measure of a share of requests with these moments of time."""
    return _measures(share, share * mean, share * square)


def later(times: Array, mean: Array, square: Array) -> Array:
    """The measure after an independent time that all requests spend as well."""
    share, first, second = times
    return _measures(share, first + share * mean, second + 2 * first * mean + share * square)


def then(times: Array, next_times: Array) -> Array:
    """The measure of one thing followed by an independent other; the shares multiply."""
    share, first, second = times
    return _measures(
        share * next_times[0],
        first * next_times[0] + share * next_times[1],
        second * next_times[0] + 2 * first * next_times[1] + share * next_times[2],
    )


def _measures(share: Array, first: Array, second: Array) -> Array:
    """Three arrays in one. np.stack does the same, but takes longer than all the arithmetic."""
    result = np.empty((3, *second.shape))
    result[0], result[1], result[2] = share, first, second
    return result


def mean_and_square(times: Array) -> tuple[Array, Array]:
    """E[t] and E[t²] of the requests of a measure; zero where there are next to none."""
    some = times[0] > _NOBODY
    share = np.where(some, times[0], 1.0)
    return np.where(some, times[1] / share, 0.0), np.where(some, times[2] / share, 0.0)


def lognormal(times: Array) -> tuple[Array, Array]:
    """Mean and standard deviation of the logarithm of time."""
    mean, square = mean_and_square(times)
    mean = np.maximum(mean, 1e-9)
    sigma = np.sqrt(np.maximum(np.log(np.maximum(square / mean**2, 1.0)), _LEAST_SIGMA**2))
    return np.log(mean) - sigma**2 / 2, sigma


def cut(times: Array, limit: Array) -> tuple[Array, Array]:
    """Split at a time-out of `limit` seconds: the measure of what is in time, and the share of what is late."""
    mu, sigma = lognormal(times)
    z = (np.log(limit) - mu) / sigma
    kept = times * np.stack((ndtr(z), ndtr(z - sigma), ndtr(z - 2 * sigma)))
    return kept, times[0] - kept[0]


def below(times: Array, limits: Array) -> Array:
    """The share that takes at most each of `limits` (seconds, any shape); its axes come last."""
    mu, sigma = lognormal(times)
    shape = (...,) + (None,) * limits.ndim
    return np.asarray(times[0][shape] * ndtr((np.log(limits) - mu[shape]) / sigma[shape]), dtype=np.float64)


def quantiles(times: Array, late: Array, limit: Array, levels: Array) -> Array:
    """Quantiles of a mixture.

    Args:
        times: measures, shape (3, n, outcomes): how long each outcome takes.
        late: shares (n, outcomes) of what was given up after `limit` seconds.
        limit: shape (n,).
        levels: such as 0.5 and 0.95.

    Returns:
        Seconds, shape (n, levels); nan where there are no requests.
    """
    grid = np.geomspace(1e-5, 1e3, 321)
    total = times[0].sum(-1) + late.sum(-1)
    mass = below(times, grid).sum(-2) + np.where(grid >= limit[:, None], late.sum(-1)[:, None], 0.0)
    result = np.full((len(total), len(levels)), np.nan)
    for index, (row, whole) in enumerate(zip(mass, total, strict=True)):
        if whole > 0:
            result[index] = np.interp(levels * whole, row, grid)
    return result


def draws(times: Array, uniforms: Array) -> Array:
    """Times drawn from measures: one for each uniform number, both of one shape after the first axis."""
    mu, sigma = lognormal(times)
    return np.asarray(np.exp(mu + sigma * ndtri(np.clip(uniforms, 1e-12, 1 - 1e-12))), dtype=np.float64)
