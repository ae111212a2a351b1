"""When the cost of a series left its usual course for good, and what that came to.

The course is learnt from the days before, so it is looked for twice: a first guess of the day from a course that leaves
out the last weeks, then the amounts from a course that ends on the eve of that day. A shift is a step (a new level) or a
ramp (more each day).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from itbench.tools.bills.panel import Array
from itbench.tools.bills.usual import Usual, fit

LOOK_BACK = 45
"""Days before the end in which a shift is looked for."""
_LEAST_HISTORY = 28
_LEAST_AFTER = 1


@dataclass(frozen=True, slots=True, eq=False)
class Shift:
    """A series that left its course.

    Attributes:
        place: column of the first day that is out of course.
        amount: what that day and all later ones cost more (or less, if negative) than usual.
        daily: the mean of that.
        strength: the mean excess in standard deviations of a mean of so many usual days.
        ramp: whether it grows day by day.
        expected: (d) the usual course, from the beginning to the end.
        residual: (d) the rest.
    """

    place: int
    amount: float
    daily: float
    strength: float
    ramp: bool
    expected: Array
    residual: Array


def find_shift(values: Array, first: date, *, look_back: int = LOOK_BACK, onset: int | None = None) -> Shift | None:
    """The likeliest shift of a series in its last days; None where there is too little history.

    Args:
        values: (d) daily cost; NaN for days without data.
        first: day of the first value.
        look_back: days before the end in which it may begin.
        onset: its column, where that is known.
    """
    days = len(values)
    begin = max(days - look_back, min(_LEAST_HISTORY, days - 1))
    if days < 8 or begin >= days:
        return None
    ramp = False
    if onset is None:
        course = fit(values[:begin], first)
        residual = values - course.expected(first, days)
        onset, ramp = _best_split(np.nan_to_num(residual[begin:]), _scale(course, values))
        onset += begin
    onset = min(max(onset, 1), days - 1)
    course = fit(values[:onset], first)
    expected = course.expected(first, days)
    residual = values - expected
    after = residual[onset:]
    known = after[np.isfinite(after)]
    if not known.size:
        return None
    scale = _scale(course, values[:onset])
    daily = float(known.mean())
    return Shift(
        place=onset,
        amount=float(known.sum()),
        daily=daily,
        strength=daily / (scale / np.sqrt(known.size)),
        ramp=ramp,
        expected=expected,
        residual=residual,
    )


def day_of_column(first: date, place: int) -> date:
    """The day of a column."""
    return first + timedelta(days=place)


def _scale(course: Usual, values: Array) -> float:
    """What a usual day deviates by: at least half a percent of the level, for series that never change."""
    level = float(np.nanmean(np.abs(values))) if np.isfinite(values).any() else 0.0
    return max(course.noise, 0.005 * level, 1e-6)


def _best_split(residual: Array, scale: float) -> tuple[int, bool]:
    """The day from which on a step or a ramp explains the residuals best, and which of them."""
    count = len(residual)
    bounded = residual / scale
    squares = np.concatenate(([0.0], np.cumsum(bounded**2)))
    best, place, is_ramp = np.inf, count - 1, False
    for at in range(count - _LEAST_AFTER + 1):
        after = bounded[at:]
        if not after.size:
            break
        usual = squares[at]
        step = float(((after - after.mean()) ** 2).sum())
        slope_of = np.arange(1, len(after) + 1, dtype=np.float64)
        slope = float((slope_of * after).sum() / (slope_of**2).sum())
        ramp = float(((after - slope * slope_of) ** 2).sum()) if len(after) > 3 else np.inf
        error = usual + min(step, ramp)
        if error < best - 1e-9:
            best, place, is_ramp = error, at, ramp < step
    return place, is_ramp
