"""The rhythm of demand: hours of a day, days of a week, ends of months. All shapes have the mean 1."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Days = NDArray[np.int64]


def _shape(values: object) -> Floats:
    found: Floats = np.asarray(values, dtype=np.float64)
    return found / float(found.mean())


_HOURS = np.arange(24)
DAILY: Mapping[str, Floats] = {
    "flat": _shape(np.ones(24)),
    "office": _shape(np.where((_HOURS >= 8) & (_HOURS < 18), 2.2, 0.45)),
    "daytime": _shape(1 + 0.55 * np.cos((_HOURS - 14) / 24 * 2 * np.pi)),
    "evening": _shape(1 + 0.65 * np.cos((_HOURS - 20) / 24 * 2 * np.pi)),
}
"""Demand by hour of the day."""

WEEKLY: Mapping[str, Floats] = {
    "flat": _shape(np.ones(7)),
    "office": _shape([1.15, 1.2, 1.2, 1.15, 1.05, 0.6, 0.55]),
    "weekend": _shape([0.92, 0.92, 0.94, 0.97, 1.08, 1.24, 1.18]),
}
"""Demand by day of the week, from Monday on."""


@dataclass(frozen=True)
class Calendar:
    """The days of a simulation: `days` of them, from `first` on."""

    first: date
    days: int

    @classmethod
    def ending(cls, last: date, days: int) -> Calendar:
        """The `days` up to and with `last`."""
        return cls(last - timedelta(days=days - 1), days)

    @cached_property
    def dates(self) -> tuple[date, ...]:
        """Every day."""
        return tuple(self.first + timedelta(days=number) for number in range(self.days))

    @cached_property
    def weekday(self) -> Days:
        """0 is Monday."""
        return (self.first.weekday() + np.arange(self.days)) % 7

    @cached_property
    def days_to_month_end(self) -> Days:
        """0 on the last day of a month."""
        return np.array([monthrange(day.year, day.month)[1] - day.day for day in self.dates])

    @cached_property
    def month_close(self) -> Flags:
        """The last two days of a month and the first of the next."""
        first = np.array([day.day == 1 for day in self.dates])
        return first | (self.days_to_month_end <= 1)

    @cached_property
    def months(self) -> Floats:
        """Months since the first day."""
        return np.arange(self.days) / 30.4

    def index(self, day: date) -> int:
        """The number of a day; negative or beyond the end where it is none of them."""
        return (day - self.first).days

    def active(self, days: str) -> Flags:
        """On which days a job runs."""
        if days == "month_end":
            return self.month_close
        return self.weekday < 5 if days == "weekdays" else np.ones(self.days, dtype=bool)
