"""Days that stand out of a series: the generalised ESD test on what weekday, trend and month leave, or on an STL.

ESD: Rosner 1983, with median and MAD in place of mean and deviation, so that anomalies do not hide each other. STL:
Cleveland 1990, robust, by statsmodels, an optional extra (`pip install 'itbench[finops]'`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np

from itbench.model.errors import MissingExtraError
from itbench.tools.bills.panel import Array
from itbench.tools.bills.usual import fit

Method = Literal["esd", "stl"]
_MAD = 1.4826
_WEEK = 7
_LEAST_DAYS = 21
_MOST_SHARE = 0.2  # of the days may be anomalous


@dataclass(frozen=True, slots=True)
class Outlier:
    """A day that stands out: `deviation` is in robust standard deviations of what usually remains."""

    place: int
    actual: float
    expected: float
    deviation: float


def outliers(values: Array, first: date, method: Method = "esd", alpha: float = 0.01) -> list[Outlier]:
    """The days that stand out, in order; none where there are less than three weeks.

    Args:
        values: (d) daily cost; NaN for days without data.
        first: day of the first value.
        method: how the usual course is found.
        alpha: chance of a false alarm in a series without any.

    Raises:
        MissingExtraError: `stl` was asked for, and statsmodels is not installed.
    """
    known = np.isfinite(values)
    if known.sum() < _LEAST_DAYS:
        return []
    expected = _stl(values) if method == "stl" else fit(values, first).expected(first, len(values))
    # Days that cost twice as much vary twice as much.
    mean = max(float(np.mean(np.abs(expected))), 1e-9)
    residual = (values - expected) * mean / np.maximum(np.abs(expected), 0.1 * mean)
    places = np.flatnonzero(known)
    found = esd(residual[places], alpha, max(int(_MOST_SHARE * len(places)), 1))
    centre, scale = _robust(residual[places], float(np.nanmean(np.abs(values))))
    return [
        Outlier(int(place), float(values[place]), float(expected[place]), float((residual[place] - centre) / scale))
        for place in sorted(places[found])
    ]


def esd(values: Array, alpha: float, most: int) -> list[int]:
    """Places of at most `most` outliers, by the generalised ESD test with robust location and scale.

    Args:
        values: (n) without NaN.
        alpha: level of the test.
        most: outliers that are looked for.
    """
    from scipy.stats import t

    left = list(range(len(values)))
    removed: list[int] = []
    found = 0
    size = len(values)
    for number in range(1, min(most, size - 3) + 1):
        own = values[left]
        centre, scale = _robust(own, float(np.mean(np.abs(values))) or 1.0)
        distances = np.abs(own - centre) / scale
        at = int(np.argmax(distances))
        degrees = size - number - 1
        critical = float(t.ppf(1 - alpha / (2 * (size - number + 1)), degrees))
        bound = (size - number) * critical / np.sqrt((degrees + critical**2) * (size - number + 1))
        removed.append(left.pop(at))
        if distances[at] > bound:
            found = number
    return removed[:found]


def _robust(values: Array, size: float) -> tuple[float, float]:
    """Median and scale; a series without any noise still has a scale, a thousandth of its size."""
    centre = float(np.median(values))
    return centre, max(_MAD * float(np.median(np.abs(values - centre))), 1e-3 * size, 1e-9)


def _stl(values: Array) -> Array:
    """Trend and season of a robust STL with a period of a week."""
    try:
        from statsmodels.tsa.seasonal import STL
    except ImportError as error:
        raise MissingExtraError("statsmodels", "finops", "method=stl (method=esd needs nothing)") from error
    places = np.arange(len(values))
    known = np.isfinite(values)
    whole = np.interp(places, places[known], values[known])
    # A stiff trend and season: what lasts some weeks is what is looked for, not what is usual.
    stiff = max(2 * (len(whole) // 3) + 1, 2 * _WEEK + 1)
    fitted = STL(whole, period=_WEEK, seasonal=5 * _WEEK, trend=stiff, robust=True).fit()
    return np.asarray(fitted.trend + fitted.seasonal, dtype=np.float64)
