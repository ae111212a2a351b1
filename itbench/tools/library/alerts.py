"""Alerts: what fired, when, about what."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from itbench.snapshot.filters import Filter
from itbench.snapshot.records import Alert, AlertSummary
from itbench.tools.arguments import Limit, Offset, Since, Until
from itbench.tools.errors import ToolError, did_you_mean
from itbench.tools.registry import tool
from itbench.tools.render import paged
from itbench.tools.session import Session


@tool()
def alert_summary(session: Session, since: Since = None, until: Until = None, limit: Limit = 50, offset: Offset = 0) -> str:
    """Firing alerts, one row for each rule, entity and severity, in the order in which they became active.

    Gives when each became active, when it was first and last seen, how long it lasted and how often it was seen.
    The earliest alerts are nearest to the cause.
    """
    first, last = session.window(since, until)
    found = session.snapshot.alert_summaries(since=first, until=last, limit=None)

    def cells(one: AlertSummary) -> tuple[object, ...]:
        active = one.last_seen - one.duration
        seen = (one.first_seen, one.last_seen, one.duration, one.count)
        return (active, one.name, one.entity, one.namespace, one.severity, *seen)

    columns = ("active_since", "alert", "entity", "namespace", "severity", "first_seen", "last_seen", "duration", "seen")
    return paged(columns, found[offset : offset + limit], cells, total=len(found), offset=offset, what="firing alerts")


@tool()
def alerts(
    session: Session,
    name: Annotated[str | None, Field(description="Only the alerts of this rule.")] = None,
    entity: Annotated[str | None, Field(description="Only alerts about this service, pod or other label value.")] = None,
    state: Annotated[str | None, Field(description="Only this state: firing, pending or inactive.")] = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 50,
    offset: Offset = 0,
) -> str:
    """Each sighting of each alert with its labels, annotations and value, by time. alert_summary is shorter."""
    first, last = session.window(since, until)
    for column, value in (("name", name), ("entity", entity), ("state", state)):
        _known(session, column, value)
    total = session.count("alerts", Filter(first, last).equal(name=name, entity=entity, state=state))
    found = session.snapshot.alerts(
        since=first, until=last, name=name, entity=entity, state=state, limit=limit, offset=offset
    )  # fmt: skip

    def cells(one: Alert) -> tuple[object, ...]:
        labels, notes = (
            ", ".join(f"{key}={value}" for key, value in each.items()) for each in (one.labels, one.annotations)
        )
        return one.time, one.name, one.state, one.entity, one.active_since, one.value, labels, notes

    columns = ("time", "alert", "state", "entity", "active_since", "value", "labels", "annotations")
    return paged(columns, found, cells, total=total, offset=offset, what="sightings of alerts")


def _known(session: Session, column: str, value: str | None) -> None:
    if value is None:
        return
    known = [each for (each,) in session.snapshot.query(f"SELECT DISTINCT {column} FROM stored.alerts ORDER BY 1")]
    if value not in known:
        raise ToolError(f"no alert has the {column} {value[:100]!r}", hint=did_you_mean(value, known))
