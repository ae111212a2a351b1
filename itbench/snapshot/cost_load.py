"""Read a bill (data.csv) into columns, through DuckDB: in bounded memory, whatever its size.

Every row is read, or refused with its line. What is doubtful but readable (refunds, repeated rows, missing days, thousands
separators, other names of columns) is read as it stands, and said.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from itbench.snapshot import cost_values
from itbench.snapshot.cost_columns import LEVELS, BillColumns, bill_columns
from itbench.snapshot.cost_lines import header_of, lines_of
from itbench.snapshot.sources import parquet, pattern, quoted
from itbench.snapshot.structure import count_lines

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Gravity = Literal["error", "warning", "info"]
MOST_LISTED = 100
_LINE_BYTES = 2_000_000
_FORMAT = "FORMAT parquet, COMPRESSION lz4, ROW_GROUP_SIZE 122880"


@dataclass(frozen=True, slots=True)
class Remark:
    """Something to be said about a file, and the line that it is about.

    `error`: a row or the file cannot be used. `warning`: it is used, but may not mean what it says. `info`: worth knowing.
    """

    gravity: Gravity
    line: int | None
    message: str


@dataclass(frozen=True, slots=True)
class BillReport:
    """How a bill fared.

    Attributes:
        columns: how its columns are read.
        rows: that can be used.
        remarks: by line; at most MOST_LISTED about rows that cannot be used, and as many about doubtful ones.
        errors: how many remarks of that gravity there would be.
        warnings: the same.
    """

    columns: BillColumns
    rows: int
    remarks: tuple[Remark, ...]
    errors: int
    warnings: int


def read_bill(connection: DuckDBPyConnection, path: Path, out: Path) -> BillReport:
    """Read the bill at `path` into the Parquet file `out`, which is not made where there is no bill.

    The file gets a column `row`, the number of the record; `lost` says why a row cannot be used, `said` what was assumed.

    Args:
        connection: with a memory limit and a folder to spill into.
        path: of the CSV file.
        out: of the Parquet file.

    Raises:
        OSError: the file cannot be read.
        duckdb.Error: memory or disk is short.
    """
    try:
        header = header_of(path)
    except csv.Error as error:
        return _refused((), Remark("error", 1, f"is no CSV: {error}"))
    columns = bill_columns(header)
    if not header:
        return _refused((), Remark("error", None, "the file is empty"))
    if columns.missing:
        other = next((mark for mark in (";", "\t", "|") if len(header) == 1 and mark in header[0]), None)
        why = f"; columns are parted by {other!r}, and commas are expected" if other else ""
        return _refused(header, *(Remark("error", 1, f"there is no column {name}{why}") for name in columns.missing))
    source = _source(path, len(header))
    connection.execute("DROP TABLE IF EXISTS reject_errors; DROP TABLE IF EXISTS reject_scans")
    settled = _settle(connection, source, columns)
    connection.execute(f"COPY ({_select(source, columns, settled)}) TO {quoted(out)} ({_FORMAT})")
    rejects = connection.execute(
        "SELECT line, any_value(error_message) FROM reject_errors GROUP BY line ORDER BY line"
    ).fetchall()
    return _report(connection, path, out, columns, settled, rejects)


def _refused(header: tuple[str, ...], *remarks: Remark) -> BillReport:
    return BillReport(bill_columns(header), 0, remarks, len(remarks), 0)


def _source(path: Path, width: int) -> str:
    """The records as text `c0`, `c1`, …; those with another number of fields go to `reject_errors`."""
    names = [f"c{place}" for place in range(width)]
    types = ", ".join(f"{name}: 'VARCHAR'" for name in names)
    kept = ", ".join(quoted(name) for name in names)
    return (
        f"read_csv({quoted(pattern(path))}, delim = ',', quote = '\"', escape = '\"', header = true, auto_detect = false, "
        f"columns = {{{types}}}, force_not_null = [{kept}], strict_mode = true, null_padding = false, "
        f"ignore_errors = true, max_line_size = {_LINE_BYTES}, buffer_size = {4 * _LINE_BYTES}, parallel = false"
    )


@dataclass(frozen=True, slots=True)
class _Settled:
    """What is true of the file as a whole: its currency, and whether its times state several zones."""

    currency: str | None
    zones: tuple[str, ...]


def _settle(connection: DuckDBPyConnection, source: str, columns: BillColumns) -> _Settled:
    text = _text(columns)
    currency = f"upper(trim({text['currency']}))" if "currency" in text else "''"
    found = connection.execute(
        f"SELECT {currency} AS currency, {cost_values.zone(text['day'])} AS zone, count(*) AS rows FROM {source}) "
        "GROUP BY ALL"
    ).fetchall()
    by_currency: dict[str, int] = {}
    for name, _, rows in found:
        by_currency[name] = by_currency.get(name, 0) + rows
    named = sorted((name for name in by_currency if name), key=lambda name: (-by_currency[name], name))
    zones = tuple(sorted({"Z" if zone == "UTC" else zone for _, zone, _ in found}))
    return _Settled(named[0] if named else None, zones)


def _text(columns: BillColumns) -> dict[str, str]:
    return {name: f"c{place}" for place, name in enumerate(columns.names)}


def _select(source: str, columns: BillColumns, settled: _Settled) -> str:
    """All records with values, and why a row is lost or what is said of it."""
    text = _text(columns)
    cost = cost_values.amount(text["cost"])
    day = cost_values.day(text["day"], as_utc=len(settled.zones) > 1)
    fields, lost, said = [], [], []
    lost.append(f"WHEN {day} IS NULL THEN 'no readable date: ' || {_shown(text['day'])}")
    lost.append(f"WHEN ({cost.value}) IS NULL THEN 'no readable cost: ' || {_shown(text['cost'])}")
    said.append(
        f"CASE WHEN {cost.separated} THEN 'thousands separators in the cost are removed: ' || {_shown(text['cost'])} END"
    )
    if settled.currency is not None:
        other = f"upper(trim({text['currency']})) NOT IN ('', {quoted(settled.currency)})"
        message = f"not added up with the others, whose currency is {settled.currency}: "
        lost.append(f"WHEN {other} THEN {quoted(message)} || {_shown(text['currency'])}")
        blank = f"the row states no currency, most state {settled.currency}"
        said.append(f"CASE WHEN trim({text['currency']}) = '' THEN {quoted(blank)} END")
    for name, column in text.items():
        if name == "day":
            fields.append(f"{day} AS day")
        elif name == "cost":
            fields.append(f"{cost.value} AS cost")
        elif name in ("price", "instances"):
            parsed = cost_values.amount(column)
            fields.append(f"{parsed.value} AS {name}")
            message = f"{name} is no number, and read as unknown: "
            said.append(
                f"CASE WHEN trim({column}) <> '' AND ({parsed.value}) IS NULL THEN {quoted(message)} || {_shown(column)} END"
            )
        else:
            fields.append(f"{column} AS {_name(name)}")
    remarks = f"nullif(concat_ws('; ', {', '.join(said)}), '')"
    return (
        f"SELECT row_number() OVER () AS row, {', '.join(fields)}, CASE {' '.join(lost)} END AS lost, {remarks} AS said "
        f"FROM {source}, store_rejects = true, rejects_limit = 0)"
    )


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _shown(column: str) -> str:
    return f"CASE WHEN trim({column}) = '' THEN '(empty)' ELSE left(trim({column}), 40) END"


def _report(
    connection: DuckDBPyConnection,
    path: Path,
    out: Path,
    columns: BillColumns,
    settled: _Settled,
    rejects: list[tuple[int, str]],
) -> BillReport:
    data = parquet(out)
    rows, lost, said = _one(connection, f"SELECT count(*), count(lost), count(said) FROM {data}")
    bad = _all(connection, f"SELECT row, lost FROM {data} WHERE lost IS NOT NULL ORDER BY row LIMIT {MOST_LISTED}")
    odd = _all(
        connection, f"SELECT row, said FROM {data} WHERE said IS NOT NULL AND lost IS NULL ORDER BY row LIMIT {MOST_LISTED}"
    )
    repeated, first_repeats = _repeated(connection, data, columns)
    refunds, first_refund = _one(connection, f"SELECT count(*), min(row) FROM {data} WHERE cost < 0 AND lost IS NULL")
    gaps = list(_gaps(connection, data))
    whole, zones = list(_whole(path, rows + len(rejects))), list(_zones(settled))
    wanted = {row for row, *_ in (*bad, *odd, *gaps[:MOST_LISTED])} | {row for pair in first_repeats for row in pair}
    wanted |= {first_refund} if refunds else set()
    first_rejects = [line for line, _ in rejects[:MOST_LISTED]]
    lines, refused = lines_of(path, wanted, first_rejects)
    remarks = [
        *(Remark("error", refused.get(line, line), _plain(message)) for line, message in rejects[:MOST_LISTED]),
        *(Remark("error", lines.get(row), message) for row, message in bad),
        *whole,
        *(Remark("warning", lines.get(row), message) for row, message in odd),
        *(Remark("warning", lines.get(row), _repeat_told(first, lines)) for row, first in first_repeats),
        *(Remark("warning", lines.get(row), message) for row, message in gaps[:MOST_LISTED]),
        *zones,
        *_columns_told(columns),
    ]
    if refunds:
        plural = "s" if refunds > 1 else ""
        message = f"{refunds:,} row{plural} with a negative cost (refunds, credits), the first one here; read as they stand"
        remarks.append(Remark("info", lines.get(first_refund), message))
    listed = sorted(remarks, key=lambda one: one.line or 0)
    errors = lost + len(rejects) + len(whole)
    warnings = said + repeated + len(gaps) + sum(one.gravity == "warning" for one in zones)
    return BillReport(columns, rows - lost, tuple(listed), errors, warnings)


def _whole(path: Path, seen: int) -> Iterable[Remark]:
    """Whether every record was met: a quote that is never closed swallows the rest of a file."""
    physical = count_lines(path)
    if seen == physical:
        return ()
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
        try:
            records = sum(1 for fields in csv.reader(stream) if fields) - 1
        except csv.Error as error:
            return (Remark("error", None, f"is no CSV to its end: {error}"),)
    if records == seen:
        return ()
    return (Remark("error", None, f"{records:,} records, of which {seen:,} can be told apart; look at the quotes"),)


def _repeated(connection: DuckDBPyConnection, data: str, columns: BillColumns) -> tuple[int, list[tuple[int, int]]]:
    """How many rows say the same as an earlier one, and the first of them: their numbers and that of the earlier one."""
    fields = ", ".join(_name(name) for name in columns.names)
    counted = "SELECT min(row) AS first, max(row) AS last, count(*) AS rows"
    same = f"{counted} FROM {data} WHERE lost IS NULL GROUP BY hash({fields})"
    (total,) = _one(connection, f"SELECT coalesce(sum(rows - 1), 0) FROM ({same}) WHERE rows > 1")
    found = _all(connection, f"SELECT last, first FROM ({same}) WHERE rows > 1 ORDER BY last LIMIT {MOST_LISTED}")
    return int(total), [(int(last), int(first)) for last, first in found]


def _repeat_told(first: int, lines: dict[int, int]) -> str:
    earlier = lines.get(first)
    return f"the same as {f'line {earlier}' if earlier else f'record {first}'}; both are counted"


def _gaps(connection: DuckDBPyConnection, data: str) -> Iterator[tuple[int, str]]:
    """Days between the first and the last without any row: the first record after the gap, and what is missing."""
    days = _all(connection, f"SELECT day, min(row) FROM {data} WHERE lost IS NULL GROUP BY day ORDER BY day")
    for (before, _), (after, row) in pairwise(days):
        missing = (after - before).days - 1
        if missing > 0:
            what = f"between {before} and {after}" if missing > 1 else f"on the day before {after}"
            yield row, f"no rows {what} ({missing} day{'s' if missing > 1 else ''} missing)"


def _zones(settled: _Settled) -> Iterable[Remark]:
    stated = [zone for zone in settled.zones if zone]
    if len(settled.zones) > 1:
        told = ", ".join(zone or "none" for zone in settled.zones[:6])
        return (Remark("warning", None, f"times state different zones ({told}): days are those of UTC"),)
    return (Remark("info", None, f"times state the zone {stated[0]}: days are as written"),) if stated else ()


def _columns_told(columns: BillColumns) -> Iterator[Remark]:
    for label, public in columns.renamed():
        yield Remark("info", 1, f"the column {label} is read as {public}")
    for label in columns.unknown():
        yield Remark("info", 1, f"the column {label} is none of the public form's; it is a dimension to group by")
    if absent := [name for name in columns.absent() if name]:
        yield Remark("info", 1, f"there is no column {', '.join(absent)}")


def _plain(message: str) -> str:
    if message.startswith("Expected Number of Columns"):
        expected, _, found = message.removeprefix("Expected Number of Columns: ").partition(" Found: ")
        return f"{found.strip()} fields where the header has {expected.strip()}"
    return message.split("\n", maxsplit=1)[0][:200]


def _one(connection: DuckDBPyConnection, query: str) -> Any:
    return connection.execute(query).fetchone()


def _all(connection: DuckDBPyConnection, query: str) -> list[Any]:
    return connection.execute(query).fetchall()


__all__ = ["LEVELS", "MOST_LISTED", "BillReport", "Remark", "read_bill"]
