"""Text for a model: tables of bounded size that say how many rows there are, and how to have the next."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from itbench.tools.clock import iso

MAX_CHARS = 20_000
"""The longest answer of a tool, by default."""
TABLE_CHARS = 18_000
"""The longest table, so that a few lines beside it have room."""
CELL_CHARS = 400

Row = TypeVar("Row")


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, cell: int = CELL_CHARS) -> str:
    """A header and a line for each row, cells parted by ` | `; values on one line, long ones cut."""
    return "\n".join([" | ".join(columns), *(line(row, cell=cell) for row in rows)])


def line(row: Sequence[Any], *, cell: int = CELL_CHARS) -> str:
    """One row of a table."""
    return " | ".join(text(value, cell) for value in row)


def text(value: Any, most: int = CELL_CHARS) -> str:
    """A value on one line: times as ISO 8601, numbers to six figures, nothing as `-`."""
    if value is None or value == "":
        return "-"
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, timedelta):
        return duration(value.total_seconds())
    if isinstance(value, float):
        return number(value)
    return cut(" ⏎ ".join(str(value).splitlines()), most)


def number(value: float) -> str:
    """Six figures, without an exponent where it can be avoided."""
    if value == int(value) and abs(value) < 1e15 if value - value == 0 else False:
        return str(int(value))
    return f"{value:.6g}"


def duration(seconds: float) -> str:
    """Such as 45s, 11m28s or 2h05m."""
    sign, whole = ("-" if seconds < 0 else ""), round(abs(seconds))
    if whole < 60:
        return f"{sign}{whole}s"
    if whole < 3600:
        return f"{sign}{whole // 60}m{whole % 60:02}s"
    return f"{sign}{whole // 3600}h{whole // 60 % 60:02}m"


def cut(value: str, most: int) -> str:
    """The first characters, and how many more there were."""
    return value if len(value) <= most else f"{value[:most]}… ({len(value) - most} more characters)"


def paged(
    columns: Sequence[str],
    rows: Sequence[Row],
    cells: Callable[[Row], Sequence[Any]],
    *,
    total: int,
    offset: int,
    what: str = "rows",
    cell: int = CELL_CHARS,
    most: int = TABLE_CHARS,
) -> str:
    """A page of a table under a line such as `rows 1–50 of 1234; next: offset=50`.

    Args:
        columns: the header.
        rows: those of this page, the first being number `offset`.
        cells: the values of one row.
        total: rows of all pages.
        offset: rows before this page.
        what: the rows' name, in the plural.
        cell: the longest cell.
        most: the longest table; rows that do not fit are left to the next page.
    """
    if not rows:
        if total:
            return f"no {what} at offset {offset}: there are {total}, from offset 0 on"
        return f"no {what}: nothing that was recorded fits this question"
    lines = [" | ".join(columns)]
    size = len(lines[0])
    for row in rows:
        one = line(cells(row), cell=cell)
        size += len(one) + 1
        if size > most and len(lines) > 1:
            break
        lines.append(one)
    last = offset + len(lines) - 1
    following = f"; next: offset={last}" if last < total else ""
    return "\n".join([f"{what} {offset + 1}–{last} of {total}{following}", *lines])


def sections(parts: Iterable[tuple[str, str]]) -> str:
    """Titled parts, one below the other; empty ones are left out."""
    return "\n\n".join(f"## {title}\n{body}" for title, body in parts if body)


def bounded(answer: str, most: int = MAX_CHARS) -> str:
    """The answer, cut at a line where it is too long, with a word on how to ask for less."""
    if len(answer) <= most:
        return answer
    size = f"the answer has {len(answer)} characters, and {most} fit"
    note = f"\n[cut: {size}. Narrow it with filters, or page with limit and offset]"
    kept = answer[: max(0, most - len(note))]
    at = kept.rfind("\n")
    return (kept[:at] if at > len(kept) // 2 else kept) + note[: most or None]
