"""What a series of daily cost usually is: level, trend, weekday and day of the month, by medians that anomalies do not move.

`fit` learns from a stretch of days that is taken for normal; `Usual.expected` carries it on to any other day. A series that
is mostly nothing (a job at the end of each month) is learnt by its place in the month instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from itbench.tools.bills.panel import Array

_WEEK = 7
_MAD = 1.4826  # of a normal distribution: deviation by median absolute deviation
_LEAST_WEEKS = 3
_LEAST_MONTHS = 2
_SURE = 3.0  # standard deviations of Mann and Kendall's statistic
_LAST_DAYS = 6  # of a month, which are counted from its end
_PLACES = 40

Whole = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Calendar:
    """Days as arrays.

    Attributes:
        weekday: (d) 0 is Monday.
        month_day: (d) 1 to 31.
        place: (d) in the month: the day, or 39, 38, … for its last days, the last one first.
    """

    weekday: Whole
    month_day: Whole
    place: Whole


def calendar(first: date, days: int) -> Calendar:
    """The calendar of so many days from `first` on."""
    every = np.datetime64(first, "D") + np.arange(days)
    months = every.astype("datetime64[M]")
    month_day = (every - months.astype("datetime64[D]")).astype(np.int64) + 1
    left = ((months + 1).astype("datetime64[D]") - every).astype(np.int64) - 1
    weekday = (every.astype(np.int64) + 3) % _WEEK  # 1970 began on a Thursday
    return Calendar(weekday, month_day, np.where(left < _LAST_DAYS, _PLACES - 1 - left, month_day))


@dataclass(frozen=True, slots=True, eq=False)
class Usual:
    """A model of a series.

    Attributes:
        origin: the day that `level` is of.
        level: of a mean weekday, at the origin.
        slope: of the level, a day.
        weekdays: (7) factors, Monday first; their mean is 1.
        month_days: (32) factors by day of the month; 1 where nothing is known.
        places: (40) the cost by place in the month, of a series that is mostly nothing; None for any other.
        noise: robust standard deviation of what remains.
    """

    origin: date
    level: float
    slope: float
    weekdays: Array
    month_days: Array
    places: Array | None
    noise: float

    def expected(self, first: date, days: int) -> Array:
        """(days) What the series should be, from `first` on; never negative."""
        when = calendar(first, days)
        if self.places is not None:
            return self.places[when.place]
        trend = self.level + self.slope * ((first - self.origin).days + np.arange(days, dtype=np.float64))
        return np.maximum(trend * self.weekdays[when.weekday] * self.month_days[when.month_day], 0.0)


def fit(values: Array, first: date) -> Usual:
    """Learn what is usual.

    Args:
        values: (d) daily cost of normal days; NaN for days without data.
        first: the day of the first value.
    """
    days = len(values)
    last = first + timedelta(days=days - 1)
    known = np.isfinite(values)
    if not known.any():
        return Usual(last, 0.0, 0.0, np.ones(_WEEK), np.ones(32), None, 0.0)
    when = calendar(first, days)
    weekdays = _weekdays(values, when)
    factor = weekdays[when.weekday]
    level = np.divide(values, factor, out=np.full(days, np.nan), where=factor > 1e-6)
    slope, at_end = _line(level)
    trend = at_end + slope * np.arange(-(days - 1), 1, dtype=np.float64)
    months = _month_days(level, trend, when)
    places = _places(values, when) if at_end <= 0 and np.nanmax(values) > 0 else None
    model = Usual(last, at_end, slope, weekdays, months, places, 0.0)
    remains = values - model.expected(first, days)
    remains = remains[np.isfinite(remains)]
    noise = _MAD * float(np.median(np.abs(remains - np.median(remains))))
    return Usual(last, at_end, slope, weekdays, months, places, noise)


def _weekdays(values: Array, when: Calendar) -> Array:
    """(7) The median of each weekday over that of the week around it."""
    factors = np.ones(_WEEK)
    if np.isfinite(values).sum() < _LEAST_WEEKS * _WEEK:
        return factors
    smooth = _week_median(values)
    ratio = np.divide(values, smooth, out=np.full_like(values, np.nan), where=np.nan_to_num(smooth) > 0)
    for day in range(_WEEK):
        own = ratio[(when.weekday == day) & np.isfinite(ratio)]
        factors[day] = np.median(own) if own.size else 1.0
    return factors / factors.mean() if factors.mean() > 0 else np.ones(_WEEK)


def _week_median(values: Array) -> Array:
    """(d) The median of the seven days around each day."""
    padded = np.concatenate((np.full(3, np.nan), values, np.full(3, np.nan)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, _WEEK)
    ordered = np.sort(windows, axis=1)  # what is not known comes last
    count = np.isfinite(windows).sum(axis=1)
    rows = np.arange(len(values))
    low, high = ordered[rows, np.maximum(count - 1, 0) // 2], ordered[rows, count // 2 % _WEEK]
    return np.where(count > 0, (low + np.where(count % 2 == 1, low, high)) / 2, np.nan)


def _line(values: Array) -> tuple[float, float]:
    """Slope a day and value at the last day of a robust line (Theil and Sen) through the weeks of the last three months.

    A slope that may be chance (Mann and Kendall's test) is taken for none: it would be carried on.
    """
    weeks = [values[max(end - _WEEK, 0) : end] for end in range(len(values), max(len(values) - 13 * _WEEK, 0), -_WEEK)]
    known = [(place, float(np.nanmedian(week))) for place, week in enumerate(weeks) if np.isfinite(week).sum() > _WEEK // 2]
    recent = values[-4 * _WEEK :]
    at_end = float(np.nanmedian(recent)) if np.isfinite(recent).any() else 0.0
    if len(known) < 5:
        return 0.0, at_end if known or not np.isfinite(values).any() else float(np.nanmedian(values))
    place, level = np.array(known).T
    ahead, behind = np.triu_indices(len(known), 1)
    slopes = (level[behind] - level[ahead]) / (place[behind] - place[ahead])
    spread = np.sqrt(len(known) * (len(known) - 1) * (2 * len(known) + 5) / 18)
    if abs(float(np.sign(slopes).sum())) < _SURE * spread:
        return 0.0, at_end
    slope = -float(np.median(slopes)) / _WEEK
    middle = np.arange(len(values) - len(recent), len(values)) - (len(values) - 1)
    return slope, float(np.nanmedian(recent - slope * middle))


def _month_days(level: Array, trend: Array, when: Calendar) -> Array:
    """(32) Factors of days that stand out month after month, such as the first one's fees."""
    factors = np.ones(32)
    ratio = np.divide(level, trend, out=np.full_like(level, np.nan), where=trend > 0)
    known = np.isfinite(ratio)
    if not known.any():
        return factors
    spread = _MAD * float(np.median(np.abs(ratio[known] - 1.0))) + 1e-9
    for day in np.unique(when.month_day[known & (np.abs(np.nan_to_num(ratio) - 1.0) > max(4 * spread, 0.08))]):
        own = ratio[known & (when.month_day == day)]
        stands_out = np.abs(own - 1.0).min() > max(4 * spread, 0.08) and (np.sign(own - 1.0) == np.sign(own[0] - 1.0)).all()
        if len(own) >= _LEAST_MONTHS and stands_out:
            factors[day] = float(np.median(own))
    return factors


def _places(values: Array, when: Calendar) -> Array:
    """(40) The cost by place in the month: its median over the months that are known."""
    found = np.zeros(_PLACES)
    for place in np.unique(when.place):
        own = values[(when.place == place) & np.isfinite(values)]
        if own.size >= _LEAST_MONTHS:
            found[place] = float(np.median(own))
    return found
