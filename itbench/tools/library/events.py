"""Kubernetes events: one by one, and what they amount to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Field

from itbench.model.entity import canonical_kind
from itbench.snapshot.filters import Filter, page
from itbench.tools.arguments import Limit, Namespace, Offset, Since, Until
from itbench.tools.errors import ToolError, did_you_mean
from itbench.tools.registry import tool
from itbench.tools.render import paged
from itbench.tools.session import Session

Kind = Annotated[str | None, Field(description="Only about objects of this kind, such as Pod.")]
Name = Annotated[str | None, Field(description="Only about objects with this name; cart* means: beginning with cart.")]
Type = Annotated[Literal["Normal", "Warning"] | None, Field(description="Only this type.")]
Reason = Annotated[str | None, Field(description="Only this reason, such as BackOff.")]


@tool()
def events(
    session: Session,
    namespace: Namespace = None,
    kind: Kind = None,
    name: Name = None,
    reason: Reason = None,
    type: Type = None,  # noqa: A002 - the field's own name
    since: Since = None,
    until: Until = None,
    limit: Limit = 50,
    offset: Offset = 0,
) -> str:
    """Kubernetes events by time: type, reason, the object that each is about, how often it had happened, and its message."""
    found = _filter(session, namespace, kind, name, reason, type, since, until)
    rows = session.snapshot.query(
        f"SELECT time, type, reason, namespace, kind, name, count, component, message FROM stored.events {found} "
        f"ORDER BY time, row {page(limit, offset)}",
        found.values,
    )

    def cells(row: Sequence[Any]) -> Sequence[Any]:
        time, severity, why, place, what, who, count, component, message = row
        return session.utc(time), severity, why, _entity(place, what, who), count, component, message

    columns = ("time", "type", "reason", "object", "count", "component", "message")
    return paged(columns, rows, cells, total=session.count("events", found), offset=offset, what="events")


@tool()
def event_summary(
    session: Session,
    namespace: Namespace = None,
    kind: Kind = None,
    name: Name = None,
    reason: Reason = None,
    type: Type = None,  # noqa: A002
    since: Since = None,
    until: Until = None,
    limit: Limit = 50,
    offset: Offset = 0,
) -> str:
    """Kubernetes events grouped by type, reason and object: sightings, first and last time, and the last message.

    Warnings come first, then what was seen most often.
    """
    found = _filter(session, namespace, kind, name, reason, type, since, until)
    grouped = f"""SELECT type, reason, namespace, kind, name, count(*) AS seen, max(count), min(time), max(time),
        arg_max(message, (time, row)) FROM stored.events {found} GROUP BY type, reason, namespace, kind, name"""
    rows = session.snapshot.query(
        f"{grouped} ORDER BY type <> 'Warning', seen DESC, type, reason, namespace, kind, name {page(limit, offset)}",
        found.values,
    )
    total = session.snapshot.query(f"SELECT count(*) FROM ({grouped})", found.values)[0][0]

    def cells(row: Sequence[Any]) -> Sequence[Any]:
        severity, why, place, what, who, seen, count, first, last, message = row
        return severity, why, _entity(place, what, who), seen, count, session.utc(first), session.utc(last), message

    columns = ("type", "reason", "object", "seen", "count", "first", "last", "last_message")
    return paged(columns, rows, cells, total=total, offset=offset, what="groups of events")


def _filter(
    session: Session,
    namespace: str | None,
    kind: str | None,
    name: str | None,
    reason: str | None,
    severity: str | None,
    since: str | None,
    until: str | None,
) -> Filter:
    first, last = session.window(since, until)
    kind = None if kind is None else canonical_kind(kind) or kind
    for column, value in (("namespace", namespace), ("kind", kind), ("reason", reason)):
        _known(session, column, value)
    found = Filter(first, last).equal(namespace=namespace, kind=kind, reason=reason, type=severity)
    if name is not None and name.endswith("*"):
        return found.add("starts_with(name, ?)", name[:-1])
    return found.equal(name=name)


def _known(session: Session, column: str, value: str | None) -> None:
    if value is None:
        return
    rows = session.once(
        f"events by {column}",
        lambda: session.snapshot.query(f"SELECT DISTINCT {column} FROM stored.events ORDER BY 1"),
    )
    known = [each for (each,) in rows]
    if value not in known:
        raise ToolError(f"no event has the {column} {value[:100]!r}", hint=did_you_mean(value, known))


def _entity(namespace: str, kind: str, name: str) -> str:
    return "/".join(part for part in (namespace, kind, name) if part)
