"""Bills of a FinOps scenario: data.csv, a row for each day and resource, and anomaly.json, the day to be explained."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from itbench.snapshot.records import Problem

TABLE_NAME = "data.csv"
ANOMALY_NAME = "anomaly.json"
# Spellings of the columns that are no dimensions, in lower case.
_DATES = ("date", "usage_date", "day")
_COSTS = ("unblended_cost", "cost", "amount")
_COUNTS = ("num_instances", "instances", "quantity")
_MAX_FIELD = 1_000_000


@dataclass(frozen=True, slots=True)
class CostRow:
    """The cost of one resource on one day; `values` are those of the table's dimensions, price and count may be unknown."""

    day: date
    values: tuple[str, ...]
    cost: float
    price: float | None = None
    count: float | None = None


@dataclass(frozen=True, slots=True)
class CostTable:
    """All rows, in the order of the file.

    Attributes:
        dimensions: columns such as `Account ID`, `CSP`, `Cloud_Service`, `Application`, `Instance_Family`, as the file
            has them.
        anomaly_day: the day to be explained, if the folder says one.
        anomaly: the document that says so.
    """

    dimensions: tuple[str, ...]
    rows: tuple[CostRow, ...]
    anomaly_day: date | None
    anomaly: dict[str, Any]


def read_costs(path: Path, name: str) -> tuple[tuple[str, ...], list[CostRow], list[Problem]]:
    """Dimensions, rows and what could not be read.

    Raises:
        OSError: the file cannot be read.
    """
    csv.field_size_limit(max(csv.field_size_limit(), _MAX_FIELD))
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
        lines = csv.reader(stream)
        try:
            header = [column.strip() for column in next(lines, [])]
            return _rows(header, lines, name)
        except csv.Error as error:
            return (), [], [Problem(name, lines.line_num, f"is no CSV: {error}")]


def _rows(header: Sequence[str], lines: Any, name: str) -> tuple[tuple[str, ...], list[CostRow], list[Problem]]:
    lower = [column.lower() for column in header]
    day, cost, count = (
        next((lower.index(each) for each in names if each in lower), None) for names in (_DATES, _COSTS, _COUNTS)
    )
    price = next((place for place, column in enumerate(lower) if column.startswith("price")), None)
    if day is None or cost is None:
        return (), [], [Problem(name, 1, f"there is no column {'date' if day is None else 'unblended_cost'}")]
    dimensions = [place for place in range(len(header)) if place not in (day, cost, price, count)]
    rows, problems = [], []
    for fields in lines:
        if not fields:
            continue
        amount = _number(fields, cost)
        when = _day(fields[day]) if day < len(fields) else None
        if len(fields) != len(header) or amount is None or when is None:
            problems.append(Problem(name, lines.line_num, "no readable date, cost or number of fields"))
        else:
            values = tuple(fields[place] for place in dimensions)
            rows.append(CostRow(when, values, amount, _number(fields, price), _number(fields, count)))
    return tuple(header[place] for place in dimensions), rows, problems


def _number(fields: Sequence[str], place: int | None) -> float | None:
    try:
        value = float(fields[place]) if place is not None and place < len(fields) else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip()[:10])
    except ValueError:
        return None


def anomaly_day(document: Any) -> date | None:
    """The day that anomaly.json names."""
    return _day(str(document.get("date", ""))) if isinstance(document, dict) else None
