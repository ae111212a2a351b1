"""Series of a snapshot as arrays, and the value of an expression over them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from itbench.snapshot.text import parse_attributes
from itbench.tools.errors import ToolError, did_you_mean
from itbench.tools.expressions import Expression, Matcher, Operation, Selector
from itbench.tools.measures import Array, bucket_quantile, clean, in_steps, rate_in_steps
from itbench.tools.session import Session

Group = tuple[str, ...]
Values = dict[Group, Array]
# Bounds of what one call may work on.
MAX_SERIES = 20_000

AGGREGATIONS: Mapping[str, Callable[[Array], Array]] = {
    "sum": lambda rows: np.nansum(rows, axis=0),
    "avg": lambda rows: np.nanmean(rows, axis=0),
    "min": lambda rows: np.nanmin(rows, axis=0),
    "max": lambda rows: np.nanmax(rows, axis=0),
}


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """One series: `times` are seconds since 1970; the labels have `object` and `object_kind` too."""

    metric: str
    labels: Mapping[str, str]
    times: Array
    values: Array


def select(
    session: Session,
    *,
    metric: str | None,
    matchers: Sequence[Matcher] = (),
    object_name: str | None = None,
    buckets: bool = True,
) -> list[Samples]:
    """The series that fit, by metric, object and labels.

    Raises:
        ToolError: the metric is unknown (with the nearest names), there are too many series, or a pattern is invalid.
    """
    conditions, values = _conditions(metric, matchers, object_name)
    if not buckets:
        conditions.append("NOT ends_with(metric, '_bucket')")
    where = " AND ".join(conditions) or "true"
    rows = session.snapshot.query(
        f"""SELECT metric, object_kind, object_name, labels, list(epoch_us(time) ORDER BY time, row),
            list(value ORDER BY time, row)
        FROM stored.metrics WHERE {where} GROUP BY metric, object_kind, object_name, labels
        ORDER BY metric, object_kind, object_name, labels LIMIT {MAX_SERIES + 1}""",
        values,
    )
    if len(rows) > MAX_SERIES:
        raise ToolError(f"there are more than {MAX_SERIES} series", hint="Narrow the question with an object or matchers")
    if metric is not None and not rows:
        names = [each.metric for each in session.once("metric names", session.snapshot.metric_names)]
        if metric not in names:
            raise ToolError(f"there is no metric {metric[:100]!r}", hint=did_you_mean(metric, names))
    return [
        Samples(
            name,
            {**(parse_attributes(labels) or {}), "object": owner, "object_kind": kind},
            *clean(np.array(times, dtype=np.float64) / 1e6, np.array(numbers, dtype=np.float64)),
        )
        for name, kind, owner, labels, times, numbers in rows
    ]


def evaluate(
    session: Session, expression: Expression, edges: Array, agg: str, group_by: Sequence[str], object_name: str | None
) -> Values | float:
    """The value of each group in each step [edge, next edge).

    Raises:
        ToolError: a metric or label is unknown, or a function does not fit its metric.
    """
    if isinstance(expression, Selector):
        return _selected(session, expression, edges, agg, group_by, object_name)
    if isinstance(expression, Operation):
        left, right = (
            evaluate(session, side, edges, agg, group_by, object_name) for side in (expression.left, expression.right)
        )
        return _combine(expression.operator, left, right, edges.size - 1)
    return expression


def _selected(
    session: Session, selector: Selector, edges: Array, agg: str, group_by: Sequence[str], object_name: str | None
) -> Values:
    series = select(session, metric=selector.metric, matchers=selector.matchers, object_name=object_name)
    _check_labels(series, group_by)
    quantile = selector.function.startswith("p")
    if quantile and not selector.metric.endswith("_bucket"):
        raise ToolError(f"{selector.function} needs a metric of buckets, whose name ends in _bucket, not {selector.metric}")
    rows: dict[Group, list[Array]] = defaultdict(list)
    for one in series:
        names = (*group_by, "le") if quantile else group_by
        group = tuple(one.labels.get(name, "") for name in names)
        rows[group].append((rate_in_steps if selector.counts else in_steps)(one.times, one.values, edges))
    if quantile:
        return _quantiles(int(selector.function[1:]) / 100, rows, edges.size - 1)
    factor = np.diff(edges) if selector.function == "increase" else 1.0
    return {group: _aggregate(agg, each) * factor for group, each in rows.items()}


def _quantiles(q: float, rows: Mapping[Group, list[Array]], steps: int) -> Values:
    by_group: dict[Group, dict[float, Array]] = defaultdict(dict)
    for (*group, le), each in rows.items():
        try:
            by_group[tuple(group)][float(le)] = np.nan_to_num(_aggregate("sum", each))
        except ValueError:
            continue  # a bucket whose bound cannot be read bounds nothing
    if by_group and not any(np.inf in buckets for buckets in by_group.values()):
        bounds = sorted({le for buckets in by_group.values() for le in buckets})
        known = ", ".join(f"{le:g}" for le in bounds[:20])
        raise ToolError(
            f"the recorder kept no bucket le=+Inf, only {known}: quantiles cannot be told",
            hint="Compare buckets with each other, grouped by le",
        )
    return {
        group: np.array(
            [bucket_quantile(q, {le: float(rate[step]) for le, rate in buckets.items()}) for step in range(steps)]
        )
        for group, buckets in by_group.items()
    }


def _aggregate(agg: str, rows: Sequence[Array]) -> Array:
    stacked = np.vstack(rows)
    result = np.full(stacked.shape[1], np.nan)
    present = ~np.isnan(stacked).all(axis=0)
    if present.any():
        result[present] = AGGREGATIONS[agg](stacked[:, present])
    return result


def _combine(operator: str, left: Values | float, right: Values | float, steps: int) -> Values | float:
    if isinstance(left, float) and isinstance(right, float):
        value = _apply(operator, np.array([left]), np.array([right]))[0]
        return float(value)
    if isinstance(left, float):
        assert not isinstance(right, float)
        return {group: _apply(operator, np.full(steps, left), values) for group, values in right.items()}
    if isinstance(right, float):
        return {group: _apply(operator, values, np.full(steps, right)) for group, values in left.items()}
    return {group: _apply(operator, values, right[group]) for group, values in left.items() if group in right}


def _apply(operator: str, left: Array, right: Array) -> Array:
    if operator == "+":
        return left + right
    if operator == "-":
        return left - right
    if operator == "*":
        return left * right
    result = np.full(left.shape, np.nan)
    np.divide(left, right, out=result, where=right != 0)
    return result


def _conditions(metric: str | None, matchers: Sequence[Matcher], object_name: str | None) -> tuple[list[str], list[object]]:
    conditions: list[str] = []
    values: list[object] = []
    for column, value in (("metric", metric), ("object_name", object_name)):
        if value is not None:
            conditions.append(f"{column} = ?")
            values.append(value)
    for matcher in matchers:
        # The database matches: its regular expressions take linear time, whatever the agent writes.
        path = f"""coalesce(json_extract_string(map_json(labels), '$."{matcher.label}"'), '')"""
        label = {"object": "object_name", "object_kind": "object_kind"}.get(matcher.label, path)
        negated = "NOT " if matcher.operator.startswith("!") else ""
        conditions.append(f"{negated}{f'regexp_full_match({label}, ?)' if '~' in matcher.operator else f'{label} = ?'}")
        values.append(matcher.value)
    return conditions, values


def _check_labels(series: Sequence[Samples], names: Sequence[str]) -> None:
    known = {label for one in series for label in one.labels}
    for name in names:
        if series and name not in known:
            raise ToolError(f"these series have no label {name[:80]!r}", hint=f"Labels: {', '.join(sorted(known))}")
