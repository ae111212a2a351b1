"""SQL over the whole snapshot, in a process that can be stopped."""

from __future__ import annotations

import json
from typing import Annotated, Any

from pydantic import Field

from itbench.model.errors import SnapshotError
from itbench.snapshot.store import VIEWS
from itbench.tools.errors import ToolError
from itbench.tools.registry import tool
from itbench.tools.render import TABLE_CHARS, text
from itbench.tools.session import Session

TIMEOUT = 15.0


@tool(domains=frozenset({"sre", "finops"}))
def sql(
    session: Session,
    query: Annotated[str, Field(description="One SELECT in DuckDB's dialect.", min_length=1, max_length=20_000)],
    limit: Annotated[int, Field(ge=1, le=1000, description="The most rows to give.")] = 100,
) -> str:
    """One read-only SELECT (DuckDB), or DESCRIBE, over the tables alerts, events, objects, logs, spans and metrics.

    alerts(time, name, severity, entity, namespace, state, active_since, value, labels, annotations),
    events(time, namespace, kind, name, reason, message, type, count, component, watch, recorded_at),
    objects(time, namespace, kind, name, deleted, manifest),
    logs(time, namespace, pod, service, severity, severity_number, body, trace_id, span_id, resource, attributes),
    spans(time, trace_id, span_id, parent_span_id, namespace, pod, service, name, kind, duration_ns, duration_ms, status,
    status_message, resource, attributes), metrics(metric, object_kind, object_name, purpose, time, value, labels).
    A FinOps scenario has instead costs(day, account, csp, service, application, family, price, instances, cost) and, where
    there are such files, billing, allocation, usage, cost_events, budgets and cost_alerts: DESCRIBE tells their columns.
    Times are UTC; maps are JSON: labels->>'le', manifest->'spec'. Status of spans: Error, Ok, Unset. It stops after 15 s.
    """
    try:
        found = session.snapshot.sql(query, limit=limit, timeout=TIMEOUT)
    except SnapshotError as error:
        message = str(error)
        tables = "" if "Tables:" in message else f" Tables: {', '.join(VIEWS)}."
        raise ToolError(f"{message}.{tables}" if tables else message) from error
    lines = [" | ".join(found.columns)]
    size = len(lines[0])
    for row in found.rows:
        one = " | ".join(_cell(value) for value in row)
        size += len(one) + 1
        if size > TABLE_CHARS:
            break
        lines.append(one)
    shown = len(lines) - 1
    if not found.rows:
        return "\n".join(["the query gives no rows", *lines])
    if found.truncated or shown < len(found.rows):
        why = "there are more: aggregate, or page with ORDER BY, LIMIT and OFFSET in the query"
        return "\n".join([f"the first {shown} rows; {why}", *lines])
    return "\n".join([f"all {shown} rows", *lines])


def _cell(value: Any) -> str:
    if isinstance(value, (dict, list, bool)):
        return text(json.dumps(value, ensure_ascii=False))
    return text(value)
