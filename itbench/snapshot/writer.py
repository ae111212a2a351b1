"""Write a snapshot in the raw layout of the published datasets, from the records that the reader returns.

Attribute maps are written as Python dicts print, times as ClickHouse prints them. The bytes depend on the records alone.
What is written reads back equal, except that `LogRecord`s and the like come back in the order of their times.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from itbench.model.errors import SnapshotError
from itbench.snapshot.cells import Cells, quoted
from itbench.snapshot.records import Alert, Event, LogRecord, ObjectVersion, Series, Span

_LOG_COLUMNS = (
    "Timestamp TimestampTime TraceId SpanId TraceFlags SeverityText SeverityNumber ServiceName Body ResourceSchemaUrl "
    "ResourceAttributes ScopeSchemaUrl ScopeName ScopeVersion ScopeAttributes LogAttributes"
).split()
_SPAN_COLUMNS = (
    "Timestamp TraceId SpanId ParentSpanId TraceState SpanName SpanKind ServiceName ResourceAttributes ScopeName "
    "ScopeVersion SpanAttributes Duration StatusCode StatusMessage"
).split()
_POD_COLUMNS = "metric_name timestamp value pod_name namespace tags".split()
_SERVICE_COLUMNS = "metric_name timestamp value service_name namespace bucket_le tags metric_type status_code".split()

_REMEMBERED = 1 << 12  # objects; a recording of days has any number of versions


class SnapshotWriter:
    """Writes the files of one scenario folder; each method writes its files whole.

    Args:
        folder: made if need be.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def write_alerts(self, alerts: Iterable[Alert], observed: Iterable[datetime] = ()) -> None:
        """One file in alerts/ for each time of observation, with the alerts in the given order.

        Args:
            alerts: the sightings.
            observed: when the recorder looked; where it saw nothing, its file has an empty list.
        """
        (self._folder / "alerts").mkdir(exist_ok=True)
        seen: dict[datetime, list[Alert]] = {time: [] for time in observed}
        for alert in alerts:
            seen.setdefault(alert.time, []).append(alert)
        for time in sorted(seen):
            document = [
                {
                    "labels": dict(alert.labels),
                    "annotations": dict(alert.annotations),
                    "state": alert.state,
                    **({"activeAt": _rfc3339(alert.active_since)} if alert.active_since else {}),
                    **({"value": f"{alert.value!r}"} if alert.value is not None else {}),
                }
                for alert in seen[time]
            ]
            name = f"alerts_at_{time.astimezone(UTC):%Y-%m-%dT%H-%M-%S.%f}.json"
            (self._folder / "alerts" / name).write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")

    def write_events(self, events: Iterable[Event]) -> None:
        """k8s_events_raw.tsv; each Body is a watch's JSON."""
        attributes = repr({"k8s.resource.name": "events"})
        cells = Cells()

        def row(event: Event) -> str:
            involved = {"kind": event.involved.kind, "name": event.involved.name, "namespace": event.involved.namespace}
            body = {
                "object": {
                    "apiVersion": "v1",
                    "count": event.count,
                    "involvedObject": {key: value for key, value in involved.items() if value is not None},
                    "kind": "Event",
                    "lastTimestamp": _rfc3339(event.time),
                    "message": event.message,
                    "reason": event.reason,
                    "source": {"component": event.component},
                    "type": event.type,
                },
                "type": event.watch,
            }
            resource = repr({"k8s.namespace.name": event.involved.namespace or ""})
            return _document_row(cells, event.recorded_at or event.time, quoted(json.dumps(body)), resource, attributes)

        self._write_table("k8s_events_raw.tsv", _LOG_COLUMNS, map(row, events))

    def write_objects(self, versions: Iterable[ObjectVersion]) -> None:
        """k8s_objects_raw.tsv; each Body is an object's JSON, in a watch's envelope where the object was deleted."""
        cells = Cells()
        # A recorder sees the same object again and again; its JSON is made once.
        known: dict[int, tuple[Mapping[str, Any], str]] = {}

        def body(version: ObjectVersion) -> str:
            manifest = version.manifest
            if version.deleted:
                return quoted(json.dumps({"object": manifest, "type": "DELETED"}))
            before = known.get(id(manifest))
            if before is None or before[0] is not manifest:
                if len(known) >= _REMEMBERED:
                    known.clear()
                before = known[id(manifest)] = manifest, quoted(json.dumps(manifest))
            return before[1]

        def row(version: ObjectVersion) -> str:
            manifest = version.manifest
            resource = repr({"k8s.namespace.name": manifest.get("metadata", {}).get("namespace", "")})
            attributes = repr({"k8s.resource.name": f"{str(manifest.get('kind', '')).lower()}s"})
            return _document_row(cells, version.time, body(version), resource, attributes)

        self._write_table("k8s_objects_raw.tsv", _LOG_COLUMNS, map(row, versions))

    def write_logs(self, records: Iterable[LogRecord]) -> None:
        """otel_logs_raw.tsv."""
        cells = Cells()

        def row(record: LogRecord) -> str:
            time, second = cells.time(record.time), cells.second(record.time)
            return (
                f"{time}\t{second}\t{quoted(record.trace_id)}\t{quoted(record.span_id)}\t0\t{cells.text(record.severity)}\t"
                f"{record.severity_number}\t{cells.text(record.service)}\t{quoted(record.body)}\t\t"
                f"{cells.map(record.resource)}\t\t\t\t{{}}\t{cells.map(record.attributes)}\n"
            )

        self._write_table("otel_logs_raw.tsv", _LOG_COLUMNS, map(row, records))

    def write_spans(self, spans: Iterable[Span]) -> None:
        """otel_traces_raw.tsv; durations in nanoseconds."""
        cells = Cells()

        def row(span: Span) -> str:
            return (
                f"{cells.time(span.time)}\t{quoted(span.trace_id)}\t{quoted(span.span_id)}\t{quoted(span.parent_span_id)}\t\t"
                f"{cells.text(span.name)}\t{cells.text(span.kind)}\t{cells.text(span.service)}\t{cells.map(span.resource)}\t"
                f"\t\t{cells.map(span.attributes)}\t{span.duration_ns}\t{cells.text(span.status)}\t"
                f"{cells.text(span.status_message)}\n"
            )

        self._write_table("otel_traces_raw.tsv", _SPAN_COLUMNS, map(row, spans))

    def write_metrics(self, series: Iterable[Series]) -> None:
        """metrics/<kind>_<name>_raw.tsv, one file for each pod or service.

        Raises:
            SnapshotError: a series is of neither a pod nor a service, or the object's name cannot be a file's.
        """
        (self._folder / "metrics").mkdir(exist_ok=True)
        # All series of a recorder have the same times.
        times: dict[datetime, str] = {}
        cells = Cells()

        def key(one: Series) -> tuple[str, str]:
            return one.object_kind, one.object_name

        for (kind, name), group in groupby(sorted(series, key=key), key=key):
            if kind not in ("pod", "service") or not name or "/" in name or "\0" in name or name.endswith("_raw"):
                raise SnapshotError(f"there is no metrics file for {kind} {name!r}", path=self._folder)
            columns, rest = (_POD_COLUMNS, _pod_cells) if kind == "pod" else (_SERVICE_COLUMNS, _service_cells)
            rows = (_metric_rows(one, rest(one), times, cells) for one in group)
            self._write_table(f"metrics/{kind}_{name}_raw.tsv", columns, rows)

    def _write_table(self, name: str, columns: Sequence[str], rows: Iterable[str]) -> None:
        """Write a header and rows that end with a newline; a piece may be several rows."""
        path = self._folder / name
        try:
            with path.open("w", encoding="utf-8", newline="") as stream:
                stream.write("\t".join(columns) + "\n")
                stream.writelines(rows)
        except UnicodeEncodeError as error:
            raise SnapshotError(f"a text cannot be written as UTF-8: {error.reason}", path=path) from error


def _metric_rows(one: Series, rest: Iterable[str], times: dict[datetime, str], cells: Cells) -> str:
    """The rows of a series, which differ in time and value alone."""
    before, after = f"{quoted(one.metric)}\t", "".join(f"\t{quoted(cell)}" for cell in rest) + "\n"
    rows = []
    for time, value in one.points:
        written = times.get(time)
        if written is None:
            written = times[time] = cells.time(time)
        rows.append(f"{before}{written}\t{value!r}{after}")
    return "".join(rows)


def _pod_cells(one: Series) -> Iterable[str]:
    return one.object_name, one.labels.get("namespace", ""), repr(dict(one.labels))


def _service_cells(one: Series) -> Iterable[str]:
    labels = one.labels
    namespace, le, status = (labels.get(name, "") for name in ("namespace", "le", "status_code"))
    return one.object_name, namespace, le, repr(dict(labels)), one.purpose, status


def _document_row(cells: Cells, time: datetime, body: str, resource: str, attributes: str) -> str:
    """A row of a recorder of documents; `body` is a cell already."""
    return (
        f"{cells.time(time)}\t{cells.second(time)}\t\t\t0\t\t0\t\t{body}\t\t{cells.text(resource)}\t"
        f"\t\t\t{{}}\t{cells.text(attributes)}\n"
    )


def _rfc3339(time: datetime) -> str:
    return time.astimezone(UTC).isoformat("T", "microseconds")[:26] + "Z"
