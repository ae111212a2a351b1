"""What there is of a bill: data.csv, a row for each day and resource, and anomaly.json, the day to be explained."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from itbench.model.errors import SnapshotError
from itbench.snapshot.cost_columns import BillColumns, bill_columns
from itbench.snapshot.cost_lines import header_of
from itbench.snapshot.documents import UnreadableError, read_document
from itbench.snapshot.store import Store

TABLE_NAME = "data.csv"
ANOMALY_NAME = "anomaly.json"


@dataclass(frozen=True, slots=True)
class Bill:
    """A bill that can be asked for by SQL: `stored.costs`, with the columns of itbench.snapshot.cost_columns.

    Attributes:
        columns: how the columns of the file are read.
        first, last: days of the bill; None where no row can be used.
        rows: that can be used.
        currency: of the amounts; None where the file does not say.
        anomaly: the document that says what is to be explained; {} where there is none.
    """

    columns: BillColumns
    first: date | None
    last: date | None
    rows: int
    currency: str | None
    anomaly: dict[str, Any]

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The columns to group by, by our names."""
        return self.columns.dimensions

    @property
    def anomaly_day(self) -> date | None:
        """The day to be explained, if the folder says one."""
        return day_of(self.anomaly.get("date"))

    @property
    def account(self) -> str | None:
        """The account in which it was noticed, if the folder says one."""
        found = self.anomaly.get("account_id")
        return None if found in (None, "") else str(found)


def bill_of(files: Mapping[str, Path], store: Store) -> Bill:
    """The bill among the cost files of a snapshot, by their names.

    Raises:
        SnapshotError: the file has gone or cannot be read any more.
    """
    path = files[TABLE_NAME]
    try:
        columns = bill_columns(header_of(path))
    except (OSError, csv.Error) as error:
        raise SnapshotError(f"cannot be read: {error}", path=path) from error
    currency = "max(upper(trim(currency)))" if "currency" in columns.names else "NULL"
    ((first, last, rows, code),) = store.rows(f"SELECT min(day), max(day), count(*), {currency} FROM stored.costs")
    document: Any = {}
    if ANOMALY_NAME in files:
        with suppress(UnreadableError):
            document = read_document(files[ANOMALY_NAME], ANOMALY_NAME)
    return Bill(columns, first, last, rows, code or None, document if isinstance(document, dict) else {})


def day_of(value: object) -> date | None:
    """The day that a text begins with, as YYYY-MM-DD."""
    try:
        return date.fromisoformat(str(value).strip()[:10])
    except ValueError:
        return None
