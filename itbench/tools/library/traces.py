"""Traces: which there are, one as a tree, where errors began, and how calls between services changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from itbench.snapshot.filters import Filter
from itbench.tools.arguments import Limit, Offset, Since, Until
from itbench.tools.calls import CallChange, Measure
from itbench.tools.calls import call_changes as changes_of_calls
from itbench.tools.clock import iso
from itbench.tools.errors import ToolError
from itbench.tools.registry import tool
from itbench.tools.render import duration, paged
from itbench.tools.session import Session
from itbench.tools.trace_table import Trace, failed, find, with_service
from itbench.tools.trees import ErrorPath, Node, error_paths, tree

Service = Annotated[str | None, Field(description="Only this service.")]
Pivot = Annotated[str | None, Field(description="The time that parts before from after; default: the incident.")]
_SAMPLE = 1000  # failed traces that are looked at on either side
_SPANS = 2000  # of one trace


@tool()
def traces(
    session: Session,
    service: Annotated[str | None, Field(description="Only traces with a span of this service.")] = None,
    status: Annotated[Literal["Error"] | None, Field(description="Error: only traces in which something failed.")] = None,
    min_duration_ms: Annotated[float | None, Field(ge=0, description="Only traces that took at least so long.")] = None,
    since: Since = None,
    until: Until = None,
    order: Annotated[Literal["time", "slowest", "errors"], Field(description="What comes first.")] = "time",
    limit: Limit = 30,
    offset: Offset = 0,
) -> str:
    """Traces with their root span, duration, number of spans, of errors and of services. `trace` shows one of them."""
    first, last = session.window(since, until)
    found = with_service(Filter(first, last), session.one_of_services(service))
    found.add("errors >= ?", 1 if status else None)
    found.add("duration_ns >= ?", None if min_duration_ms is None else min_duration_ms * 1e6)
    rows, total = find(session, found, order, limit, offset)

    def cells(row: Trace) -> Sequence[Any]:
        return row.time, row.trace_id, row.service, row.name, f"{row.duration_ns / 1e6:.1f}", row.spans, row.errors

    columns = ("time", "trace_id", "service", "root", "ms", "spans", "errors")
    return paged(columns, rows, cells, total=total, offset=offset, what="traces")


@tool()
def trace(
    session: Session,
    trace_id: Annotated[
        str | None,
        Field(description="From traces, trace_errors or logs. Default: the slowest failed trace of the incident."),
    ] = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> str:
    """One trace as a tree of spans with durations, self-times and errors. `*` marks the critical path.

    The share is the part of the whole trace that this span itself was waited for; the largest shares are what made it slow.
    """
    wanted = trace_id or _worst(session)
    spans = session.snapshot.spans(trace_id=wanted, limit=_SPANS)
    if not spans:
        raise ToolError(f"there is no trace {wanted[:100]!r}", hint="traces lists those that there are, with their full ids")
    nodes = tree(spans)
    whole = sum(node.critical_ns for node in nodes) or 1

    def cells(node: Node) -> Sequence[Any]:
        span = node.span
        mark = "*" if node.critical_ns else " "
        share = f"{node.critical_ns / whole:.0%}" if node.critical_ns else ""
        name = f"{'  ' * min(node.depth, 30)}{mark}{span.service}: {span.name}"
        status = (
            f"{span.status} {span.status_message}".strip() if span.status == "Error" or span.status_message else span.status
        )
        after = (span.time - spans[0].time).total_seconds() * 1e3
        return name, span.kind, f"+{after:.1f}", f"{span.duration_ms:.1f}", f"{node.self_ns / 1e6:.1f}", share, status

    columns = ("span", "kind", "start_ms", "ms", "self_ms", "share", "status")
    head = f"trace {wanted} from {iso(spans[0].time)}, {len(spans)} spans, {sum(s.status == 'Error' for s in spans)} failed"
    body = paged(columns, nodes[offset : offset + limit], cells, total=len(nodes), offset=offset, what="spans")
    return f"{head}\n{body}"


@tool()
def trace_errors(
    session: Session,
    service: Annotated[str | None, Field(description="Only paths that go through this service.")] = None,
    pivot: Pivot = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 30,
    offset: Offset = 0,
) -> str:
    """The error tree: where errors began (the deepest span that failed), by the path of services that they came up.

    Counts are of failed spans before and after the incident. The last service of a path is the first suspect; if its span
    is a Client's, the one that it called.
    """
    first, middle, last = session.around(since, pivot, until)
    named = session.one_of_services(service)
    every, counts = session.recently(
        ("error paths", first, middle, last), lambda: _error_paths(session, first, middle, last)
    )
    paths = [path for path in every if named is None or named in path.services]

    def cells(path: ErrorPath) -> Sequence[Any]:
        return " > ".join(path.services), path.operation, path.kind, path.message, path.before, path.after, path.example

    sampled = "" if max(counts) <= _SAMPLE else f"; the counts below are of {_SAMPLE} of them on either side, at most"
    head = (
        f"{counts[0]} failed traces in {duration((middle - first).total_seconds())} before {iso(middle)}, "
        f"{counts[1]} in {duration((last - middle).total_seconds())} after{sampled}"
    )
    columns = ("path", "operation", "kind", "message", "before", "after", "example_trace")
    body = paged(columns, paths[offset : offset + limit], cells, total=len(paths), offset=offset, what="error paths")
    return f"{head}\n{body}"


@tool()
def call_changes(
    session: Session,
    service: Annotated[str | None, Field(description="Only calls from or to this service.")] = None,
    pivot: Pivot = None,
    since: Since = None,
    until: Until = None,
    by_operation: Annotated[bool, Field(description="Each operation (span name) for itself.")] = False,
    limit: Limit = 40,
    offset: Offset = 0,
) -> str:
    """Calls between services before and after the incident: rate, share of errors, median and 95th percentile latency.

    States: critical (errors +50 points or p95 doubled), new, vanished, warning (+10 points or +10 %), steady; worst first.
    A callee in [brackets] left no span of its own: it is what the caller's span names, as when a service cannot be reached.
    """
    first, middle, last = session.around(since, pivot, until)
    found = changes_of_calls(
        session, first, middle, last, service=session.one_of_services(service), by_operation=by_operation
    )  # fmt: skip

    def cells(one: CallChange) -> Sequence[Any]:
        callee = one.callee if one.answered else f"[{one.callee}]"
        name = (one.operation,) if by_operation else ()
        return one.state, one.caller, callee, *name, *_both(one, "count"), *_both(one, "per_minute"), *(
            _both(one, "error_share")
        ), *_both(one, "p50_ms"), *_both(one, "p95_ms")  # fmt: skip

    name = ("operation",) if by_operation else ()
    figures = [f"{figure}{side}" for figure in ("calls", "per_min", "errors", "p50_ms", "p95_ms") for side in ("", "_after")]
    columns = ("state", "caller", "callee", *name, *figures)
    head = f"before: {iso(first)} to {iso(middle)}, after: to {iso(last)}"
    body = paged(columns, found[offset : offset + limit], cells, total=len(found), offset=offset, what="edges")
    return f"{head}\n{body}"


def _both(one: CallChange, figure: str) -> tuple[str, str]:
    return _figure(one.before, figure), _figure(one.after, figure)


def _figure(measure: Measure, figure: str) -> str:
    value = getattr(measure, figure)
    if value is None:
        return "-"
    if figure == "error_share":
        return f"{value:.1%}"
    return str(value) if figure == "count" else f"{value:.1f}"


def _worst(session: Session) -> str:
    for found in (Filter(session.clock.incident).add("errors >= ?", 1), Filter()):
        rows, _ = find(session, found, "slowest", 1, 0)
        if rows:
            return rows[0].trace_id
    raise ToolError("no spans were recorded: there are no traces")


def _error_paths(
    session: Session, first: datetime, middle: datetime, last: datetime
) -> tuple[list[ErrorPath], tuple[int, int]]:
    early, all_early = failed(session, first, middle, _SAMPLE)
    late, all_late = failed(session, middle, last, _SAMPLE)
    return error_paths(early, late), (all_early, all_late)
