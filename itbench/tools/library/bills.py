"""Bills as a whole: where to begin, which days stand out, what an excess consists of, what Kubernetes workloads cost."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from itbench.snapshot.cost_columns import LEVELS
from itbench.snapshot.cost_files import Bill
from itbench.snapshot.layout import COSTS, Family
from itbench.tools.arguments import Limit, Offset, Words
from itbench.tools.bills import asking
from itbench.tools.bills.asking import NO_BILL, GroupBy, Period, Where, change, labels, money
from itbench.tools.bills.detect import Method, outliers
from itbench.tools.bills.panel import Panel
from itbench.tools.bills.shift import Shift, day_of_column, find_shift
from itbench.tools.errors import ToolError
from itbench.tools.registry import tool
from itbench.tools.render import paged, sections, table
from itbench.tools.session import Session

_MOST = 10
_DAYS_SHOWN = 14
_TOTALS = ("totalCost", "TotalCost", "total_cost")


@tool(domains=frozenset({"finops"}))
def overview(session: Session) -> str:
    """Where to begin with a bill: what is to be explained, what there is, months, the last days, the largest costs, alerts.

    Then: drilldown, anomalies, compare_periods, decompose, allocation, costs, sql.
    """
    bill = asking.bill_of(session)
    if bill is None:
        return NO_BILL
    return sections(
        [
            ("To be explained", _asked(bill)),
            ("Recorded", _recorded(session, bill)),
            ("By month", _months(session)),
            ("The last days", _last_days(session, bill)),
            ("The largest costs", _largest(session, bill)),
            ("Budget and anomaly alerts around the day", _rows_of(session, bill, "cost_alerts", "fired_on")),
            ("Events around the day", _rows_of(session, bill, "cost_events", "time")),
            ("Budgets", _table_of(session, "budgets", "", [])),
            ("What is doubtful about the files", _problems(session)),
        ]
    )


@tool(domains=frozenset({"finops"}))
def anomalies(
    session: Session,
    group_by: GroupBy = [],  # noqa: B006 - pydantic copies it
    where: Where = [],  # noqa: B006
    since: Annotated[str | None, Field(description="Only days from this one on, YYYY-MM-DD.")] = None,
    method: Annotated[
        Method,
        Field(description="esd: weekday, trend and month by medians; stl: a seasonal decomposition (needs statsmodels)."),
    ] = "esd",
    alpha: Annotated[
        float, Field(gt=0, lt=0.5, description="Chance of a false alarm in a series without anomalies.")
    ] = 0.01,
    limit: Limit = 30,
    offset: Offset = 0,
) -> str:
    """Days that stand out of the usual course of each group, by the generalised ESD test; neighbours make one stretch.

    The largest excess comes first. What repeats each week or month is usual. A lasting new level is best seen by drilldown.
    """
    bill = asking.bill_of(session)
    if bill is None:
        return NO_BILL
    chosen, names = asking.conditions(session, bill, where), asking.dimensions(bill, group_by)
    panel = asking.panel(session, bill, names, chosen)
    begin = 0 if since is None else panel.column(asking.day_of(bill, since))
    found = []
    for row, group in enumerate(panel.groups):
        values = np.where(panel.recorded, panel.cost[row], np.nan)
        for stretch in _stretches([each for each in outliers(values, panel.first, method, alpha) if each.place >= begin]):
            excess = sum(each.actual - each.expected for each in stretch)
            first, last = (day_of_column(panel.first, stretch[end].place) for end in (0, -1))
            worst = max((each.deviation for each in stretch), key=abs)
            actual, usual = sum(each.actual for each in stretch), sum(each.expected for each in stretch)
            cells = (*group, first, last, len(stretch), money(actual), money(usual), f"{excess:+.2f}", f"{worst:+.1f}")
            found.append((-abs(excess), cells))
    found.sort(key=lambda pair: (pair[0], str(pair[1])))
    shown = [cells for _, cells in found]
    columns = (*labels(bill, names), "from", "until", "days", "cost", "usual", "excess", "deviations")
    return paged(columns, shown[offset : offset + limit], tuple, total=len(shown), offset=offset, what="stretches")


@tool(domains=frozenset({"finops"}))
def drilldown(
    session: Session,
    where: Where = [],  # noqa: B006
    group_by: Annotated[
        Words, Field(description="Columns to look along; default: each column of the hierarchy that `where` leaves open.")
    ] = [],  # noqa: B006
    onset: Annotated[
        str | None,
        Field(description="The first anomalous day, YYYY-MM-DD; default: where each group left its usual course."),
    ] = None,
    limit: Annotated[int, Field(ge=1, le=200, description="The most groups of each column.")] = 8,
) -> str:
    """What the excess over the usual course consists of, column by column: since when, how much, what share of the whole.

    Go down by adding the group that holds nearly all of it to `where`. If one value of a column holds the excess and its
    neighbours none, the anomaly sits there; if its parts share the excess evenly, it sits above them.
    """
    bill = asking.bill_of(session)
    if bill is None:
        return NO_BILL
    chosen = asking.conditions(session, bill, where)
    names = asking.dimensions(bill, group_by) if group_by else tuple(name for name in bill.dimensions if name not in chosen)
    whole = asking.panel(session, bill, (), chosen)
    start = None if onset is None else whole.column(asking.day_of(bill, onset))
    if start is not None and not 8 <= start < whole.cost.shape[1]:
        raise ToolError(f"{onset} leaves no bill before or after it", hint=f"The bills go from {bill.first} to {bill.last}")
    total = shift_of(whole, 0, start)
    if total is None:
        return "There are too few days to know what is usual: at least eight are needed."
    parts = [("All of it", _shift_table((), [((), total)], total.amount, whole.first))]
    for name in names:
        panel = asking.panel(session, bill, (name,), chosen)
        found = [
            (group, shift)
            for row, group in enumerate(panel.groups)
            if (shift := shift_of(panel, row, start)) is not None and abs(shift.strength) > 3
        ]
        found.sort(key=lambda pair: (-abs(pair[1].amount), pair[0]))
        left = len(panel.groups) - len(found[:limit])
        note = f"\n{left} more keep to their course, or nearly" if left > 0 else ""
        body = (
            _shift_table(labels(bill, (name,)), found[:limit], total.amount, panel.first) if found else "nothing stands out"
        )
        parts.append((bill.columns.label(name), body + note))
    return sections(parts)


@tool(domains=frozenset({"finops"}))
def allocation(
    session: Session,
    group_by: Annotated[
        Words, Field(description="Columns of allocation.csv to group by; default: namespace and controller, if there.")
    ] = [],  # noqa: B006
    period: Period = None,
    limit: Limit = 30,
    offset: Offset = 0,
) -> str:
    """What Kubernetes workloads cost, as OpenCost allocates it: CPU, memory, GPU, storage, network, idle; a mean day.

    By default of the week from the anomaly on, beside the four weeks before it.
    """
    bill = asking.bill_of(session)
    if not session.snapshot.has("allocation") or bill is None:
        return "This snapshot has no allocation.csv: what Kubernetes workloads cost is not known."
    header = [name for name, *_ in session.snapshot.query("DESCRIBE stored.allocation")]
    day = next((name for name in header if re.fullmatch(r"date|day|window_?start|start", name, re.IGNORECASE)), None)
    if day is None:
        raise ToolError("allocation.csv has no column with the day", hint="Expected one of date, day, window_start, start")
    by_name = {name.casefold(): name for name in header}
    wanted = group_by or [name for name in ("namespace", "controller") if name in by_name] or ["name"]
    if unknown := next((name for name in wanted if name.casefold() not in by_name), None):
        raise ToolError(f"there is no column {unknown[:80]!r} to group by", hint=f"Columns: {', '.join(header)}")
    keys = [by_name[name.casefold()] for name in wanted]
    figures = [name for name in header if re.fullmatch(r".*[cC]ost", name)]
    earlier, later = asking.periods(bill, None, period)
    sides = [_allocated(session, day, keys, figures, each) for each in (earlier, later)]
    order = next((figures.index(name) for name in _TOTALS if name in figures), None)
    rows = []
    for key in sorted({*sides[0], *sides[1]}):
        before, after = (side.get(key, [0.0] * len(figures)) for side in sides)
        size0, size1 = (sum(values) if order is None else values[order] for values in (before, after))
        rows.append((-abs(size1 - size0), (*key, change(size0, size1), *map(money, after))))
    rows.sort(key=lambda pair: (pair[0], str(pair[1])))
    shown = [cells for _, cells in rows]
    body = paged((*keys, "change", *figures), shown[offset : offset + limit], tuple, total=len(shown), offset=offset)
    return f"a mean day of {later}; change against {earlier}\n{body}"


def shift_of(panel: Panel, row: int, onset: int | None = None) -> Shift | None:
    """How a row of a panel left its usual course; days without any bill are unknown, others without a row cost nothing."""
    values = np.where(panel.recorded, panel.cost[row], np.nan)
    return find_shift(values, panel.first, onset=onset)


def _shift_table(columns: Sequence[str], found: Sequence[tuple[tuple[str, ...], Shift]], whole: float, first: date) -> str:
    rows = [
        (
            *group,
            day_of_column(first, shift.place),
            f"{shift.amount:+.2f}",
            f"{shift.amount / whole:.0%}" if whole else None,
            f"{shift.daily:+.2f}",
            "ramp" if shift.ramp else "step",
            f"{shift.strength:+.1f}",
        )
        for group, shift in found
    ]
    return table((*columns, "since", "excess", "share", "a_day", "form", "deviations"), rows)


def _stretches(found: Sequence[Any]) -> list[list[Any]]:
    """Neighbouring days on the same side."""
    stretches: list[list[Any]] = []
    for each in found:
        last = stretches[-1][-1] if stretches else None
        if last is not None and each.place - last.place <= 1 and (each.deviation > 0) == (last.deviation > 0):
            stretches[-1].append(each)
        else:
            stretches.append([each])
    return stretches


def _asked(bill: Bill) -> str:
    return str(bill.anomaly) if bill.anomaly else "anomaly.json is not there or empty: whether and when is yours to find out"


def _recorded(session: Session, bill: Bill) -> str:
    currency = f", in {bill.currency}" if bill.currency else ""
    lines = [f"costs: {bill.rows} rows of {bill.first} to {bill.last}{currency}"]
    for family in COSTS[1:]:
        if session.snapshot.has(family):
            ((rows,),) = session.snapshot.query(f"SELECT count(*) FROM stored.{family}")
            lines.append(f"{family}: {rows} rows")
    return "\n".join(lines)


def _months(session: Session) -> str:
    rows = session.snapshot.query(
        "SELECT strftime(day, '%Y-%m') AS month, sum(cost), count(DISTINCT day) FROM stored.costs GROUP BY 1 ORDER BY 1"
    )
    return table(("month", "cost", "days", "a_day"), [(m, money(c), d, money(c / d)) for m, c, d in rows[-24:]])


def _last_days(session: Session, bill: Bill) -> str:
    panel = asking.panel(session, bill, (), {})
    values = np.where(panel.recorded, panel.cost[0], np.nan)
    shift = find_shift(values, panel.first)
    days = list(enumerate(panel.days))[-_DAYS_SHOWN:]
    rows = []
    for place, day in days:
        usual = None if shift is None else money(float(shift.expected[place]))
        rows.append((day, f"{day:%a}", money(float(values[place])) if panel.recorded[place] else None, usual))
    return table(("day", "weekday", "cost", "usual"), rows)


def _largest(session: Session, bill: Bill) -> str:
    lines = []
    for name in (level for level in LEVELS if level in bill.dimensions):
        rows = session.snapshot.query(
            f"SELECT {name}, sum(cost) FROM stored.costs GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {_MOST + 1}"
        )
        more = " …" if len(rows) > _MOST else ""
        lines.append(
            f"{bill.columns.label(name)}: {', '.join(f'{each or chr(45)} {cost:.0f}' for each, cost in rows[:_MOST])}{more}"
        )
    return "\n".join(lines)


def _rows_of(session: Session, bill: Bill, family: Family, column: str) -> str:
    day = asking.day_of(bill, None)
    first, last = day - timedelta(days=30), day + timedelta(days=7)
    return _table_of(session, family, f"WHERE left({column}, 10) BETWEEN ? AND ? ORDER BY {column}", [str(first), str(last)])


def _table_of(session: Session, family: Family, which: str, values: list[object]) -> str:
    if not session.snapshot.has(family):
        return ""
    names = [name for name, *_ in session.snapshot.query(f"DESCRIBE stored.{family}") if name != "row"]
    columns = ", ".join(f'"{name}"' for name in names)
    rows = session.snapshot.query(f"SELECT {columns} FROM stored.{family} {which} LIMIT 40", values)
    return table(names, rows) if rows else "none"


def _problems(session: Session) -> str:
    return "\n".join(f"{each.file}:{each.line or '-'}: {each.message}" for each in session.snapshot.problems[:_MOST])


def _allocated(
    session: Session, day: str, keys: Sequence[str], figures: Sequence[str], period: asking.Days
) -> dict[tuple[str, ...], list[float]]:
    """Mean costs of a day by group."""
    grouped = ", ".join(f'"{key}"' for key in keys)
    sums = ", ".join(f'coalesce(sum("{name}"), 0)' for name in figures)
    rows = session.snapshot.query(
        f'SELECT {grouped}, {sums} FROM stored.allocation WHERE left("{day}", 10) BETWEEN ? AND ? GROUP BY {grouped}',
        [str(period.first), str(period.last)],
    )
    width = len(keys)
    return {tuple(map(str, row[:width])): [float(value) / period.length for value in row[width:]] for row in rows}
