"""Who calls whom, from spans: how often, how slowly, with how many errors, before and after a moment.

A call is a span whose parent is of another service, a root span (called from outside), or a client's span that nothing
answered: its callee is what its attributes name, for a service that is down leaves no span of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from itbench.snapshot.filters import Filter, naive_utc

if TYPE_CHECKING:
    from itbench.tools.session import Session

OUTSIDE = "(outside)"

# What an unanswered client's span says of its callee, the most telling first.
_PEERS = ("peer.service", "server.address", "net.peer.name", "rpc.service", "db.system", "messaging.system", "http.host")

_MAKE = f"""
CREATE TABLE IF NOT EXISTS derived.calls AS
WITH answered AS (
    SELECT DISTINCT c.trace_id, c.parent_span_id AS span_id FROM stored.spans c
    WHERE c.parent_span_id <> '' AND c.kind IN ('Server', 'Consumer')
)
SELECT s.time, coalesce(p.service, '{OUTSIDE}') AS caller, s.service AS callee, s.name AS operation, s.duration_ns,
    s.status = 'Error' AS error, true AS answered
FROM stored.spans s LEFT JOIN stored.spans p ON p.trace_id = s.trace_id AND p.span_id = s.parent_span_id
    AND s.parent_span_id <> ''
WHERE p.service IS NULL AND s.parent_span_id = '' OR p.service <> s.service
UNION ALL
SELECT time, service, split_part(coalesce({", ".join(f"nullif(peer[{n + 1}], '')" for n in range(len(_PEERS)))}), ':', 1),
    name, duration_ns, error, false
FROM (SELECT s.time, s.service, s.name, s.duration_ns, s.status = 'Error' AS error,
        json_extract_string(map_json(s.attributes), [{", ".join(f"'$.{chr(34)}{key}{chr(34)}'" for key in _PEERS)}]) AS peer
    FROM stored.spans s ANTI JOIN answered a ON a.trace_id = s.trace_id AND a.span_id = s.span_id
    WHERE s.kind IN ('Client', 'Producer'))
WHERE coalesce({", ".join(f"nullif(peer[{n + 1}], '')" for n in range(len(_PEERS)))}) IS NOT NULL"""


@dataclass(frozen=True, slots=True)
class Measure:
    """Calls of one window: per minute, share of errors (0–1), median and 95th percentile in ms (None: no calls)."""

    count: int
    per_minute: float
    error_share: float | None
    p50_ms: float | None
    p95_ms: float | None


@dataclass(frozen=True, slots=True)
class CallChange:
    """One edge, before and after a pivot; `answered` is False where the callee sent no span."""

    caller: str
    callee: str
    operation: str
    answered: bool
    before: Measure
    after: Measure

    @property
    def error_change(self) -> float:
        """Of the share of errors, -1 to 1."""
        return (self.after.error_share or 0.0) - (self.before.error_share or 0.0)

    @property
    def latency_ratio(self) -> float | None:
        """p95 after over p95 before."""
        before, after = self.before.p95_ms, self.after.p95_ms
        return None if not before or after is None else after / before

    @property
    def state(self) -> str:
        """`new`, `vanished`, `critical`, `warning` or `steady`.

        Critical: half of the calls more fail, or they take twice as long; warning: a tenth more of either. Latency
        counts where there are five calls on both sides.
        """
        if not self.before.count:
            return "new"
        if not self.after.count:
            return "vanished"
        enough = min(self.before.count, self.after.count) >= _ENOUGH
        ratio = (self.latency_ratio if enough else None) or 1.0
        if self.error_change > 0.5 or ratio > 2.0:
            return "critical"
        return "warning" if self.error_change > 0.1 or ratio > 1.1 else "steady"


def prepare(session: Session) -> None:
    """Work the calls out of the spans, once."""

    def make() -> bool:
        session.snapshot.query("CREATE SCHEMA IF NOT EXISTS derived")
        session.snapshot.query(_MAKE)
        return True

    session.once("calls", make)


def call_changes(
    session: Session,
    since: datetime,
    pivot: datetime,
    until: datetime,
    *,
    service: str | None = None,
    by_operation: bool = False,
) -> list[CallChange]:
    """Every edge in [since, pivot) and [pivot, until), the worst first; of one service, those from it and to it."""
    key = ("call changes", since, pivot, until, by_operation)
    found = session.recently(key, lambda: _changes(session, since, pivot, until, by_operation))
    return [change for change in found if service is None or service in (change.caller, change.callee)]


def _changes(session: Session, since: datetime, pivot: datetime, until: datetime, by_operation: bool) -> list[CallChange]:
    prepare(session)
    found = Filter(since, until)
    operation = "operation" if by_operation else "''"
    rows = session.snapshot.query(
        f"""SELECT caller, callee, {operation} AS op, answered, time >= ? AS late, count(*), sum(error::INTEGER),
            quantile_cont(duration_ns, [0.5, 0.95]) FROM derived.calls {found}
        GROUP BY ALL ORDER BY ALL""",
        [naive_utc(pivot), *found.values],
    )
    minutes = ((pivot - since).total_seconds() / 60, (until - pivot).total_seconds() / 60)
    edges: dict[tuple[str, str, str, bool], list[Measure]] = {}
    for caller, callee, name, answered, late, count, errors, quantiles in rows:
        pair = edges.setdefault((caller, callee, name, answered), [_NONE, _NONE])
        pair[late] = _measure(count, errors, quantiles, minutes[late])
    changes = [CallChange(*edge, *pair) for edge, pair in edges.items()]
    return sorted(changes, key=_badness)


def service_calls(session: Session) -> list[tuple[str, str, int, int]]:
    """Caller, callee, number of calls and of errors, over the whole recording; without calls from outside."""
    prepare(session)
    return [
        (caller, callee, count, errors)
        for caller, callee, count, errors in session.snapshot.query(
            "SELECT caller, callee, count(*), sum(error::INTEGER) FROM derived.calls WHERE caller <> ? AND callee <> '' "
            "GROUP BY ALL ORDER BY ALL",
            [OUTSIDE],
        )
    ]


_ENOUGH = 5
_NONE = Measure(0, 0.0, None, None, None)
_STATES = ("critical", "new", "vanished", "warning", "steady")


def _measure(count: int, errors: int, quantiles: Sequence[float], minutes: float) -> Measure:
    return Measure(count, count / minutes if minutes else 0.0, errors / count, quantiles[0] / 1e6, quantiles[1] / 1e6)


def _badness(change: CallChange) -> tuple[int, float, float, str, str, str]:
    ratio = change.latency_ratio or 1.0
    return (
        _STATES.index(change.state), -change.error_change, -ratio, change.caller, change.callee, change.operation,
    )  # fmt: skip
