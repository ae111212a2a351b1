"""Costs: what a day or a period cost against the days before it, and what made the difference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from itbench.tools.arguments import Limit, Offset
from itbench.tools.bills import asking
from itbench.tools.bills import decompose as arithmetic
from itbench.tools.bills.asking import NO_BILL, Day, Days, GroupBy, Period, Where, change, labels, money
from itbench.tools.bills.decompose import PARTS, Change, Side
from itbench.tools.bills.panel import Panel
from itbench.tools.registry import tool
from itbench.tools.render import number, paged, table
from itbench.tools.session import Session

_DAYS_SHOWN = 10


@dataclass(frozen=True, slots=True)
class CostChange:
    """One group on the day against its baseline.

    Attributes:
        cost: on the day.
        baseline: median of the days before it; a day without rows cost nothing.
        weekday: median of the same weekdays among them, None where there is none.
        instances: on the day, and the median before; None where the file does not say.
        price: mean price of an instance-hour on the day and before, weighted by instances.
        first: the first day on which the group cost anything.
    """

    group: tuple[str, ...]
    cost: float
    baseline: float
    weekday: float | None
    instances: tuple[float, float] | None
    price: tuple[float, float] | None
    first: date

    @property
    def change(self) -> float:
        """Of the cost."""
        return self.cost - self.baseline


@tool(domains=frozenset({"finops"}))
def costs(
    session: Session,
    group_by: GroupBy = [],  # noqa: B006 - pydantic copies it
    where: Where = [],  # noqa: B006
    day: Day = None,
    baseline_days: Annotated[int, Field(ge=1, le=400, description="How many days before it to compare with.")] = 28,
    limit: Limit = 30,
    offset: Offset = 0,
) -> str:
    """What a day cost by group against the median of the days before, largest changes first, and daily totals around it.

    Also the median of the same weekdays (weekly patterns are no anomaly), instances and prices before and on the day (what
    changed: quantity or price), and the first day of each group (new resources).
    """
    bill = asking.bill_of(session)
    if bill is None:
        return NO_BILL
    chosen, names = asking.conditions(session, bill, where), asking.dimensions(bill, group_by)
    wanted = asking.day_of(bill, day)
    panel = asking.panel(session, bill, names, chosen)
    changes = compare(panel, wanted, baseline_days)
    sums = asking.panel(session, bill, (), chosen)
    whole = compare(sums, wanted, baseline_days)[0]
    head = f"anomaly: {bill.anomaly}; day {wanted} ({wanted:%A}) against the {baseline_days} days before"
    around = [wanted + timedelta(days=back) for back in range(-_DAYS_SHOWN + 1, 4)]
    daily = table(["day", *map(str, around)], [["total", *(_total(sums, each) for each in around)]])
    figures = ("cost", "baseline", "change", "same_weekday", "instances", "price", "first_day")
    columns = (*labels(bill, names), *figures)
    page = changes[offset : offset + limit]
    body = paged(columns, page, _cells, total=len(changes), offset=offset, what="groups")
    return f"{head}\ntotal: {money(whole.cost)}, median before {money(whole.baseline)}\n{daily}\n{body}"


def compare(panel: Panel, day: date, baseline_days: int) -> list[CostChange]:
    """Each group's day against its baseline, the largest change first."""
    at, width = panel.column(day), panel.cost.shape[1]
    before = np.array(
        [place for place in range(at - baseline_days, at) if 0 <= place < width and panel.recorded[place]], int
    )
    same = np.array([place for place in before if (at - place) % 7 == 0], int)
    changes = []
    for row, group in enumerate(panel.groups):
        usage, price = panel.usage[row], panel.price[row]
        now = float(panel.cost[row, at]) if 0 <= at < width else 0.0
        spent = np.flatnonzero(panel.cost[row])
        past = np.nan_to_num(usage[before])
        units = np.where(np.isfinite(price[before]), past, 0.0)
        was = float((np.nan_to_num(price[before]) * units).sum() / units.sum()) if units.sum() else None
        seen = before.size and panel.present[row, before].any()
        inside = 0 <= at < width
        changes.append(
            CostChange(
                group,
                now,
                float(np.median(panel.cost[row, before])) if before.size else 0.0,
                float(np.median(panel.cost[row, same])) if same.size else None,
                _both(usage[at] if inside else None, float(np.median(past)) if seen and np.isfinite(usage).any() else None),
                _both(price[at] if inside else None, was),
                panel.first + timedelta(days=int(spent[0])) if spent.size else day,
            )
        )
    return sorted(changes, key=lambda one: (-abs(one.change), one.group))


@tool(domains=frozenset({"finops"}))
def compare_periods(
    session: Session,
    before: Period = None,
    after: Period = None,
    group_by: GroupBy = [],  # noqa: B006
    where: Where = [],  # noqa: B006
    limit: Limit = 30,
    offset: Offset = 0,
) -> str:
    """Two periods by group: mean cost, instances and price of a day in each, largest changes first.

    By default the week from the anomaly on against the four weeks before it. Whole weeks compare best: weekdays differ.
    """
    bill = asking.bill_of(session)
    if bill is None:
        return NO_BILL
    chosen, names = asking.conditions(session, bill, where), asking.dimensions(bill, group_by)
    earlier, later = asking.periods(bill, before, after)
    panel = asking.panel(session, bill, names, chosen)
    rows = []
    for row, group in enumerate(panel.groups):
        sides = [_mean_day(panel, row, period) for period in (earlier, later)]
        if any(cost for cost, *_ in sides):
            (cost0, units0, price0), (cost1, units1, price1) = sides
            pairs = [_pair(units0, units1), _pair(price0, price1)]
            rows.append((abs(cost1 - cost0), (*group, money(cost0), money(cost1), change(cost0, cost1), *pairs)))
    rows.sort(key=lambda pair: -pair[0])
    shown = [cells for _, cells in rows]
    columns = (*labels(bill, names), "a_day_before", "a_day_after", "change", "instances", "price")
    body = paged(columns, shown[offset : offset + limit], tuple, total=len(shown), offset=offset, what="groups")
    sums = asking.panel(session, bill, (), chosen)
    whole0, whole1 = (_mean_day(sums, 0, period)[0] for period in (earlier, later))
    head = f"{earlier} ({earlier.length} days) against {later} ({later.length} days), means of a day"
    return f"{head}\ntotal: {money(whole0)} → {money(whole1)}, {change(whole0, whole1)}\n{body}"


@tool(domains=frozenset({"finops"}))
def decompose(
    session: Session,
    before: Period = None,
    after: Period = None,
    group_by: GroupBy = [],  # noqa: B006
    where: Where = [],  # noqa: B006
    limit: Limit = 30,
    offset: Offset = 0,
) -> str:
    """What the change between two periods consists of: price, quantity, mix, new and gone rows, by group; of a mean day.

    price: the same units cost more or less. quantity: more or fewer units. mix: dearer or cheaper kinds of units within a
    service. new, gone: rows that were not there before, or are no more. uncounted: rows without a number of units. The parts
    add up to the change exactly. Periods as in compare_periods.
    """
    bill = asking.bill_of(session)
    if bill is None:
        return NO_BILL
    chosen, names = asking.conditions(session, bill, where), asking.dimensions(bill, group_by)
    earlier, later = asking.periods(bill, before, after)
    panel = asking.panel(session, bill, bill.dimensions, chosen)
    parts = decomposed(panel, names, earlier, later)
    ranked = sorted(parts.items(), key=lambda pair: (-abs(pair[1].change), pair[0]))
    ranked = [pair for pair in ranked if pair[1].before or pair[1].after]
    columns = (*labels(bill, names), "before", "after", "change", *PARTS, "mainly")
    page = [(*group, *_parts(one)) for group, one in ranked[offset : offset + limit]]
    body = paged(columns, page, tuple, total=len(ranked), offset=offset, what="groups")
    whole = arithmetic.total(parts.values())
    summary = table(("before", "after", "change", *PARTS, "mainly"), [_parts(whole)])
    return f"{earlier} against {later}, a mean day of each\nall together:\n{summary}\n{body}"


def decomposed(panel: Panel, names: Sequence[str], earlier: Days, later: Days) -> dict[tuple[str, ...], Change]:
    """The change of each group of `names`, which are among the panel's dimensions; units are compared within a service."""
    places = [panel.dimensions.index(name) for name in names]
    service = [panel.dimensions.index(name) for name in ("csp", "service") if name in panel.dimensions]
    pools: dict[tuple[tuple[str, ...], tuple[str, ...]], tuple[dict[str, Side], dict[str, Side]]] = {}
    for row, group in enumerate(panel.groups):
        key = tuple(group[place] for place in places), tuple(group[place] for place in service)
        sides = pools.setdefault(key, ({}, {}))
        for period, side in zip((earlier, later), sides, strict=True):
            columns = period.columns(panel)
            if panel.present[row, columns].any():
                cost, units, _ = _mean_day(panel, row, period)
                side["/".join(group)] = Side(cost, units)
    found: dict[tuple[str, ...], Change] = {}
    for (own, _), (before, after) in pools.items():
        found[own] = found.get(own, Change(0.0, 0.0)) + arithmetic.decompose(before, after)
    return found


def _mean_day(panel: Panel, row: int, period: Days) -> tuple[float, float | None, float | None]:
    """Cost, units and price of a mean day; days without any row at all do not count."""
    columns = period.columns(panel)
    days = int(panel.recorded[columns].sum())
    if not days:
        return 0.0, None, None
    usage, price = panel.usage[row, columns], panel.price[row, columns]
    units = float(np.nansum(usage)) / days if np.isfinite(usage).any() else None
    weights = np.where(np.isfinite(price), np.nan_to_num(usage), 0.0)
    mean = float((np.nan_to_num(price) * weights).sum() / weights.sum()) if weights.sum() else None
    return float(panel.cost[row, columns].sum()) / days, units, mean


def _parts(one: Change) -> tuple[str, ...]:
    figures = (money(value) if abs(value) >= 0.005 else "0" for value in one.parts)
    return money(one.before), money(one.after), change(one.before, one.after), *figures, arithmetic.main_part(one)


def _pair(before: float | None, after: float | None) -> str | None:
    if before is None and after is None:
        return None
    return " → ".join("-" if value is None else f"{value:.4g}" for value in (before, after))


def _both(now: float | None, before: float | None) -> tuple[float, float] | None:
    known = now is not None and before is not None and np.isfinite(now)
    return (float(now), before) if known and now is not None and before is not None else None


def _total(sums: Panel, day: date) -> str:
    at = sums.column(day)
    known = 0 <= at < sums.cost.shape[1] and sums.present[0, at]
    return number(round(float(sums.cost[0, at]), 2)) if known else "-"


def _cells(one: CostChange) -> Sequence[Any]:
    share = f" ({one.change / one.baseline:+.0%})" if one.baseline else " (new)"
    return (
        *one.group,
        money(one.cost),
        money(one.baseline),
        f"{one.change:+.2f}{share}",
        None if one.weekday is None else money(one.weekday),
        None if one.instances is None else f"{number(one.instances[1])} → {number(one.instances[0])}",
        None if one.price is None else f"{one.price[1]:.4g} → {one.price[0]:.4g}",
        one.first,
    )
