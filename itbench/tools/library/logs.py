"""Logs: records, and the patterns that they follow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Field

from itbench.snapshot.filters import Filter, page
from itbench.tools.arguments import Limit, Namespace, Offset, Since, Until
from itbench.tools.clock import iso
from itbench.tools.log_lines import Pattern, examples, patterns
from itbench.tools.registry import tool
from itbench.tools.render import paged
from itbench.tools.session import Session

Service = Annotated[str | None, Field(description="Only this service.")]
Severity = Annotated[
    Literal["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"] | None, Field(description="The least severity.")
]
_NUMBERS = {"TRACE": 1, "DEBUG": 5, "INFO": 9, "WARN": 13, "ERROR": 17, "FATAL": 21}
# Recorders do not always number severities; programs spell them in many ways.
_SPELLINGS = {"TRACE": ["trace"], "DEBUG": ["debug"], "INFO": ["info", "information", "notice"],
              "WARN": ["warn", "warning"], "ERROR": ["error", "err", "severe"],
              "FATAL": ["fatal", "critical", "crit", "panic", "emergency", "alert"]}  # fmt: skip


@tool()
def logs(
    session: Session,
    service: Service = None,
    namespace: Namespace = None,
    pod: Annotated[str | None, Field(description="Only this pod.")] = None,
    min_severity: Severity = None,
    contains: Annotated[str | None, Field(description="Only records with this text, whatever its case.")] = None,
    excludes: Annotated[str | None, Field(description="Only records without this text.")] = None,
    trace_id: Annotated[str | None, Field(description="Only records of this trace.")] = None,
    since: Since = None,
    until: Until = None,
    order: Annotated[Literal["oldest", "newest"], Field(description="Which come first.")] = "oldest",
    limit: Limit = 50,
    offset: Offset = 0,
) -> str:
    """Log records by time, with their service, pod and severity. Long records are cut; log_patterns gives an overview."""
    first, last = session.window(since, until)
    found = Filter(first, last).equal(service=session.one_of_services(service), trace_id=trace_id)
    _at_least(found, min_severity)
    found.add("contains(lower(body), lower(?))", contains).add("NOT contains(lower(body), lower(?))", excludes)
    found.attribute("resource", "k8s.namespace.name", namespace).attribute("resource", "k8s.pod.name", pod)
    direction = "DESC" if order == "newest" else "ASC"
    rows = session.snapshot.query(
        "SELECT time, service, map_json(resource)->>'$.\"k8s.pod.name\"', severity, trace_id, body "
        f"FROM stored.logs {found} ORDER BY time {direction}, row {direction} {page(limit, offset)}",
        found.values,
    )

    def cells(row: Sequence[Any]) -> Sequence[Any]:
        return session.utc(row[0]), *row[1:]

    columns = ("time", "service", "pod", "severity", "trace_id", "body")
    return paged(columns, rows, cells, total=session.count("logs", found), offset=offset, what="log records", cell=800)


@tool()
def log_patterns(
    session: Session,
    service: Service = None,
    min_severity: Severity = None,
    pivot: Annotated[str | None, Field(description="The time that parts before from after; default: the incident.")] = None,
    since: Since = None,
    until: Until = None,
    only_new: Annotated[bool, Field(description="Only patterns that were not there before the pivot.")] = False,
    similarity: Annotated[float, Field(gt=0, lt=1, description="How alike lines must be to be one pattern.")] = 0.5,
    limit: Limit = 40,
    offset: Offset = 0,
) -> str:
    """Patterns of log lines by service and severity, with counts before and after the incident, and an example of each.

    Patterns that are new after the pivot come first, then those of high severity whose number grew most.
    """
    first, middle, last = session.around(since, pivot, until)
    found = Filter(first, last).equal(service=session.one_of_services(service))
    _at_least(found, min_severity)
    every, total, merged = patterns(session, found, middle, similarity)
    lengths = (middle - first).total_seconds() or 1.0, (last - middle).total_seconds() or 1.0
    ranked = sorted(every, key=lambda one: _interest(one, lengths))
    if only_new:
        ranked = [one for one in ranked if one.is_new]
    shown = ranked[offset : offset + limit]
    bodies = examples(session, (one.row for one in shown))

    def cells(one: Pattern) -> Sequence[Any]:
        state = "NEW" if one.is_new else "gone" if not one.after else ""
        return one.service, one.severity, state, one.before, one.after, one.first, one.text, bodies.get(one.row, "")

    how = "" if merged else "; masked only: pip install 'itbench[logs]' merges what differs in words"
    head = f"{total} records, before and after {iso(middle)}{how}"
    columns = ("service", "severity", "state", "before", "after", "first", "pattern", "example")
    return f"{head}\n{paged(columns, shown, cells, total=len(ranked), offset=offset, what='patterns', cell=300)}"


def _at_least(found: Filter, severity: str | None) -> None:
    if severity is not None:
        names = list(_NUMBERS)
        spellings = [spelling for name in names[names.index(severity) :] for spelling in _SPELLINGS[name]]
        known = ", ".join(f"'{spelling}'" for spelling in spellings)
        found.add(f"(severity_number >= ? OR (severity_number = 0 AND lower(severity) IN ({known})))", _NUMBERS[severity])


def _interest(one: Pattern, lengths: tuple[float, float]) -> tuple[int, int, float, str, str, str]:
    growth = one.after / lengths[1] - one.before / lengths[0]
    grave = one.severity.lower() in {spelling for name in ("WARN", "ERROR", "FATAL") for spelling in _SPELLINGS[name]}
    return (0 if one.is_new else 1, 0 if grave else 1, -growth, one.service, one.severity, one.text)
