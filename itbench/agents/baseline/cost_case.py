"""What the baseline looks at in a bill: every row of the hierarchy, how it left its usual course, and what explains that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np

from itbench.snapshot.cost_columns import LEVELS
from itbench.snapshot.cost_files import Bill
from itbench.snapshot.snapshot import Snapshot
from itbench.tools.bills.panel import Array, Panel, panel_of
from itbench.tools.bills.shift import Shift, find_shift
from itbench.tools.bills.usual import fit

_BEFORE = 14
"""Days before the one to be explained on which a cause may have begun: alerts come late."""
_MOST_ROWS = 2_000
_SPIKE = 8.0  # deviations of a single day
_FADED = 0.1  # of a spike, which may be left after it
_COVERAGE = "coverage"
_SUCCEEDED = "requests_succeeded"
_ELASTIC = 1.1
"""More requests may cost a little more than in proportion: what they cost beyond a commitment is dearer."""


@dataclass(frozen=True, slots=True, eq=False)
class Leaf:
    """One row of the hierarchy that left its course.

    Attributes:
        place: its row in the panel.
        path: value by level; levels that the bill does not have are missing.
        onset: column of the first day.
        amount: the excess from then on, without what more demand explains.
        strength: how sure it is, in standard deviations.
        usual: cost of the same days in its usual course.
        by_price: share of the excess that comes from dearer units, 0 to 1.
        ramp: whether it grows day by day.
        new: there was nothing before.
        demand: share of the excess that more requests explain.
    """

    place: int
    path: Mapping[str, str]
    onset: int
    amount: float
    strength: float
    usual: float
    by_price: float
    ramp: bool
    new: bool
    demand: float

    def get(self, level: str) -> str:
        """The value of a level; empty where there is none, as of untagged resources."""
        return self.path.get(level, "")


class CostCase:
    """One bill to be explained.

    Args:
        snapshot: open, with a bill.
        bill: with rows.
    """

    def __init__(self, snapshot: Snapshot, bill: Bill) -> None:
        self.snapshot, self.bill = snapshot, bill
        self.levels = tuple(level for level in LEVELS if level in bill.dimensions) or bill.dimensions

    @cached_property
    def panel(self) -> Panel:
        """All rows of the hierarchy."""
        return panel_of(self.snapshot, self.bill, self.levels, most=_MOST_ROWS)

    @cached_property
    def width(self) -> int:
        """Days."""
        return int(self.panel.cost.shape[1])

    @cached_property
    def day(self) -> int:
        """Column of the day to be explained."""
        wanted = self.bill.anomaly_day or self.bill.last
        assert wanted is not None
        return min(max(self.panel.column(wanted), 0), self.width - 1)

    @cached_property
    def begin(self) -> int:
        """The first column on which a cause may have begun."""
        return max(self.day - _BEFORE, 1)

    @cached_property
    def daily(self) -> float:
        """What everything costs on a usual day."""
        before = self.panel.cost[:, max(self.begin - 28, 0) : self.begin].sum(axis=0)
        return float(np.median(before)) if before.size else float(self.panel.cost.sum(axis=0).mean())

    @cached_property
    def leaves(self) -> tuple[Leaf, ...]:
        """Rows that left their course, the largest change first."""
        found = [leaf for row in range(len(self.panel.groups)) if (leaf := self._leaf(row)) is not None]
        return tuple(sorted(found, key=lambda leaf: (-abs(leaf.amount), leaf.place)))

    def date_of(self, column: int) -> date:
        """The day of a column."""
        return self.panel.days[min(max(column, 0), self.width - 1)]

    def _leaf(self, row: int) -> Leaf | None:
        values = np.where(self.panel.recorded, self.panel.cost[row], np.nan)
        if not np.nansum(np.abs(values[max(self.begin - 28, 0) :])):
            return None
        path = dict(zip(self.levels, self.panel.groups[row], strict=True))
        adjusted = values - self._explained(path, values)
        shift = find_shift(adjusted, self.panel.first, look_back=self.width - self.begin)
        if shift is None:
            return None
        spike = self._spike(adjusted)
        days = slice(shift.place, self.width)
        if spike is not None:
            shift, days = spike, slice(spike.place, spike.place + spike_length(spike))
        whole = float(np.nansum(values[days] - shift.expected[days]))
        return Leaf(
            place=row,
            path=path,
            onset=shift.place,
            amount=shift.amount,
            strength=shift.strength,
            usual=float(shift.expected[days].sum()),
            by_price=self._by_price(row, shift, days),
            ramp=shift.ramp,
            new=not np.nansum(np.abs(values[: shift.place])),
            demand=1.0 - shift.amount / whole if whole else 0.0,
        )

    def _spike(self, values: Array) -> Shift | None:
        """A few days that stand out around the day to be explained, after which all is as before."""
        course = fit(values[: self.begin], self.panel.first)
        residual = np.nan_to_num(values - course.expected(self.panel.first, self.width))
        scale = max(course.noise, 0.02 * float(np.nanmean(np.abs(values))), 1e-6)
        high = np.abs(residual) > _SPIKE * scale
        if not high[self.day] or self.width - self.day < 3 or high[self.width - 1]:
            return None
        first = last = self.day
        while first > self.begin and high[first - 1]:
            first -= 1
        while last + 1 < self.width and high[last + 1]:
            last += 1
        after = residual[last + 1 :]
        if abs(float(after.mean())) > _FADED * abs(float(residual[first : last + 1].mean())):
            return None  # it has not gone: it only varies
        own = residual[first : last + 1]
        length = len(own)
        return Shift(
            place=first,
            amount=float(own.sum()),
            daily=float(own.mean()),
            strength=float(own.mean() / (scale / np.sqrt(length))),
            ramp=False,
            expected=course.expected(self.panel.first, self.width),
            residual=np.concatenate((np.zeros(first), own, np.zeros(self.width - last - 1))),
        )

    def _explained(self, path: Mapping[str, str], values: Array) -> Array:
        """(d) What comes with more (or fewer) requests of the same application that succeed, once a cause may have begun."""
        index = self.demand.get(path.get("application", ""))
        explained = np.zeros_like(values)
        if index is None:
            return explained
        course = fit(values[: self.begin], self.panel.first)
        days = slice(self.begin, self.width)
        expected = course.expected(self.panel.first, self.width)[days]
        residual = np.nan_to_num(values[days] - expected)
        wanted = expected * (index[days] - 1.0) * _ELASTIC
        same = np.sign(wanted) == np.sign(residual)
        explained[days] = np.where(same, np.sign(residual) * np.minimum(np.abs(wanted), np.abs(residual)), 0.0)
        return explained

    def _by_price(self, row: int, shift: Shift, days: slice) -> float:
        """The share of the excess that dearer units explain: units as they are, at the change of the mean unit price."""
        usage, cost = self.panel.usage[row], self.panel.cost[row]
        past = slice(max(shift.place - 28, 0), shift.place)
        units0, units1 = np.nansum(usage[past]), np.nansum(usage[days])
        if not units0 or not units1 or not shift.residual[days].any():
            return 0.0
        change = cost[days].sum() / units1 - cost[past].sum() / units0
        total = float(np.nansum(shift.residual[days]))
        return float(np.clip(change * units1 / total, 0.0, 1.0)) if total else 0.0

    @cached_property
    def lost_commitments(self) -> Mapping[str, int]:
        """Commitments that cover nothing any more at the end, and the first column of that; from usage.csv."""
        if not self.snapshot.has("usage"):
            return {}
        rows = self.snapshot.query(
            "SELECT resource_id, max(TRY_CAST(left(date, 10) AS DATE)) FILTER (value > 0.01) AS last FROM stored.usage "
            "WHERE metric = ? GROUP BY resource_id ORDER BY resource_id",
            [_COVERAGE],
        )
        found = {name.partition("/")[2]: self.panel.column(last) + 1 for name, last in rows if last is not None}
        return {name: column for name, column in found.items() if self.begin <= column < self.width}

    @cached_property
    def demand(self) -> Mapping[str, Array]:
        """By application: (d) requests that succeed over their usual number; nothing where usage.csv does not tell."""
        if not self.snapshot.has("usage"):
            return {}
        rows = self.snapshot.query(
            "SELECT resource_id, TRY_CAST(left(date, 10) AS DATE) AS day, sum(value) FROM stored.usage "
            "WHERE metric = ? AND resource_id LIKE 'application/%' GROUP BY ALL",
            [_SUCCEEDED],
        )
        series: dict[str, Array] = {}
        for resource, day, value in rows:
            name = resource.partition("/")[2]
            values = series.setdefault(name, np.full(self.width, np.nan))
            column = -1 if day is None else self.panel.column(day)
            if 0 <= column < self.width and value is not None:
                values[column] = value
        return {name: self._index(values) for name, values in series.items()}

    def _index(self, values: Array) -> Array:
        expected = fit(values[: self.begin], self.panel.first).expected(self.panel.first, self.width)
        ratio = np.divide(values, expected, out=np.ones_like(values), where=(expected > 0) & np.isfinite(values))
        return np.asarray(np.clip(ratio, 0.0, 10.0))


def spike_length(shift: Shift) -> int:
    """Days of a spike: from its first one to the last that is out of course."""
    return int(np.flatnonzero(shift.residual)[-1]) - shift.place + 1
