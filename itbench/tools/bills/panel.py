"""A bill as arrays: the daily cost of groups, a row for each group and a column for each day of the calendar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from itbench.snapshot.cost_files import Bill
from itbench.snapshot.snapshot import Snapshot

Array = NDArray[np.float64]
MOST_GROUPS = 20_000
OTHERS = "(others)"


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """Daily figures of groups.

    Attributes:
        dimensions: what the groups are of, by our names of the columns.
        groups: values of the dimensions, a tuple for each row of the arrays, in their order.
        first: the day of the first column.
        cost: (g, d) of a day, 0 where there is no row.
        usage: (g, d) instances (or other units) of a day; NaN where the bill does not say.
        price: (g, d) mean list price, weighted by units; NaN where the bill does not say.
        present: (g, d) whether there was any row.
        recorded: (d) whether there was any row on a day.
    """

    dimensions: tuple[str, ...]
    groups: tuple[tuple[str, ...], ...]
    first: date
    cost: Array
    usage: Array
    price: Array
    present: NDArray[np.bool_]
    recorded: NDArray[np.bool_]

    @property
    def days(self) -> tuple[date, ...]:
        """Of the columns."""
        return tuple(self.first + timedelta(days=number) for number in range(self.cost.shape[1]))

    def column(self, day: date) -> int:
        """The column of a day, which may be outside."""
        return (day - self.first).days

    def series(self, where: Mapping[str, str]) -> Array:
        """(d) The cost of all groups with these values."""
        return np.asarray(self.cost[self.rows(where)].sum(axis=0))

    def rows(self, where: Mapping[str, str]) -> NDArray[np.bool_]:
        """(g) Which groups have these values."""
        places = {self.dimensions.index(name): value for name, value in where.items()}
        chosen = [all(group[place] == value for place, value in places.items()) for group in self.groups]
        return np.array(chosen, dtype=np.bool_)


def panel_of(
    snapshot: Snapshot,
    bill: Bill,
    dimensions: Sequence[str],
    where: Mapping[str, str] | None = None,
    *,
    most: int = MOST_GROUPS,
) -> Panel:
    """The panel of a bill by some of its dimensions; beyond `most` groups the cheapest become one.

    Args:
        snapshot: that holds the bill.
        bill: with at least one row.
        dimensions: by our names; none for the total.
        where: only rows with these values.
        most: groups.
    """
    assert bill.first is not None
    assert bill.last is not None
    names = bill.columns.names
    usage = "sum(instances)" if "instances" in names else "NULL"
    weighted = "price" in names and "instances" in names
    price = "sum(price * instances) / nullif(sum(instances) FILTER (price IS NOT NULL), 0)" if weighted else "NULL"
    conditions = [f"{_name(name)} = ?" for name in where or {}]
    chosen = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    keys = ", ".join(f"{_name(name)} AS k{place}" for place, name in enumerate(dimensions))
    grouped = ", ".join(f"k{place}" for place in range(len(dimensions)))
    source = f"(SELECT day, cost, {'price' if 'price' in names else 'NULL::DOUBLE AS price'}, " + (
        "instances" if "instances" in names else "NULL::DOUBLE AS instances"
    )
    source += (f", {keys}" if keys else "") + f" FROM stored.costs {chosen})"
    values = list((where or {}).values())
    largest = f" ORDER BY sum(abs(cost)) DESC, {grouped}" if grouped else ""
    by = f"GROUP BY {grouped}" if grouped else ""
    kept = snapshot.query(f"SELECT {grouped or '0'} FROM {source} {by}{largest} LIMIT {most + 1}", values)
    groups: list[tuple[str, ...]] = [tuple(map(str, row)) for row in kept] if grouped else [()]
    cut = len(groups) > most
    if cut:
        groups = [*groups[: most - 1], (OTHERS,) * len(dimensions)]
    place_of = {group: place for place, group in enumerate(groups)}
    width = (bill.last - bill.first).days + 1
    cost = np.zeros((len(groups), width))
    used = np.full_like(cost, np.nan)
    prices = np.full_like(cost, np.nan)
    present = np.zeros(cost.shape, dtype=np.bool_)
    also = f", {grouped}" if grouped else ""
    query = f"SELECT day, sum(cost), {usage}, {price}{also} FROM {source} GROUP BY day{also}"
    for day, total, units, each, *key in snapshot.query(query, values):
        row = place_of.get(tuple(map(str, key)), len(groups) - 1)
        column = (day - bill.first).days
        cost[row, column] += total
        present[row, column] = True
        if units is not None:
            used[row, column] = np.nan_to_num(used[row, column]) + units
        if each is not None:
            prices[row, column] = each
    days = snapshot.query("SELECT DISTINCT day FROM stored.costs")
    recorded = np.zeros(width, dtype=np.bool_)
    recorded[[(day - bill.first).days for (day,) in days]] = True
    return Panel(tuple(dimensions), tuple(groups), bill.first, cost, used, prices, present, recorded)


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
