"""One row for each trace, worked out of the spans once, and the spans of the traces that failed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from itbench.snapshot.filters import Filter, naive_utc, page
from itbench.snapshot.records import Span
from itbench.tools.session import Session

_MAKE = (
    "CREATE SCHEMA IF NOT EXISTS derived",
    """CREATE TABLE IF NOT EXISTS derived.traces AS SELECT trace_id, min(time) AS time, max(duration_ns) AS duration_ns,
        count(*) AS spans, count(*) FILTER (status = 'Error') AS errors, list(DISTINCT service) AS services,
        arg_min({service: service, name: name}, {below: parent_span_id <> '', time: time, id: span_id}) AS root
    FROM stored.spans WHERE trace_id <> '' GROUP BY trace_id""",
)
_ORDERS = {"time": "time", "slowest": "duration_ns DESC, time", "errors": "errors DESC, time"}


class Trace(NamedTuple):
    """A trace in short; `service` and `name` are of its first root, the duration is that of its longest span."""

    trace_id: str
    time: datetime
    duration_ns: int
    spans: int
    errors: int
    service: str
    name: str


def find(session: Session, found: Filter, order: str, limit: int, offset: int) -> tuple[list[Trace], int]:
    """A page of the traces that fit, and the number of all."""
    _prepare(session)
    total = session.snapshot.query(f"SELECT count(*) FROM derived.traces {found}", found.values)[0][0]
    rows = session.snapshot.query(
        f"""SELECT trace_id, time, duration_ns, spans, errors, root.service, root.name FROM derived.traces {found}
        ORDER BY {_ORDERS[order]}, trace_id {page(limit, offset)}""",
        found.values,
    )
    return [Trace(row[0], session.utc(row[1]), *row[2:]) for row in rows], total


def with_service(found: Filter, service: str | None) -> Filter:
    """Only traces that have a span of `service`."""
    return found.add("list_contains(services, ?)", service)


def failed(session: Session, since: datetime, until: datetime, most: int) -> tuple[dict[str, Sequence[Span]], int]:
    """Spans by trace of the traces in [since, until) that failed, and the number of all these traces.

    Where there are more than `most`, these are spread over them by a hash of their ids.
    """
    _prepare(session)
    values: list[Any] = [naive_utc(since), naive_utc(until)]
    which = "FROM derived.traces WHERE time >= ? AND time < ? AND errors > 0"
    total = session.snapshot.query(f"SELECT count(*) {which}", values)[0][0]
    rows = session.snapshot.query(
        f"""SELECT time, trace_id, span_id, parent_span_id, name, service, duration_ns, kind, status, status_message
        FROM stored.spans SEMI JOIN (
            SELECT trace_id {which} ORDER BY hash(trace_id), trace_id LIMIT {int(most)}) USING (trace_id)
        ORDER BY trace_id, time, span_id""",
        values,
    )
    spans: dict[str, list[Span]] = defaultdict(list)
    for time, trace_id, *rest in rows:
        spans[trace_id].append(Span(session.utc(time), trace_id, *rest))
    return dict(spans), total


def _prepare(session: Session) -> None:
    session.once("traces", lambda: [session.snapshot.query(statement) for statement in _MAKE])
