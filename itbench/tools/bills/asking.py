"""What the cost tools understand: dimensions, conditions, days and periods, and what they say where they do not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated

from pydantic import Field

from itbench.snapshot.cost_files import Bill
from itbench.tools.arguments import Words
from itbench.tools.bills.panel import Panel, panel_of
from itbench.tools.errors import ToolError, did_you_mean
from itbench.tools.session import Session

NO_BILL = "This snapshot has no bills (data.csv): it is not of a FinOps scenario, so there are no costs to compare."

GroupBy = Annotated[
    Words, Field(description="Columns to group by, such as Application or Cloud_Service; default: all of them.")
]
Where = Annotated[Words, Field(description="Only rows with these values, as Column=value; several must all hold.")]
Day = Annotated[str | None, Field(description="The day to explain, YYYY-MM-DD; default: that of the anomaly.")]
Period = Annotated[str | None, Field(description="Two days as FROM..UNTIL, both included, such as 2026-05-01..2026-05-07.")]


def bill_of(session: Session) -> Bill | None:
    """The bill, if there is one with rows that can be used."""
    bill = session.once("bill", session.snapshot.bill)
    return bill if bill is not None and bill.rows else None


def dimensions(bill: Bill, group_by: Sequence[str]) -> tuple[str, ...]:
    """The columns that somebody names, by our names; all where none is named.

    Raises:
        ToolError: there is no such column.
    """
    return tuple(dimension(bill, name) for name in group_by) or bill.dimensions


def dimension(bill: Bill, name: str) -> str:
    """One of them.

    Raises:
        ToolError: there is no such column.
    """
    found = bill.columns.find(name)
    if found is None:
        columns = ", ".join(bill.columns.label(own) for own in bill.dimensions)
        raise ToolError(f"there is no column {name[:80]!r} to group by", hint=f"Columns: {columns}")
    return found


def conditions(session: Session, bill: Bill, where: Sequence[str]) -> dict[str, str]:
    """Values by column.

    Raises:
        ToolError: one is no condition, or no row fits it.
    """
    found: dict[str, str] = {}
    for condition in where:
        name, equals, value = condition.partition("=")
        if not equals:
            raise ToolError(f"{condition[:80]!r} is no condition", hint="Write Column=value, such as Application=checkout")
        column = dimension(bill, name.strip())
        quoted = column.replace('"', '""')
        known = [
            str(one)
            for (one,) in session.recently(
                ("values", column),
                lambda quoted=quoted: session.snapshot.query(  # type: ignore[misc]
                    f'SELECT "{quoted}" FROM stored.costs GROUP BY 1 ORDER BY sum(abs(cost)) DESC LIMIT 10000'
                ),
            )
        ]
        if value.strip() not in known:
            raise ToolError(f"no row has {name.strip()}={value.strip()[:80]}", hint=did_you_mean(value.strip(), known))
        found[column] = value.strip()
    return found


def day_of(bill: Bill, text: str | None) -> date:
    """A day that somebody wrote; that of the anomaly, or the last one, by default.

    Raises:
        ToolError: it is no day.
    """
    assert bill.last is not None
    if text is None:
        return bill.anomaly_day or bill.last
    try:
        return date.fromisoformat(text.strip()[:10])
    except ValueError:
        hint = f"Write YYYY-MM-DD; the bills go from {bill.first} to {bill.last}"
        raise ToolError(f"{text[:40]!r} is no day", hint=hint) from None


@dataclass(frozen=True, slots=True)
class Days:
    """A period, both ends included."""

    first: date
    last: date

    @property
    def length(self) -> int:
        """In days."""
        return (self.last - self.first).days + 1

    def __str__(self) -> str:
        return f"{self.first}..{self.last}"

    def columns(self, panel: Panel) -> slice:
        """The columns of a panel, as far as it has them."""
        width = panel.cost.shape[1]
        begin, end = panel.column(self.first), panel.column(self.last) + 1
        return slice(min(max(begin, 0), width), min(max(end, 0), width))


def periods(bill: Bill, before: str | None, after: str | None) -> tuple[Days, Days]:
    """Two periods to compare: by default a week from the anomaly on, and the four weeks before it.

    Where the bill ends within three days of the anomaly, it is the week up to it.

    Raises:
        ToolError: one cannot be read, or holds no day of the bill.
    """
    assert bill.first is not None
    assert bill.last is not None
    day = min(bill.anomaly_day or bill.last, bill.last)
    usual = Days(day, min(day + timedelta(days=6), bill.last))
    if usual.length < 4:
        usual = Days(max(day - timedelta(days=6), bill.first), day)
    later = _period(bill, after) if after else usual
    if before:
        earlier = _period(bill, before)
    else:
        earlier = Days(max(later.first - timedelta(days=28), bill.first), later.first - timedelta(days=1))
    for period in (earlier, later):
        if period.last < bill.first or period.first > bill.last or period.length < 1:
            raise ToolError(f"there is no bill of {period}", hint=f"The bills go from {bill.first} to {bill.last}")
    return earlier, later


def _period(bill: Bill, text: str) -> Days:
    first, _, last = text.partition("..")
    found = Days(day_of(bill, first), day_of(bill, last or first))
    if found.length < 1:
        raise ToolError(f"{text[:60]!r} ends before it begins", hint="Write FROM..UNTIL")
    return found


def panel(session: Session, bill: Bill, names: Sequence[str], where: Mapping[str, str]) -> Panel:
    """The daily costs of the groups, as they were worked out last if it was the same question."""
    key = ("panel", tuple(names), tuple(sorted(where.items())))
    return session.recently(key, lambda: panel_of(session.snapshot, bill, names, where))


def labels(bill: Bill, names: Sequence[str]) -> tuple[str, ...]:
    """What the file calls our columns."""
    return tuple(bill.columns.label(name) for name in names)


def money(value: float) -> str:
    """With two decimals."""
    return f"{value:.2f}"


def change(before: float, after: float) -> str:
    """A change with its share."""
    share = f" ({(after - before) / before:+.0%})" if before > 0 else " (new)" if after else ""
    return f"{after - before:+.2f}{share}"
