"""The metrics of a live system, by PromQL."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import Field

from itbench.tools.arguments import Limit, Offset
from itbench.tools.clock import iso, seconds
from itbench.tools.errors import ToolError
from itbench.tools.registry import tool
from itbench.tools.render import number, paged
from itbench.tools.session import Session

_COLUMNS = 12
_MOST_STEPS = 60
_Time = Annotated[str | None, Field(max_length=100, description="ISO 8601, 10:05, start+5m, incident-10m, or now-5m.")]


@tool(needs="prometheus")
def promql(
    session: Session,
    query: Annotated[
        str,
        Field(
            min_length=1,
            max_length=10_000,
            description="PromQL, such as: "
            'sum by (service_name) (rate(traces_span_metrics_calls_total{status_code="STATUS_CODE_ERROR"}[5m]))',
        ),
    ],
    at: _Time = None,
    since: _Time = None,
    until: _Time = None,
    step: Annotated[
        str | None, Field(description="Resolution of a range, such as 30s; by default about twelve steps.")
    ] = None,
    limit: Limit = 50,
    offset: Offset = 0,
) -> str:
    """Ask the live system's Prometheus: an instant query (now, or `at` a time), or a range query with `since`.

    Metrics come once a minute. The state of alerts is in ALERTS{alertstate="firing"}; names are in metric_names.
    """
    if session.live.prometheus is None:
        raise ToolError("there is no Prometheus here")
    ask = session.live.prometheus.ask
    if since is None:
        if until is not None or step is not None:
            raise ToolError("a range has `since`; an instant query has `at` alone")
        data = ask("query", query=query, time=str(_moment(session, at).timestamp()))
        return _instant(data, limit, offset)
    if at is not None:
        raise ToolError("take `at` for one moment, or `since` and `until` for a range")
    first, last = _moment(session, since), _moment(session, until)
    if not first < last:
        raise ToolError(f"since={since} is not before until={until or 'now'}")
    span = (last - first).total_seconds()
    each = seconds(step) if step is not None else max(math.ceil(span / _COLUMNS / 60) * 60, 60)
    if not each > 0 or span / each > _MOST_STEPS:
        raise ToolError(f"that would be more than {_MOST_STEPS} steps", hint="Take a longer step, or a shorter range.")
    data = ask("query_range", query=query, start=str(first.timestamp()), end=str(last.timestamp()), step=str(each))
    moments = [first.timestamp() + index * each for index in range(int(span / each + 1e-9) + 1)]
    return _range(data, moments, limit, offset)


def _moment(session: Session, text: str | None) -> datetime:
    now = datetime.now(UTC)
    if text is None or text.strip().lower() == "now":
        return now
    if text.strip().lower().startswith("now-"):
        try:
            return now - timedelta(seconds=seconds(text.strip()[4:]))
        except OverflowError:
            raise ToolError(f"{text[:80]!r} is too far away") from None
    return session.clock.parse(text)


def _instant(data: Mapping[str, Any], limit: int, offset: int) -> str:
    kind, result = data.get("resultType"), data.get("result")
    if kind in ("scalar", "string") and isinstance(result, list):
        return f"{kind}: {result[-1]}"
    series = _series(result)
    names = _labels(series)

    def cells(one: Mapping[str, Any]) -> Sequence[Any]:
        if "values" in one:
            value = "; ".join(f"{_value(each[1])} @{_clock(each[0])}" for each in one["values"])
        else:
            value = _value(one["value"][1])
        return *(one["metric"].get(name) for name in names), value

    page = series[offset : offset + limit]
    return paged((*names, "value"), page, cells, total=len(series), offset=offset, what="series")


def _range(data: Mapping[str, Any], moments: Sequence[float], limit: int, offset: int) -> str:
    series = _series(data.get("result"))
    names = _labels(series)

    def cells(one: Mapping[str, Any]) -> Sequence[Any]:
        found = {round(float(time), 3): _value(value) for time, value in one["values"]}
        return *(one["metric"].get(name) for name in names), *(found.get(round(moment, 3)) for moment in moments)

    columns = (*names, *map(_clock, moments))
    return paged(columns, series[offset : offset + limit], cells, total=len(series), offset=offset, what="series")


def _series(result: Any) -> list[dict[str, Any]]:
    """By labels; Prometheus has its own order, which may change."""
    found = [each for each in result if isinstance(each, dict)] if isinstance(result, list) else []
    return sorted(found, key=lambda one: sorted(one["metric"].items()))


def _labels(series: Sequence[Mapping[str, Any]]) -> list[str]:
    """The labels that tell the series apart, and the metric's name."""
    names = sorted({name for one in series for name in one["metric"]})
    return [name for name in names if len({one["metric"].get(name) for one in series}) > 1 or len(series) == 1]


def _value(text: str) -> str:
    return number(float(text))


def _clock(moment: float) -> str:
    return iso(datetime.fromtimestamp(moment, UTC))[11:].split(".")[0].rstrip("Z")
