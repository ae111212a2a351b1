"""Metrics: which there are, their course over time, and which of them went astray."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from itbench.snapshot.records import MetricName
from itbench.tools.arguments import Limit, Offset, Since, Until, Words
from itbench.tools.clock import iso, seconds
from itbench.tools.errors import ToolError, did_you_mean
from itbench.tools.expressions import parse
from itbench.tools.measures import Anomaly, Array, anomaly, is_counter, rates
from itbench.tools.registry import tool
from itbench.tools.render import duration, number, paged
from itbench.tools.series import Group, Samples, evaluate, select
from itbench.tools.session import Session

ObjectName = Annotated[
    str | None, Field(description="Only metrics of this pod or service (its name, or namespace/Pod/name).", max_length=300)
]
_STEPS = (1, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)
_COLUMNS = 12
_MAX_STEPS = 60


@tool()
def metric_names(
    session: Session,
    contains: Annotated[str | None, Field(description="Only names with this text in them.")] = None,
    object: ObjectName = None,  # noqa: A002 - the word that models expect
    limit: Limit = 100,
    offset: Offset = 0,
) -> str:
    """The metrics that were recorded: their type, number of series and samples, labels, and when they were sampled."""
    found = session.snapshot.metric_names(object_name=_object_name(session, object))
    if contains is not None:
        found = [each for each in found if contains.casefold() in each.metric.casefold()]
    labels = session.once("metric labels", lambda: _labels(session))

    def cells(one: MetricName) -> Sequence[Any]:
        return one.metric, _type(one.metric), one.series, one.samples, labels.get(one.metric, ""), one.first, one.last

    columns = ("metric", "type", "series", "samples", "labels", "first", "last")
    return paged(columns, found[offset : offset + limit], cells, total=len(found), offset=offset, what="metrics")


@tool()
def metrics(
    session: Session,
    expression: Annotated[
        str,
        Field(
            description="A metric, or arithmetic on metrics with PromQL's label matchers: "
            'rate(calls_total{status_code="STATUS_CODE_ERROR"}) / rate(calls_total), p95(duration_milliseconds_bucket). '
            "Functions: value, rate (per second, resets handled), increase (per step), p50, p90, p95, p99 (of *_bucket). "
            "Without a function counters give their rate and gauges their value."
        ),
    ],
    object: ObjectName = None,  # noqa: A002
    group_by: Annotated[
        Words, Field(description="Labels to group series by; `object` is the pod or service. [] makes one group.")
    ] = ["object"],  # noqa: B006 - pydantic copies it
    agg: Annotated[Literal["sum", "avg", "min", "max"], Field(description="How the series of a group become one.")] = "sum",
    step: Annotated[str | None, Field(description="Resolution, such as 30s or 5m; by default about twelve steps.")] = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 30,
    offset: Offset = 0,
) -> str:
    """The course of a metric or of an expression over time, one row for each group, one column for each step.

    Rows come by how much they moved, the most moving first. Names are in metric_names.
    """
    first, last = session.window(since, until)
    first, last = first or session.clock.start, last or session.after
    if first >= last:
        raise ToolError("the window is empty", hint=str(session.clock))
    edges = _edges(first, last, step, _scrape_seconds(session))
    found = evaluate(session, parse(expression), edges, agg, group_by, _object_name(session, object))
    if isinstance(found, float):
        return f"{expression} is {number(found)}; name a metric to see its course"
    rows = sorted(
        (each for each in found.items() if not np.isnan(each[1]).all()), key=lambda each: (-_range(each[1]), each[0])
    )
    times = [f"{datetime.fromtimestamp(edge, UTC):%H:%M:%S}" for edge in edges[:-1]]

    def cells(row: tuple[Group, Array]) -> Sequence[Any]:
        group, values = row
        return *group, *map(_figure, [np.nanmin(values), np.nanmean(values), np.nanmax(values), *values.tolist()])

    grouping = ", ".join(group_by) or "nothing"
    head = f"{expression}, {agg} by {grouping}; steps of {duration(edges[1] - edges[0])} from {iso(first)}"
    page = rows[offset : offset + limit]
    columns = (*group_by, "min", "mean", "max", *times)
    return f"{head}\n{paged(columns, page, cells, total=len(rows), offset=offset, what='groups')}"


@tool()
def metric_anomalies(
    session: Session,
    object: ObjectName = None,  # noqa: A002
    metric: Annotated[str | None, Field(description="Only this metric.")] = None,
    pivot: Annotated[str | None, Field(description="The time that parts the baseline from the incident.")] = None,
    since: Since = None,
    until: Until = None,
    min_score: Annotated[float, Field(ge=0, description="The least deviation, in robust standard deviations.")] = 3.0,
    limit: Limit = 40,
    offset: Offset = 0,
) -> str:
    """Series that left their baseline: each is compared with itself before the incident, robustly (median and MAD).

    The score is the change of the median in robust standard deviations, peak_score that of the farthest value. Counters are
    compared by their rates. The most deviating come first. Histogram buckets count only where `metric` names them.
    """
    first, middle, last = (time.timestamp() for time in session.around(since, pivot, until))
    name = _object_name(session, object)
    buckets = metric is not None and metric.endswith("_bucket")
    series = session.recently(
        ("samples", metric, name), lambda: select(session, metric=metric, object_name=name, buckets=buckets)
    )
    found: list[tuple[Samples, Anomaly]] = []
    short = new = 0
    for one in series:
        times, values = (
            rates(one.times, one.values) if is_counter(one.metric) and one.times.size > 1 else (one.times, one.values)
        )
        begin, split, end = np.searchsorted(times, (first, middle, last))
        judged = anomaly(values[begin:split], values[split:end])
        if judged is None:
            short += 1
            new += bool(split == begin and end > split)
        elif max(abs(judged.score), abs(judged.peak_score)) >= min_score:
            found.append((one, judged))
    found.sort(key=lambda each: -abs(each[1].score))

    def cells(row: tuple[Samples, Anomaly]) -> Sequence[Any]:
        one, judged = row
        unit = "/s" if is_counter(one.metric) else ""
        figures = [f"{number(float(f'{value:.4g}'))}{unit}" for value in (judged.before, judged.after, judged.peak)]
        return one.metric, one.labels["object"], _telling(one), *figures, f"{judged.score:+.1f}", f"{judged.peak_score:+.1f}"

    columns = ("metric", "object", "labels", "median_before", "median_after", "peak", "score", "peak_score")
    start, split_at = (iso(datetime.fromtimestamp(each, UTC)) for each in (first, middle))
    head = (
        f"{len(series)} series compared before and after {split_at} (baseline from {start}); "
        f"{short} have fewer than 3 samples on a side, {new} of them are new"
    )
    page = found[offset : offset + limit]
    return f"{head}\n{paged(columns, page, cells, total=len(found), offset=offset, what='anomalous series', cell=160)}"


def _object_name(session: Session, word: str | None) -> str | None:
    """The name under which the metrics of an object are.

    Raises:
        ToolError: no metrics are there.
    """
    if word is None:
        return None
    known = session.once(
        "metric objects",
        lambda: [name for (name,) in session.snapshot.query("SELECT DISTINCT object_name FROM stored.metrics ORDER BY 1")],
    )
    name = word.strip().rsplit("/", 1)[-1]
    if name not in known:
        raise ToolError(f"there are no metrics of {word[:100]!r}", hint=did_you_mean(name, known))
    return name


def _labels(session: Session) -> dict[str, str]:
    rows = session.snapshot.query("SELECT metric, json_keys(map_json(min(labels))) FROM stored.metrics GROUP BY metric")
    return {metric: ", ".join(sorted(keys or ())) for metric, keys in rows}


def _type(metric: str) -> str:
    if metric.endswith("_bucket"):
        return "histogram"
    return "counter" if is_counter(metric) else "gauge"


def _telling(one: Samples) -> str:
    """Labels that say more than the object's own name."""
    known = {"object", "object_kind", "__name__", "namespace", "job", "instance", "uid", "endpoint"}
    return ", ".join(
        f"{name}={value}"
        for name, value in sorted(one.labels.items())
        if name not in known and value != one.labels["object"]
    )


def _scrape_seconds(session: Session) -> float:
    """The usual time between two samples of a series: finer steps would be empty."""

    def measure() -> float:
        rows = session.snapshot.query(
            """SELECT median(gap) FROM (SELECT epoch(max(time) - min(time)) / (count(*) - 1) AS gap FROM stored.metrics
            GROUP BY metric, object_kind, object_name, labels HAVING count(*) > 1)"""
        )
        return float(rows[0][0] or 0.0)

    return session.once("scrape seconds", measure)


def _edges(first: datetime, last: datetime, step: str | None, scrape: float) -> Array:
    length = (last - first).total_seconds()
    if step is None:
        least = max(length / _COLUMNS, scrape)
        width = float(next((each for each in _STEPS if each >= least), least))
    else:
        width = seconds(step)
    if width <= 0 or length / width > _MAX_STEPS:
        raise ToolError(
            f"step={step} makes more than {_MAX_STEPS} steps", hint=f"At least {duration(length / _MAX_STEPS + 1)}"
        )
    count = max(1, int(np.ceil(length / width - 1e-9)))
    return np.asarray(first.timestamp() + width * np.arange(count + 1), dtype=np.float64)


def _range(values: Array) -> float:
    return float(np.nanmax(values) - np.nanmin(values))


def _figure(value: float) -> str:
    return "" if np.isnan(value) else number(float(f"{value:.4g}"))
