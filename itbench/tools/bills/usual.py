"""What a series of daily cost usually is: level, trend, weekday and day of the month, by medians, which anomalies do not move.

`Usual.fit` learns from a stretch of days that is taken for normal; `expected` carries it on to any other day.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from itbench.tools.bills.panel import Array

_WEEK = 7
_MAD = 1.4826  # of a normal distribution: deviation by median absolute deviation
_LEAST_WEEKS = 3
_LEAST_MONTHS = 2
_SURE = 3.0  # standard deviations of Mann and Kendall's statistic


@dataclass(frozen=True, slots=True, eq=False)
class Usual:
    """A model of a series.

    Attributes:
        origin: the day that `level` is of.
        level: of a mean weekday, at the origin.
        slope: of the level, a day.
        weekdays: (7) factors, Monday first; their mean is 1.
        month_days: (32) factors by day of the month; 1 where nothing is known.
        noise: robust standard deviation of what remains.
    """

    origin: date
    level: float
    slope: float
    weekdays: Array
    month_days: Array
    noise: float

    def expected(self, first: date, days: int) -> Array:
        """(days) What the series should be, from `first` on; never negative."""
        return np.maximum(self._trend(first, days) * self._factors(first, days), 0.0)

    def _trend(self, first: date, days: int) -> Array:
        return self.level + self.slope * ((first - self.origin).days + np.arange(days, dtype=np.float64))

    def _factors(self, first: date, days: int) -> Array:
        calendar = [first + timedelta(days=number) for number in range(days)]
        weekdays = self.weekdays[[day.weekday() for day in calendar]]
        return np.asarray(weekdays * self.month_days[[day.day for day in calendar]])


def fit(values: Array, first: date) -> Usual:
    """Learn what is usual.

    Args:
        values: (d) daily cost of normal days; NaN for days without data.
        first: the day of the first value.
    """
    known = np.isfinite(values)
    last = first + timedelta(days=len(values) - 1)
    flat = Usual(last, 0.0, 0.0, np.ones(_WEEK), np.ones(32), 0.0)
    if not known.any():
        return flat
    weekday = np.array([(first.weekday() + number) % _WEEK for number in range(len(values))])
    smooth = _week_median(values)
    ratio = np.divide(values, smooth, out=np.full_like(values, np.nan), where=np.isfinite(smooth) & (smooth > 0))
    weekdays = np.ones(_WEEK)
    if known.sum() >= _LEAST_WEEKS * _WEEK:
        for day in range(_WEEK):
            own = ratio[(weekday == day) & np.isfinite(ratio)]
            weekdays[day] = np.median(own) if own.size else 1.0
        weekdays /= weekdays.mean() if weekdays.mean() > 0 else 1.0
    usable = np.where(weekdays[weekday] > 1e-6, weekdays[weekday], np.nan)
    level = values / usable
    slope, at_end = _line(level)
    trend = at_end + slope * (np.arange(len(values)) - (len(values) - 1))
    month_days = _month_days(level, np.asarray(trend, dtype=np.float64), first)
    calendar = np.array([(first + timedelta(days=number)).day for number in range(len(values))])
    remains = values - trend * weekdays[weekday] * month_days[calendar]
    remains = remains[np.isfinite(remains)]
    noise = _MAD * float(np.median(np.abs(remains - np.median(remains)))) if remains.size else 0.0
    return Usual(last, at_end, slope, weekdays, month_days, noise)


def _week_median(values: Array) -> Array:
    """(d) The median of the seven days around each day."""
    padded = np.concatenate((np.full(3, np.nan), values, np.full(3, np.nan)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, _WEEK)
    found = np.full(len(values), np.nan)
    any_known = np.isfinite(windows).any(axis=1)
    found[any_known] = np.nanmedian(windows[any_known], axis=1)
    return found


def _line(values: Array) -> tuple[float, float]:
    """Slope a day and value at the last day of a robust line (Theil and Sen) through the weeks of the last three months.

    A slope that may be chance (Mann and Kendall's test) is taken for none: it would be carried on.
    """
    weeks = [values[max(end - _WEEK, 0) : end] for end in range(len(values), max(len(values) - 13 * _WEEK, 0), -_WEEK)]
    known = [(place, float(np.nanmedian(week))) for place, week in enumerate(weeks) if np.isfinite(week).sum() > _WEEK // 2]
    recent = values[-4 * _WEEK :]
    at_end = float(np.nanmedian(recent)) if np.isfinite(recent).any() else 0.0
    if len(known) < 5:
        return 0.0, at_end if known else float(np.nanmedian(values))
    place, level = np.array(known).T
    ahead, behind = np.triu_indices(len(known), 1)
    slopes = (level[behind] - level[ahead]) / (place[behind] - place[ahead])
    spread = np.sqrt(len(known) * (len(known) - 1) * (2 * len(known) + 5) / 18)
    if abs(float(np.sign(slopes).sum())) < _SURE * spread:
        return 0.0, at_end
    slope = -float(np.median(slopes)) / _WEEK
    middle = np.arange(len(values) - len(recent), len(values)) - (len(values) - 1)
    return slope, float(np.nanmedian(recent - slope * middle))


def _month_days(level: Array, trend: Array, first: date) -> Array:
    """(32) Factors of days that stand out month after month, such as the last one's jobs or the first one's fees."""
    factors = np.ones(32)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.where(trend > 0, level / trend, np.nan)
    finite = ratio[np.isfinite(ratio)]
    if not finite.size:
        return factors
    spread = _MAD * float(np.median(np.abs(finite - 1.0))) + 1e-9
    by_day: dict[int, list[float]] = {}
    for number, value in enumerate(ratio):
        if np.isfinite(value):
            by_day.setdefault((first + timedelta(days=number)).day, []).append(float(value))
    for day, own in by_day.items():
        if len(own) >= _LEAST_MONTHS and min(abs(value - 1.0) for value in own) > max(4 * spread, 0.08):
            same_side = all(value > 1 for value in own) or all(value < 1 for value in own)
            factors[day] = float(np.median(own)) if same_side else 1.0
    return factors
