"""Check the tables of a FinOps scenario, by the same readers that snapshots use: in bounded memory, whatever their size."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from itbench.datasets.findings import Finding
from itbench.datasets.focus import validate_focus
from itbench.snapshot.cost_load import Remark, read_bill
from itbench.snapshot.cost_tables import read_table
from itbench.snapshot.layout import Family

_MEMORY = "400MB"
_MOST_LISTED = 20

TABLES: Mapping[str, Family] = {
    "data.csv": "costs",
    "billing.csv": "billing",
    "allocation.csv": "allocation",
    "usage.csv": "usage",
    "events.csv": "cost_events",
    "budgets.csv": "budgets",
    "alerts.csv": "cost_alerts",
}


def check_cost_table(path: Path) -> Iterator[Finding]:
    """What is wrong with one of TABLES, what is doubtful about it, and what is worth knowing, with lines."""
    found = list(_read(path))
    yield from found
    if TABLES[path.name] == "billing" and os.access(path, os.R_OK) and path.stat().st_size:
        # A row that cannot even be read is reported once.
        known = {finding.line for finding in found} - {1, None}
        yield from (finding for finding in validate_focus(path) if finding.line not in known)


def _read(path: Path) -> Iterator[Finding]:
    """What the reader of snapshots says of a table."""
    import duckdb

    family = TABLES[path.name]
    with (
        tempfile.TemporaryDirectory() as scratch,
        duckdb.connect(config={"memory_limit": _MEMORY, "threads": 2}) as database,
    ):
        database.execute("SET temp_directory = ?", [scratch])
        out = Path(scratch) / "table.parquet"
        try:
            if family == "costs":
                bill = read_bill(database, path, out)
                remarks, counted = bill.remarks, {"error": bill.errors, "warning": bill.warnings}
            else:
                table = read_table(database, family, path, out)
                remarks, counted = table.remarks, {"error": table.errors}
        except OSError as error:
            yield Finding(severity="error", path=str(path), message=f"cannot read this file ({error.strerror})")
            return
        except duckdb.Error as error:
            message = f"cannot be read as CSV: {str(error).splitlines()[0][:200]}"
            yield Finding(severity="error", path=str(path), message=message)
            return
    yield from _listed(path, remarks, counted)


def _listed(path: Path, remarks: tuple[Remark, ...], counted: Mapping[str, int]) -> Iterator[Finding]:
    shown: dict[str, int] = {}
    for remark in remarks:
        shown[remark.gravity] = shown.get(remark.gravity, 0) + 1
        if shown[remark.gravity] <= _MOST_LISTED:
            yield Finding(severity=remark.gravity, path=str(path), line=remark.line, message=remark.message)
    for gravity in ("error", "warning"):
        more = max(counted.get(gravity, 0), shown.get(gravity, 0)) - _MOST_LISTED
        if more > 0:
            yield Finding(severity=gravity, path=str(path), message=f"and {more:,} more places like these")
