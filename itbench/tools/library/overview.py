"""Where to begin: what is known of the incident, in one page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from itbench.tools.calls import CallChange
from itbench.tools.calls import call_changes as changes_of_calls
from itbench.tools.library.objects import change_cells
from itbench.tools.registry import tool
from itbench.tools.render import duration, sections, table
from itbench.tools.session import Session

_MOST = 12


@tool()
def incident_overview(session: Session) -> str:
    """Where to begin: times, what was recorded, first alerts, changes of objects, warnings, and calls that got worse.

    It also says when "incident" is, which times such as incident-10m and the comparisons of other tools go by.
    """
    if session.snapshot.span_of_time() is None and session.snapshot.has("costs"):
        return "This is a FinOps scenario: there are bills and no telemetry. Begin with the tool overview."
    return sections(
        [
            ("Times", _times(session)),
            ("Recorded", _recorded(session)),
            ("Alerts, the first ones first", _alerts(session)),
            ("Changes of objects", _changes(session)),
            ("Warnings of Kubernetes", _warnings(session)),
            ("Calls between services that changed most", _calls(session)),
            ("What could not be read", _problems(session)),
        ]
    )


def _times(session: Session) -> str:
    clock = session.clock
    before, after = (clock.incident - clock.start).total_seconds(), (clock.end - clock.incident).total_seconds()
    why = f"{clock.reason}; {duration(before)} of recording before, {duration(after)} after"
    return f"{clock} ({why}). The cause is usually some minutes earlier than the first alert."


def _recorded(session: Session) -> str:
    rows = session.once(
        "rows",
        lambda: [
            (family, session.snapshot.query(f"SELECT count(*) FROM stored.{family}")[0][0])
            for family in ("alerts", "events", "objects", "logs", "spans", "metrics")
        ],
    )
    kinds = Counter(entity.kind or "?" for entity in session.entities.known)
    namespaces = sorted({entity.namespace for entity in session.entities.known if entity.namespace})
    services = session.entities.services
    return "\n".join(
        [
            ", ".join(f"{family}: {count}" for family, count in rows),
            "kinds: " + (", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items())) or "none"),
            "namespaces: " + (", ".join(namespaces[:30]) or "none"),
            "services with telemetry: " + (", ".join(services[:60]) or "none"),
        ]
    )


def _alerts(session: Session) -> str:
    found = session.snapshot.alert_summaries(limit=None)
    rows = [(one.last_seen - one.duration, one.name, one.entity, one.namespace, one.severity, one.duration) for one in found]
    return _some(("active_since", "alert", "entity", "namespace", "severity", "duration"), rows, "alert_summary")


def _changes(session: Session) -> str:
    # What pods come and go shows up in what made them come and go.
    found = [change for change in session.spec_changes if change.entity.kind not in _CHURN]
    others = len(session.spec_changes) - len(found)
    note = f"\nand {others} of {', '.join(sorted(_CHURN))}" if others else ""
    columns = ("time", "observed", "change", "object", "fields")
    return _some(columns, found, "object_changes", lambda change: change_cells(change, False)) + note


def _warnings(session: Session) -> str:
    rows = session.snapshot.query(
        """SELECT reason, namespace, kind, count(*), count(DISTINCT name), min(time), max(time), arg_max(name, (time, row)),
            arg_max(message, (time, row))
        FROM stored.events WHERE type = 'Warning' GROUP BY reason, namespace, kind ORDER BY 4 DESC, 1, 2, 3"""
    )
    shown = [(*row[:5], session.utc(row[5]), session.utc(row[6]), *row[7:]) for row in rows]
    columns = ("reason", "namespace", "kind", "seen", "objects", "first", "last", "last_object", "last_message")
    return _some(columns, shown, "event_summary")


def _calls(session: Session) -> str:
    first, middle, last = session.clock.start, session.clock.incident, session.after
    if not first < middle < last:
        return ""
    worse = [one for one in changes_of_calls(session, first, middle, last) if one.state != "steady"]

    def errors(one: CallChange) -> Sequence[Any]:
        sides = (one.before, one.after)
        shares = ("-" if each.error_share is None else f"{each.error_share:.0%}" for each in sides)
        return *shares, *("-" if each.p95_ms is None else f"{each.p95_ms:.0f}" for each in sides)

    rows = [
        (
            one.state,
            one.caller,
            one.callee if one.answered else f"[{one.callee}]",
            one.before.count,
            one.after.count,
            *errors(one),
        )
        for one in worse
    ]
    columns = ("state", "caller", "callee", "calls", "calls_after", "errors", "errors_after", "p95_ms", "p95_ms_after")
    return _some(columns, rows, "call_changes")


def _problems(session: Session) -> str:
    check = session.snapshot.check()
    counts = [
        f"{report.file}: {report.problems} problems, {report.rows} rows are usable"
        for report in check.files
        if report.problems
    ]
    missing = f"not recorded at all: {', '.join(check.missing)}" if check.missing else ""
    return "\n".join([*counts[:_MOST], *([missing] if missing else [])])


_CHURN = frozenset({"Pod", "ReplicaSet", "Endpoints", "EndpointSlice"})


def _some(columns: Sequence[str], rows: Sequence[Any], more: str, cells: Callable[[Any], Sequence[Any]] = tuple) -> str:
    """The first rows, and the tool that gives the rest."""
    if not rows:
        return "none"
    rest = f"\nand {len(rows) - _MOST} more: {more}" if len(rows) > _MOST else ""
    return table(columns, map(cells, rows[:_MOST]), cell=240) + rest
