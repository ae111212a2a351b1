"""Open a scenario folder and ask it: alerts, events, objects, logs, spans, metrics, or SQL.

    with open_snapshot(Path("Scenario-2")) as snapshot:
        for event in snapshot.events(namespace="shop", type="Warning"):
            print(event.time, event.involved, event.reason, event.message)

Every query takes a time window `since` ≤ time < `until` (naive means UTC) and filters, and answers in a stable order:
by time, then as in the files (spans: by time, trace and span id).
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from itbench.model.entity import Entity
from itbench.model.errors import SnapshotError
from itbench.snapshot import cache
from itbench.snapshot.cost_files import Bill, bill_of
from itbench.snapshot.documents import UnreadableError, read_document
from itbench.snapshot.filters import Filter, naive_utc, page
from itbench.snapshot.layout import COSTS, FAMILIES, TELEMETRY, Family, InputFile, discover
from itbench.snapshot.records import (
    Alert,
    AlertSummary,
    Check,
    Event,
    LogRecord,
    MetricName,
    ObjectVersion,
    Problem,
    Series,
    Span,
)
from itbench.snapshot.sql import SqlProcess, Table
from itbench.snapshot.store import PART_ROWS, Store
from itbench.snapshot.values import manifest_of, mapped, utc

DEFAULT_LIMIT = 1000
_ROWS = PART_ROWS << 20  # more than any row of `stored`


def open_snapshot(folder: Path, *, cache_dir: Path | None = None) -> Snapshot:
    """Open the snapshot in a scenario folder, reading its files into the cache if their content is not there yet.

    Args:
        folder: holds the TSV and JSON files of a recorder; it is only read.
        cache_dir: where the columnar cache lies; the user's cache folder by default.

    Raises:
        SnapshotError: there is no such folder, no file of a snapshot in it, or the cache cannot be written.
    """
    files = discover(folder)
    if not files:
        raise SnapshotError(
            "there is no snapshot here",
            path=folder,
            hint="Expected files such as k8s_events_raw.tsv, otel_logs_raw.tsv, alerts/*.json, metrics/*.tsv or data.csv",
        )
    return Snapshot(files, cache.entry(files, folder, cache_dir or cache.default_folder()))


class Snapshot:
    """An open snapshot; a context manager. Made by `open_snapshot`. Threads may share it."""

    def __init__(self, files: Sequence[InputFile], entry: cache.Entry) -> None:
        self._entry = entry
        self._topologies = [file for file in files if file.family == "topology"]
        self._costs = {file.name: file.path for file in files if file.family == "costs"}
        self._store = Store(entry.parts)
        self._sql = SqlProcess(entry.parts)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Release the database and its processes."""
        self._sql.close()
        self._store.close()

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What could not be read, up to 100 for each file; `check` has the full counts."""
        return self._entry.problems

    def check(self) -> Check:
        """Rows and problems of every file, and the kinds of input that the folder lacks."""
        present = {report.family for report in self._entry.files}
        missing = tuple(family for family in FAMILIES if family in self._entry.parts and family not in present)
        return Check(self._entry.files, self._entry.problems, missing)

    def span_of_time(self) -> tuple[datetime, datetime] | None:
        """First and last time of anything recorded, or None if nothing is."""
        ends = " UNION ALL ".join(
            f"SELECT min(time) AS first, max(time) AS last FROM stored.{family}" for family in TELEMETRY
        )
        first, last = self._store.rows(f"SELECT min(first), max(last) FROM ({ends})")[0]
        return None if first is None else (utc(first), utc(last))

    def telemetry_start(self) -> datetime | None:
        """The first alert, log record, span or sample; events and objects may tell of times long before it."""
        firsts = " UNION ALL ".join(
            f"SELECT min(time) AS first FROM stored.{family}" for family in ("alerts", "logs", "spans", "metrics")
        )
        ((first,),) = self._store.rows(f"SELECT min(first) FROM ({firsts})")
        return None if first is None else utc(first)

    def query(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Rows of a query of our own over the views and over `stored` (itbench/snapshot/store.py); times are naive UTC.

        It runs in this process, without the limits of `sql`: never pass it text that somebody else wrote, but as `values`.

        Raises:
            SnapshotError: the snapshot is closed, or memory is short.
        """
        return self._store.rows(query, values)

    def alerts(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        name: str | None = None,
        entity: str | None = None,
        state: str | None = None,
        limit: int | None = DEFAULT_LIMIT,
        offset: int = 0,
    ) -> list[Alert]:
        """Sightings of alerts."""
        found = Filter(since, until).equal(name=name, entity=entity, state=state)
        rows = self._store.rows(
            "SELECT time, labels, state, active_since, value, annotations "
            f"FROM stored.alerts {found} ORDER BY time, row {page(limit, offset)}",
            found.values,
        )
        return [
            Alert(utc(time), mapped(labels), state, active_since and utc(active_since), value, mapped(annotations))
            for time, labels, state, active_since, value, annotations in rows
        ]

    def alert_summaries(
        self, *, since: datetime | None = None, until: datetime | None = None, limit: int | None = DEFAULT_LIMIT
    ) -> list[AlertSummary]:
        """Firing alerts by name, entity and severity, in the order in which they became active."""
        found = Filter(since, until).equal(state="firing")
        rows = self._store.rows(
            f"""SELECT name, entity, severity, min(namespace), min(time), max(time),
                max(time) - least(min(active_since), min(time)) AS duration, count(*)
            FROM stored.alerts {found} GROUP BY name, entity, severity
            ORDER BY least(min(active_since), min(time)), name, entity, severity {page(limit)}""",
            found.values,
        )
        return [
            AlertSummary(name, entity, severity, namespace, utc(first), utc(last), duration, count)
            for name, entity, severity, namespace, first, last, duration, count in rows
        ]

    def events(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        namespace: str | None = None,
        kind: str | None = None,
        name: str | None = None,
        reason: str | None = None,
        type: str | None = None,  # noqa: A002 - the field's own name
        limit: int | None = DEFAULT_LIMIT,
        offset: int = 0,
    ) -> list[Event]:
        """Kubernetes events, about the object with `kind` and `name`."""
        found = Filter(since, until).equal(namespace=namespace, kind=kind, name=name, reason=reason, type=type)
        rows = self._store.rows(
            "SELECT time, namespace, kind, name, reason, message, type, count, component, watch, recorded_at "
            f"FROM stored.events {found} ORDER BY time, row {page(limit, offset)}",
            found.values,
        )
        return [
            Event(
                utc(time),
                Entity(namespace=namespace or None, kind=kind or None, name=name),
                reason,
                message,
                severity,
                count,
                component,
                watch,
                recorded_at and utc(recorded_at),
            )
            for time, namespace, kind, name, reason, message, severity, count, component, watch, recorded_at in rows
        ]

    def objects_at(
        self,
        time: datetime | None = None,
        *,
        namespace: str | None = None,
        kind: str | None = None,
        name: str | None = None,
        limit: int | None = DEFAULT_LIMIT,
        offset: int = 0,
    ) -> list[ObjectVersion]:
        """The last version of each object that was observed until `time` (inclusive; by default the end), by identifier.

        Objects whose removal a watch reported are left out. A recorder that only polls does not report removals: compare
        the version's `time`.
        """
        found = Filter().equal(namespace=namespace, kind=kind, name=name).add("time <= ?", naive_utc(time))
        # One number holds time, row and removal, in this order: that is quicker than comparing tuples.
        latest = self._store.rows(
            f"SELECT max((epoch_us(time)::HUGEINT * {_ROWS} + row) * 2 + deleted::INTEGER) FROM stored.objects {found} "
            "GROUP BY namespace, kind, name ORDER BY namespace, kind, name",
            found.values,
        )
        rows = [rank // 2 % _ROWS for (rank,) in latest if rank % 2 == 0]
        rows = rows[offset : None if limit is None else offset + limit]
        numbers = ", ".join(map(str, rows)) or "NULL"
        versions = self._object_versions(f"WHERE row IN ({numbers}) ORDER BY row", ())
        by_row = dict(zip(sorted(rows), versions, strict=True))
        return [by_row[row] for row in rows]

    def object_history(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        namespace: str | None = None,
        kind: str | None = None,
        name: str | None = None,
        limit: int | None = DEFAULT_LIMIT,
        offset: int = 0,
    ) -> list[ObjectVersion]:
        """Every observation of the objects that fit."""
        found = Filter(since, until).equal(namespace=namespace, kind=kind, name=name)
        return self._object_versions(f"{found} ORDER BY time, row {page(limit, offset)}", found.values)

    def _object_versions(self, which: str, values: Sequence[object]) -> list[ObjectVersion]:
        rows = self._store.rows(f"SELECT time, kind, json(manifest)::VARCHAR, deleted FROM stored.objects {which}", values)
        return [ObjectVersion(utc(time), manifest_of(text, kind), deleted) for time, kind, text, deleted in rows]

    def logs(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        service: str | None = None,
        namespace: str | None = None,
        pod: str | None = None,
        min_severity: int | None = None,
        contains: str | None = None,
        trace_id: str | None = None,
        limit: int | None = DEFAULT_LIMIT,
        offset: int = 0,
    ) -> list[LogRecord]:
        """Log records; `min_severity` is OpenTelemetry's number (13 is WARN, 17 ERROR), `contains` is sought in the body."""
        found = (
            Filter(since, until)
            .equal(service=service, trace_id=trace_id)
            .add("severity_number >= ?", min_severity)
            .add("contains(body, ?)", contains)
            .attribute("resource", "k8s.namespace.name", namespace)
            .attribute("resource", "k8s.pod.name", pod)
        )
        rows = self._store.rows(
            "SELECT time, body, service, severity, severity_number, trace_id, span_id, resource, attributes "
            f"FROM stored.logs {found} ORDER BY time, row {page(limit, offset)}",
            found.values,
        )
        return [
            LogRecord(utc(time), body, service, severity, number, trace, span, mapped(resource), mapped(attributes))
            for time, body, service, severity, number, trace, span, resource, attributes in rows
        ]

    def spans(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        service: str | None = None,
        name: str | None = None,
        namespace: str | None = None,
        trace_id: str | None = None,
        status: str | None = None,
        min_duration_ms: float | None = None,
        limit: int | None = DEFAULT_LIMIT,
        offset: int = 0,
    ) -> list[Span]:
        """Spans; `status` is Unset, Ok or Error."""
        found = (
            Filter(since, until)
            .equal(service=service, name=name, trace_id=trace_id, status=status)
            .add("duration_ns >= ?", None if min_duration_ms is None else min_duration_ms * 1e6)
            .attribute("resource", "k8s.namespace.name", namespace)
        )
        rows = self._store.rows(
            "SELECT time, trace_id, span_id, parent_span_id, name, service, duration_ns, kind, status, status_message, "
            f"resource, attributes FROM stored.spans {found} ORDER BY time, trace_id, span_id {page(limit, offset)}",
            found.values,
        )
        return [
            Span(
                utc(time),
                trace,
                span,
                parent,
                name,
                service,
                ns,
                kind,
                status,
                message,
                mapped(resource),
                mapped(attributes),
            )
            for time, trace, span, parent, name, service, ns, kind, status, message, resource, attributes in rows
        ]

    def metric_names(self, *, object_name: str | None = None) -> list[MetricName]:
        """The metrics that there are, by name."""
        found = Filter().equal(object_name=object_name)
        rows = self._store.rows(
            "SELECT metric, count(DISTINCT (object_kind, object_name, labels, purpose)), count(*), min(time), max(time) "
            f"FROM stored.metrics {found} GROUP BY metric ORDER BY metric",
            found.values,
        )
        return [MetricName(metric, series, samples, utc(first), utc(last)) for metric, series, samples, first, last in rows]

    def series(
        self,
        *,
        metric: str | None = None,
        object_kind: str | None = None,
        object_name: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int | None = DEFAULT_LIMIT,
        offset: int = 0,
    ) -> list[Series]:
        """One series for each metric, object and label set, in that order; `limit` counts series."""
        found = Filter(since, until).equal(metric=metric, object_kind=object_kind, object_name=object_name)
        rows = self._store.rows(
            "SELECT metric, object_kind, object_name, labels, list(time ORDER BY time, row), "
            "list(value ORDER BY time, row), purpose "
            f"FROM stored.metrics {found} GROUP BY metric, object_kind, object_name, labels, purpose "
            f"ORDER BY metric, object_kind, object_name, labels, purpose {page(limit, offset)}",
            found.values,
        )
        return [
            Series(metric, kind, name, mapped(labels), tuple(zip(map(utc, times), values, strict=True)), purpose)
            for metric, kind, name, labels, times, values, purpose in rows
        ]

    def topologies(self) -> dict[str, Any]:
        """The topology documents by file name, as JSON values; those that cannot be read are among the problems."""
        found = {}
        for file in self._topologies:
            with suppress(UnreadableError):
                found[file.name] = read_document(file.path, file.name)
        return found

    def bill(self) -> Bill | None:
        """The bill of a FinOps scenario, or None where there is none that can be used; its rows are in `stored.costs`.

        Raises:
            SnapshotError: the file has gone or cannot be read any more.
        """
        if not self.has("costs"):
            return None
        return bill_of(self._costs, self._store)

    def has(self, family: Family) -> bool:
        """Whether there is a table of this family of FinOps files."""
        return family in COSTS and bool(self._entry.parts.get(family))

    def sql(self, query: str, *, limit: int = DEFAULT_LIMIT, timeout: float = 30.0) -> Table:
        """The answer to one SELECT over alerts, events, objects, logs, spans and metrics, safe for untrusted authors.

        It runs in a process of its own, with 2 GB of address space. Times are UTC. Maps are JSON:
        `SELECT time, body FROM logs WHERE resource->>'k8s.pod.name' = 'cart-0'`.

        Args:
            query: one SELECT in DuckDB's SQL. It can read these tables only: no file, no setting, no ground truth.
            limit: rows to return at most.
            timeout: seconds after which the query is stopped.

        Raises:
            SnapshotError: the query is not one SELECT, is wrong, or takes too much time or memory.
        """
        return self._sql.ask(query, limit, timeout)
