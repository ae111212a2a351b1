"""Turn the files of a scenario folder into columns: Parquet files for each family of input, and a report of each file."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from itbench.snapshot import macros, relations
from itbench.snapshot.alert_files import read_alerts
from itbench.snapshot.cost_files import ANOMALY_NAME
from itbench.snapshot.cost_load import read_bill
from itbench.snapshot.cost_tables import read_table
from itbench.snapshot.documents import UnreadableError, read_document
from itbench.snapshot.layout import COSTS, Family, InputFile
from itbench.snapshot.records import Alert, Problem
from itbench.snapshot.reports import Loaded, Problems
from itbench.snapshot.sources import csv_rows, quoted
from itbench.snapshot.tables import TableLoader
from itbench.snapshot.tsv import read_header

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_MAX_COLUMNS = 256
_MEMORY = "200MB"
# Each share has a database of its own; together they keep the cores busy where one alone would wait for its last rows.
# They are about equal in work, and in what DuckDB has to keep: the order of spans and samples is not that of their files.
_SHARES: tuple[tuple[Family, ...], ...] = (
    ("spans", "metrics"),
    ("logs", "events", "objects", "alerts", "topology", *COSTS),
)


def load(files: Sequence[InputFile], out: Path) -> Loaded:
    """Read all `files` into Parquet files in the folder `out`; every family of rows gets one, if an empty one.

    Raises:
        OSError: `out` cannot be written.
        duckdb.Error: DuckDB ran out of memory or disk.
    """
    with ThreadPoolExecutor(len(_SHARES)) as pool:
        return Loaded.merged(pool.map(lambda share: _load_share(share, files, out), _SHARES))


def _load_share(share: tuple[Family, ...], files: Sequence[InputFile], out: Path) -> Loaded:
    import duckdb

    loaded = Loaded()
    with duckdb.connect(config={"memory_limit": _MEMORY, "threads": min(4, os.cpu_count() or 1)}) as connection:
        connection.execute(f"SET temp_directory = {quoted(out / f'spill-{share[0]}')}")
        macros.define(connection)
        for family in share:
            mine = [file for file in files if file.family == family]
            if family == "topology":
                _look_at_documents(mine, loaded)
                continue
            if family in COSTS:
                _load_costs(connection, family, mine, out, loaded)
                continue
            table = TableLoader(connection, family, out, loaded)
            if family == "alerts":
                _load_alerts(mine, table, loaded)
            else:
                for header, batch in _batches(family, _preferred(mine, loaded), loaded):
                    table.load(header, batch)
            table.finish()
    return loaded


def _preferred(files: Sequence[InputFile], loaded: Loaded) -> Iterator[InputFile]:
    """A raw file holds all that a lite one of the same family does: where there is one, only the raw ones are read."""
    raw = any(file.name.endswith("_raw.tsv") for file in files)
    for file in files:
        if raw and file.family != "metrics" and not file.name.endswith("_raw.tsv"):
            loaded.report(file, 0, Problem(file.name, None, "not read: there is a raw file of the same kind"))
        else:
            yield file


def _batches(
    family: Family, files: Iterator[InputFile], loaded: Loaded
) -> Iterator[tuple[tuple[str, ...], list[InputFile]]]:
    """Files to be read together: one by one, but metric files, which are small and many, by their header."""
    by_header: dict[tuple[str, ...], list[InputFile]] = {}
    for file in files:
        header = _header(file, loaded)
        if header and family == "metrics":
            by_header.setdefault(header, []).append(file)
        elif header:
            yield header, [file]
    yield from by_header.items()


def _header(file: InputFile, loaded: Loaded) -> tuple[str, ...]:
    """The columns of a file that can be loaded; () if there is nothing to load, which is reported."""
    try:
        header = read_header(file.path)
    except OSError as error:
        loaded.report(file, 0, Problem(file.name, None, f"cannot be read: {error.strerror}"))
        return ()
    if not header:
        loaded.report(file, 0)
    elif len(header) > _MAX_COLUMNS:
        loaded.report(file, 0, Problem(file.name, 1, f"more than {_MAX_COLUMNS} columns"))
    elif column := relations.missing(file.family, header):
        loaded.report(file, 0, Problem(file.name, 1, f"there is no column {column}; the file is left out"))
    else:
        return header
    return ()


def _look_at_documents(files: Sequence[InputFile], loaded: Loaded) -> None:
    """Topologies are documents, not rows: they are read again when somebody asks for them."""
    for file in files:
        try:
            read_document(file.path, file.name)
            loaded.report(file, 1)
        except UnreadableError as error:
            loaded.report(file, 0, error.problem)


def _load_costs(
    connection: DuckDBPyConnection, family: Family, files: Sequence[InputFile], out: Path, loaded: Loaded
) -> None:
    """A table of the one file that a family of bills has; what is merely worth knowing is no problem."""
    for file in files:
        if file.name == ANOMALY_NAME:
            _look_at_documents([file], loaded)
            continue
        place = out / f"{family}-0.parquet"
        try:
            if family == "costs":
                bill = read_bill(connection, file.path, place)
                rows, remarks, count = bill.rows, bill.remarks, bill.errors + bill.warnings
            else:
                table = read_table(connection, family, file.path, place)
                rows, remarks, count = table.rows, table.remarks, table.errors
        except OSError as error:
            loaded.report(file, 0, Problem(file.name, None, f"cannot be read: {error.strerror}"))
            continue
        if place.exists():
            loaded.parts.setdefault(family, []).append(place.name)
        problems = [Problem(file.name, each.line, each.message) for each in remarks if each.gravity != "info"]
        loaded.report(file, rows, *problems, count=max(count, len(problems)))


def _load_alerts(files: Sequence[InputFile], table: TableLoader, loaded: Loaded) -> None:
    """Alert files are small JSON documents: Python reads them, by way of one TSV file of our own."""
    path = table.scratch
    with path.open("w", encoding="utf-8", errors="replace", newline="") as stream:
        writer = csv.writer(stream, delimiter="\t", lineterminator="\n", quoting=csv.QUOTE_ALL)
        writer.writerow(_ALERT_COLUMNS)
        for file in files:
            problems, rows = Problems(file.name), 0
            for found in read_alerts(file.path, file.name):
                if isinstance(found, Problem):
                    problems.add(found.line, found.message)
                else:
                    writer.writerow([column(found) for column in _ALERT_COLUMNS.values()])
                    rows += 1
            loaded.report(file, rows, *problems.listed, count=problems.count)
    columns = tuple(_ALERT_COLUMNS)
    table.copy(relations.select("alerts", columns, csv_rows([path], columns, longest=path.stat().st_size, parallel=False)))
    path.unlink()


_ALERT_COLUMNS: dict[str, Callable[[Alert], str]] = {
    "time": lambda alert: alert.time.isoformat(),
    "name": lambda alert: alert.name,
    "severity": lambda alert: alert.severity,
    "entity": lambda alert: alert.entity,
    "namespace": lambda alert: alert.labels.get("namespace", ""),
    "state": lambda alert: alert.state,
    "active_since": lambda alert: alert.active_since.isoformat() if alert.active_since else "",
    "value": lambda alert: "" if alert.value is None else repr(alert.value),
    "labels": lambda alert: json.dumps(dict(alert.labels)),
    "annotations": lambda alert: json.dumps(dict(alert.annotations)),
}
