"""Check the files of one snapshot file by file: encoding, rows, columns, shape. Streaming, so size does not matter."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from pydantic import JsonValue

from itbench.datasets.files import read_bytes
from itbench.datasets.findings import Finding, Severity
from itbench.model.errors import DatasetError
from itbench.scoring.strict_json import JsonError, parse_json
from itbench.snapshot.tsv import read_header, read_rows

MAX_JSON_BYTES = 50_000_000
_MAX_PER_FILE = 20
_CHUNK = 1 << 20

_TIME = ("timestamp", "timestamp_time", "event_time")

# Of each tuple, one column must be there. Names as itbench.snapshot.tsv spells them, for both generations of recorders.
_COLUMNS: Mapping[str, Sequence[Sequence[str]]] = {
    "events": (_TIME, ("body", "object_name")),
    "objects": (_TIME, ("body",)),
    "logs": (_TIME, ("body",)),
    "traces": (_TIME, ("trace_id",), ("span_id",)),
    "metrics": (("metric_name",), ("timestamp",), ("value",)),
}


def check_table(path: Path, kind: str) -> Iterator[Finding]:
    """What is wrong with a tab-separated file of a kind of input: the first places, and a count of the rest."""
    try:
        header = read_header(path)
        if not header:
            yield _finding("warning", path, None, "the file is empty")
            return
        for column in _COLUMNS[kind]:
            if not any(name in header for name in column):
                yield _finding("error", path, 1, f"the column {' or '.join(column)} is missing")
        yield from _first(path, _check_text(path))
        faults = (_finding("error", path, row.line, row.fault) for row in read_rows(path, len(header)) if row.fault)
        yield from _first(path, faults)
    except OSError as error:
        yield _finding("error", path, None, f"cannot read this file ({error.strerror})")


def count_rows(path: Path) -> int:
    """How many records a tab-separated file has, good or bad; 0 if it cannot be read."""
    try:
        return sum(1 for _ in read_rows(path, len(read_header(path))))
    except OSError:
        return 0


def check_alerts(path: Path) -> Iterator[Finding]:
    """What is wrong with an alert file. Accepted: Prometheus' answer, {"alerts": […]}, a list, or one alert."""
    try:
        value = _read_json(path)
    except DatasetError as error:
        yield Finding.of(error, path)
        return
    data = value.get("data") if isinstance(value, dict) else None
    holder = data if isinstance(data, dict) else value
    alerts = holder.get("alerts", [holder]) if isinstance(holder, dict) else holder
    if not isinstance(alerts, list):
        yield _finding("error", path, None, "not a list of alerts")
        return
    wrong = [index for index, alert in enumerate(alerts) if not (isinstance(alert, dict) and _is_labelled(alert))]
    yield from _first(path, (_finding("error", path, None, f"alert {index} has no labels.alertname") for index in wrong))


def check_topology(path: Path) -> Iterator[Finding]:
    """A topology only has to be JSON."""
    try:
        _read_json(path)
    except DatasetError as error:
        yield Finding.of(error, path)


def check_anomaly(path: Path) -> Iterator[Finding]:
    """What is wrong with a FinOps anomaly.json: an object with date and account_id."""
    try:
        value = _read_json(path)
    except DatasetError as error:
        yield Finding.of(error, path)
        return
    for key in ("date", "account_id"):
        if not isinstance(value, dict) or not value.get(key):
            yield _finding("warning", path, None, f"has no {key}")


def _check_text(path: Path) -> Iterator[Finding]:
    """NUL bytes and bytes that are not UTF-8, with the line of each chunk's first."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    line = 1
    with path.open("rb") as stream:
        for raw in iter(lambda: stream.readline(_CHUNK), b""):
            if b"\0" in raw:
                yield _finding("error", path, line, "holds NUL bytes")
            try:
                decoder.decode(raw)
            except UnicodeDecodeError:
                decoder.reset()
                yield _finding("error", path, line, "not UTF-8 text")
            line += raw.endswith(b"\n")


def _is_labelled(alert: Mapping[str, JsonValue]) -> bool:
    labels = alert.get("labels")
    return isinstance(labels, dict) and bool(labels.get("alertname"))


def _read_json(path: Path) -> JsonValue:
    try:
        return parse_json(read_bytes(path, MAX_JSON_BYTES).decode("utf-8-sig"))
    except JsonError as error:
        raise DatasetError(error.message, path=path, line=error.line) from error
    except UnicodeDecodeError as error:
        raise DatasetError("not UTF-8 text", path=path) from error


def _first(path: Path, findings: Iterable[Finding]) -> Iterator[Finding]:
    """The first findings about a file, and how many more there are."""
    more = 0
    for number, finding in enumerate(findings):
        if number < _MAX_PER_FILE:
            yield finding
        else:
            more += 1
    if more:
        yield _finding("error", path, None, f"and {more:,} more places like these")


def _finding(severity: Severity, path: Path, line: int | None, message: str) -> Finding:
    return Finding(severity=severity, path=str(path), line=line, message=message)
