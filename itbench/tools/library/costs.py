"""Costs: what a day cost against the days before it, and what made the difference."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median
from typing import Annotated, Any

from pydantic import Field

from itbench.snapshot.cost_files import CostRow, CostTable
from itbench.tools.arguments import Limit, Offset, Words
from itbench.tools.errors import ToolError, did_you_mean
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
    group_by: Annotated[
        Words, Field(description="Columns to group by, such as Application or Cloud_Service; default: all of them.")
    ] = [],  # noqa: B006 - pydantic copies it
    where: Annotated[Words, Field(description="Only rows with these values, as Column=value; several must all hold.")] = [],  # noqa: B006
    day: Annotated[str | None, Field(description="The day to explain, YYYY-MM-DD; default: that of the anomaly.")] = None,
    baseline_days: Annotated[int, Field(ge=1, le=400, description="How many days before it to compare with.")] = 28,
    limit: Limit = 30,
    offset: Offset = 0,
) -> str:
    """What a day cost by group against the median of the days before, largest changes first, and daily totals around it.

    Also the median of the same weekdays (weekly patterns are no anomaly), instances and prices before and on the day (what
    changed: quantity or price), and the first day of each group (new resources).
    """
    bills = session.once("costs", session.snapshot.costs)
    if bills is None:
        return "This snapshot has no bills (data.csv): it is not of a FinOps scenario, so there are no costs to compare."
    rows = _where(bills, where)
    names = group_by or list(bills.dimensions)
    places = [_place(bills, name) for name in names]
    wanted = _day(bills, day)
    changes = compare(rows, places, wanted, baseline_days)
    total = compare(rows, [], wanted, baseline_days)
    head = f"anomaly: {bills.anomaly}; day {wanted} ({wanted:%A}) against the {baseline_days} days before"
    around = [wanted + timedelta(days=number) for number in range(-_DAYS_SHOWN + 1, 4)]
    sums = _totals(rows)
    daily = table(
        ["day", *map(str, around)], [["total", *(number(round(sums[each], 2)) if each in sums else "-" for each in around)]]
    )
    whole = f"total: {_cost(total[0].cost)}, median before {_cost(total[0].baseline)}" if total else "no rows"
    figures = ("cost", "baseline", "change", "same_weekday", "instances", "price", "first_day")
    columns = (*(bills.dimensions[place] for place in places), *figures)
    page = changes[offset : offset + limit]
    body = paged(columns, page, _cells, total=len(changes), offset=offset, what="groups")
    return f"{head}\n{whole}\n{daily}\n{body}"


def compare(rows: Sequence[CostRow], places: Sequence[int], day: date, baseline_days: int) -> list[CostChange]:
    """Each group's day against its baseline, the largest change first."""
    groups: dict[tuple[str, ...], dict[date, list[CostRow]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        groups[tuple(row.values[place] for place in places)][row.day].append(row)
    recorded = {row.day for row in rows}
    before = [each for each in (day - timedelta(days=back) for back in range(1, baseline_days + 1)) if each in recorded]
    changes = []
    for group, days in groups.items():
        known = [sum(row.cost for row in days.get(each, ())) for each in before]
        same = [sum(row.cost for row in days.get(each, ())) for each in before if each.weekday() == day.weekday()]
        past = [row for each in before for row in days.get(each, ())]
        now = days.get(day, [])
        changes.append(
            CostChange(
                group,
                sum(row.cost for row in now),
                median(known) if known else 0.0,
                median(same) if same else None,
                _both(_instances(now), median([_instances(days.get(each, ())) or 0.0 for each in before]) if past else None),
                _both(_price(now), _price(past)),
                min((each for each, own in days.items() if any(row.cost for row in own)), default=day),
            )
        )
    return sorted(changes, key=lambda one: (-abs(one.change), one.group))


def _instances(rows: Sequence[CostRow]) -> float | None:
    counts = [row.count for row in rows if row.count is not None]
    return sum(counts) if counts else None


def _price(rows: Sequence[CostRow]) -> float | None:
    known = [(row.price, row.count or 0.0) for row in rows if row.price is not None]
    weight = sum(count for _, count in known)
    return sum(price * count for price, count in known) / weight if weight else None


def _both(now: float | None, before: float | None) -> tuple[float, float] | None:
    return None if now is None or before is None else (now, before)


def _totals(rows: Sequence[CostRow]) -> dict[date, float]:
    totals: dict[date, float] = defaultdict(float)
    for row in rows:
        totals[row.day] += row.cost
    return totals


def _cells(one: CostChange) -> Sequence[Any]:
    share = f" ({one.change / one.baseline:+.0%})" if one.baseline else " (new)"
    return (
        *one.group,
        _cost(one.cost),
        _cost(one.baseline),
        f"{one.change:+.2f}{share}",
        None if one.weekday is None else _cost(one.weekday),
        None if one.instances is None else f"{number(one.instances[1])} → {number(one.instances[0])}",
        None if one.price is None else f"{one.price[1]:.4g} → {one.price[0]:.4g}",
        one.first,
    )


def _cost(value: float) -> str:
    return f"{value:.2f}"


def _where(bills: CostTable, conditions: Sequence[str]) -> Sequence[CostRow]:
    rows: Sequence[CostRow] = bills.rows
    for condition in conditions:
        name, equals, value = condition.partition("=")
        if not equals:
            raise ToolError(f"{condition[:80]!r} is no condition", hint="Write Column=value, such as Application=checkout")
        place = _place(bills, name.strip())
        known = {row.values[place] for row in bills.rows}
        if value.strip() not in known:
            raise ToolError(f"no row has {name.strip()}={value.strip()[:80]}", hint=did_you_mean(value.strip(), known))
        rows = [row for row in rows if row.values[place] == value.strip()]
    return rows


def _place(bills: CostTable, name: str) -> int:
    by_name = {each.casefold(): place for place, each in enumerate(bills.dimensions)}
    if name.casefold() not in by_name:
        raise ToolError(f"there is no column {name[:80]!r} to group by", hint=f"Columns: {', '.join(bills.dimensions)}")
    return by_name[name.casefold()]


def _day(bills: CostTable, text: str | None) -> date:
    last = max((row.day for row in bills.rows), default=None)
    if text is None:
        found = bills.anomaly_day or last
        if found is None:
            raise ToolError("data.csv has no rows that can be read")
        return found
    try:
        return date.fromisoformat(text.strip()[:10])
    except ValueError:
        first = min((row.day for row in bills.rows), default=None)
        raise ToolError(f"{text[:40]!r} is no day", hint=f"Write YYYY-MM-DD; the bills go from {first} to {last}") from None
