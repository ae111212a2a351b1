"""Alerts: what fired, when, about what."""

from __future__ import annotations



from itbench.snapshot.records import AlertSummary
from itbench.tools.arguments import Limit, Offset, Since, Until
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
        return (active, one.name, one.entity, one.namespace, one.severity, one.first_seen, one.last_seen, one.duration, one.count)

    columns = ("active_since", "alert", "entity", "namespace", "severity", "first_seen", "last_seen", "duration", "seen")
    return paged(columns, found[offset : offset + limit], cells, total=len(found), offset=offset, what="firing alerts")
