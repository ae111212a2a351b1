"""The files of a FinOps scenario besides its bill: which columns they need, and which of them hold numbers."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from itbench.snapshot.cost_lines import header_of, lines_of
from itbench.snapshot.cost_load import MOST_LISTED, Remark
from itbench.snapshot.cost_values import amount
from itbench.snapshot.layout import Family
from itbench.snapshot.sources import parquet, pattern, quoted

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_FORMAT = "FORMAT parquet, COMPRESSION lz4"
_LINE_BYTES = 2_000_000


@dataclass(frozen=True, slots=True)
class TableForm:
    """What is expected of a file: `needed` columns, as they are spelled, and those with `numbers`, as an expression."""

    needed: tuple[str, ...]
    numbers: str


FORMS: Mapping[Family, TableForm] = {
    "billing": TableForm(("BilledCost", "ChargePeriodStart"), r".*Cost|.*UnitPrice|.*Quantity"),
    "allocation": TableForm((), r".*([Cc]ost|[Cc]ostAdjustment|Hours|Bytes|Cores|[Ee]fficiency)|minutes"),
    "usage": TableForm(("date", "resource_id", "metric", "value"), r"value"),
    "cost_events": TableForm(("time", "kind", "resource", "message"), r"(?!)"),
    "budgets": TableForm((), r"(?!.*(id|name)$).*(amount|budget|limit|threshold).*"),
    "cost_alerts": TableForm(("rule", "scope", "fired_on"), r"observed|threshold"),
}


@dataclass(frozen=True, slots=True)
class TableReport:
    """How a file fared: usable rows, and what is wrong with others (`errors` of them, the first are listed)."""

    rows: int
    remarks: tuple[Remark, ...]
    errors: int


def read_table(connection: DuckDBPyConnection, family: Family, path: Path, out: Path) -> TableReport:
    """Read the file at `path` into the Parquet file `out`, which is not made if a column is missing.

    Columns keep their names; those with numbers are numbers, all others text. A number that cannot be read is left empty,
    and said.

    Raises:
        OSError: the file cannot be read.
        duckdb.Error: memory or disk is short.
    """
    form = FORMS[family]
    try:
        header = header_of(path)
    except csv.Error as error:
        return TableReport(0, (Remark("error", 1, f"is no CSV: {error}"),), 1)
    lacking = [name for name in form.needed if name not in header]
    if not header or lacking:
        why = f"there is no column {', '.join(lacking)}" if header else "the file is empty"
        return TableReport(0, (Remark("error", 1, f"{why}; the file is left out"),), 1)
    names = [name or f"column_{place}" for place, name in enumerate(header, start=1)]
    if len({name.lower() for name in names}) < len(names):
        twice = next(name for name in names if sum(name.lower() == other.lower() for other in names) > 1)
        return TableReport(0, (Remark("error", 1, f"the column {twice} is there twice; the file is left out"),), 1)
    numbers = [place for place, name in enumerate(names) if re.fullmatch(form.numbers, name)]
    fields, odd = [], []
    for place, name in enumerate(names):
        column = f"c{place}"
        if place in numbers:
            value = amount(column).value
            fields.append(f"{value} AS {_name(name)}")
            odd.append(
                f"CASE WHEN trim({column}) <> '' AND ({value}) IS NULL THEN {quoted(name + ' is no number: ')} || "
                f"left(trim({column}), 40) END"
            )
        else:
            fields.append(f"{column} AS {_name(name)}")
    said = f"nullif(concat_ws('; ', {', '.join(odd)}), '')" if odd else "NULL::VARCHAR"
    types = ", ".join(f"c{place}: 'VARCHAR'" for place in range(len(names)))
    kept = ", ".join(f"'c{place}'" for place in range(len(names)))
    source = (
        f"read_csv({quoted(pattern(path))}, delim = ',', quote = '\"', escape = '\"', header = true, auto_detect = false, "
        f"columns = {{{types}}}, force_not_null = [{kept}], strict_mode = true, ignore_errors = true, store_rejects = true, "
        f"rejects_limit = 0, max_line_size = {_LINE_BYTES}, buffer_size = {4 * _LINE_BYTES}, parallel = false)"
    )
    connection.execute("DROP TABLE IF EXISTS reject_errors; DROP TABLE IF EXISTS reject_scans")
    query = f"SELECT row_number() OVER () AS row, {', '.join(fields)}, {said} AS said FROM {source}"
    connection.execute(f"COPY ({query}) TO {quoted(out)} ({_FORMAT})")
    return _report(connection, path, out, len(names))


def _report(connection: DuckDBPyConnection, path: Path, out: Path, width: int) -> TableReport:
    rejects = [int(line) for (line,) in _all(connection, "SELECT DISTINCT line FROM reject_errors ORDER BY line")]
    data = parquet(out)
    ((rows, said),) = _all(connection, f"SELECT count(*), count(said) FROM {data}")
    odd = _all(connection, f"SELECT row, said FROM {data} WHERE said IS NOT NULL ORDER BY row LIMIT {MOST_LISTED}")
    lines, refused = lines_of(path, {row for row, _ in odd}, rejects[:MOST_LISTED])
    remarks = [
        *(
            Remark("error", refused.get(line, line), f"not {width} fields, as the header has")
            for line in rejects[:MOST_LISTED]
        ),
        *(Remark("error", lines.get(row), message) for row, message in odd),
    ]
    return TableReport(rows, tuple(sorted(remarks, key=lambda one: one.line or 0)), len(rejects) + said)


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _all(connection: DuckDBPyConnection, query: str) -> list[Any]:
    return connection.execute(query).fetchall()
