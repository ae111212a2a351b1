"""How the rows of a TSV file become the columns of a family: one SELECT for each, over whatever columns the file has.

The columns of a file are named in snake_case, so `ServiceName` of the raw files and `service_name` of the lite ones are
one. A row with a reason in `lost` cannot be used. Attribute maps stay text here; they are parsed where they are asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from itbench.snapshot.layout import Family
from itbench.snapshot.sources import FILE

# Text in these columns is a map of attributes.
ATTRIBUTE_COLUMNS: dict[Family, tuple[str, ...]] = {
    "logs": ("resource", "attributes"),
    "spans": ("resource", "attributes"),
    "metrics": ("labels",),
}


# Without one name of each of these groups no row of a file could be used.
_REQUIRED: dict[Family, tuple[tuple[str, ...], ...]] = {
    "spans": (("timestamp", "time"), ("span_id",)),
    "logs": (("timestamp", "timestamp_time", "time"), ("body", "message")),
    "events": (("timestamp", "timestamp_time", "time", "event_time"), ("body", "object_name")),
    "objects": (("timestamp", "timestamp_time", "time"), ("body",)),
    "metrics": (("timestamp", "time"), ("metric_name", "metric"), ("value",)),
}


def missing(family: Family, columns: Collection[str]) -> str:
    """The column that every row would need and the file lacks, or the empty string."""
    return next((group[0] for group in _REQUIRED.get(family, ()) if not set(group) & set(columns)), "")


class _Columns:
    """The columns that a file has."""

    def __init__(self, names: Collection[str]) -> None:
        self._names = frozenset(names)

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def text(self, *candidates: str) -> str:
        """The first candidate that the file has and the row fills, else the empty string."""
        present = [name for name in candidates if name in self._names]
        if not present:
            return "''"
        *earlier, last = present
        return f"coalesce({', '.join([*(f'nullif({name}, {_EMPTY})' for name in earlier), last])})" if earlier else last

    def labels(self, **candidates: tuple[str, ...]) -> str:
        """A JSON map of the columns that the row fills; `__` in a key stands for a dot."""
        pairs = [
            f"'{key.replace('__', '.')}', nullif({self.text(*names)}, '')"
            for key, names in candidates.items()
            if any(name in self._names for name in names)
        ]
        return f"json_merge_patch('{{}}', json_object({', '.join(pairs)}))::VARCHAR" if pairs else "''"


_EMPTY = "''"
# Python's datetimes end with the year 9999; DuckDB's infinity is beyond.
_NO_TIME = """CASE WHEN time IS NULL OR time NOT BETWEEN TIMESTAMP '0001-01-01' AND TIMESTAMP '9999-12-31 23:59:59.999999'
    THEN 'no readable time' END"""


def _resource(columns: _Columns) -> str:
    if "resource_attributes" in columns:
        return "resource_attributes"
    return columns.labels(
        k8s__namespace__name=("k8s_namespace", "namespace"),
        k8s__pod__name=("k8s_pod_name", "pod_name"),
        k8s__deployment__name=("k8s_deployment_name", "deployment"),
    )


def _spans(columns: _Columns, rows: str) -> str:
    duration = "try_cast(duration_ms AS DOUBLE) * 1e6" if "duration" not in columns else "duration"
    if "duration" not in columns and "duration_ms" not in columns:
        duration = "0"
    return f"""
        SELECT time, trace_id, span_id, parent_span_id, name, kind, service, coalesce(duration, 0) AS duration_ns,
            status, status_message, resource, attributes,
            coalesce({_NO_TIME}, CASE WHEN duration IS NULL THEN 'Duration is no whole number of nanoseconds' END) AS lost
        FROM (SELECT
            time_of({columns.text("timestamp", "time")}) AS time,
            {columns.text("trace_id")} AS trace_id,
            {columns.text("span_id")} AS span_id,
            {columns.text("parent_span_id")} AS parent_span_id,
            {columns.text("span_name", "name")} AS name,
            {columns.text("span_kind")} AS kind,
            {columns.text("service_name", "service")} AS service,
            try_cast({duration} AS BIGINT) AS duration,
            {columns.text("status_code")} AS status,
            {columns.text("status_message")} AS status_message,
            {_resource(columns)} AS resource,
            {columns.text("span_attributes")} AS attributes
            FROM {rows})"""


def _logs(columns: _Columns, rows: str) -> str:
    attributes = columns.text("log_attributes")
    if "log_attributes" not in columns:
        attributes = columns.labels(url__path=("url_path",))
    return f"""
        SELECT *, {_NO_TIME} AS lost
        FROM (SELECT
            time_of({columns.text("timestamp", "timestamp_time", "time")}) AS time,
            {columns.text("body", "message")} AS body,
            {columns.text("service_name", "service")} AS service,
            {columns.text("severity_text", "severity")} AS severity,
            coalesce(try_cast({columns.text("severity_number")} AS INTEGER), 0) AS severity_number,
            {columns.text("trace_id")} AS trace_id,
            {columns.text("span_id")} AS span_id,
            {_resource(columns)} AS resource,
            {attributes} AS attributes
            FROM {rows})"""


_EVENT_FIELDS = (
    "lastTimestamp deprecatedLastTimestamp firstTimestamp deprecatedFirstTimestamp eventTime "
    "involvedObject.namespace regarding.namespace involvedObject.kind regarding.kind involvedObject.name regarding.name "
    "reason message note type count deprecatedCount source.component deprecatedSource.component reportingController"
).split()


def _events(columns: _Columns, rows: str) -> str:
    recorded = f"time_of({columns.text('timestamp', 'timestamp_time', 'time')})"
    if "body" not in columns:
        found = f"""
            SELECT {recorded} AS recorded_at,
                coalesce(time_of({columns.text("event_time")}), recorded_at) AS time,
                {columns.text("object_namespace", "namespace")} AS namespace,
                {columns.text("object_kind")} AS kind,
                {columns.text("object_name")} AS name,
                {columns.text("reason")} AS reason,
                {columns.text("message", "note")} AS message,
                {columns.text("event_kind", "type")} AS type,
                {columns.text("event_count", "count")} AS count,
                {columns.text("source_component", "component")} AS component,
                {columns.text("watch_type", "event_type")} AS watch,
                CASE WHEN name = '' THEN 'no involved object' END AS unread
            FROM {rows}"""
    else:
        # One look at the JSON for all fields; in a watch's envelope they lie one level deeper.
        inside, bare = (", ".join(f"'{where}.{field}'" for field in _EVENT_FIELDS) for where in ("$.object", "$"))
        found = f"""
            SELECT recorded_at, coalesce(time_of(first_of(f[1:5])), recorded_at) AS time,
                first_of([f[6], f[7], namespace]) AS namespace,
                first_of(f[8:9]) AS kind,
                first_of(f[10:11]) AS name,
                first_of(f[12:12]) AS reason,
                first_of(f[13:14]) AS message,
                first_of(f[15:15]) AS type,
                first_of(f[16:17]) AS count,
                first_of(f[18:20]) AS component,
                CASE WHEN wrapped THEN first_of(f[21:21]) ELSE '' END AS watch,
                CASE WHEN body IS NULL THEN 'Body is no JSON object'
                    WHEN name = '' THEN 'no involved object' END AS unread
            FROM (SELECT *, CASE WHEN wrapped THEN json_extract_string(body, [{inside}, '$.type'])
                    ELSE json_extract_string(body, [{bare}]) END AS f
                FROM (SELECT *, is_wrapped(body) AS wrapped
                    FROM (SELECT {recorded} AS recorded_at, {columns.text("namespace")} AS namespace, body_json(body) AS body
                        FROM {rows})))"""
    return f"""
        SELECT time, namespace, kind, name, reason, message, type,
            coalesce(try_cast(nullif(count, '') AS BIGINT), 1) AS count, component, watch, recorded_at,
            coalesce(unread, {_NO_TIME}) AS lost
        FROM ({found})"""


def _objects(columns: _Columns, rows: str) -> str:
    return f"""
        SELECT time, namespace, kind, name, manifest, deleted,
            CASE WHEN manifest IS NULL THEN 'Body is no JSON object' WHEN name = '' THEN 'the object has no name'
                ELSE {_NO_TIME} END AS lost
        FROM (SELECT time, manifest, deleted, first_of([f[1], named_namespace]) AS namespace,
                first_of([f[2], named_kind]) AS kind, first_of([f[3], named]) AS name
            FROM (SELECT *, json_extract_string(manifest, ['$.metadata.namespace', '$.kind', '$.metadata.name']) AS f
                FROM (SELECT * EXCLUDE body,
                        CASE WHEN is_wrapped(body) THEN json_extract(body, '$.object')::VARCHAR ELSE body END AS manifest,
                        is_wrapped(body) AND json_extract_string(body, '$.type') IS NOT DISTINCT FROM 'DELETED' AS deleted
                    FROM (SELECT
                        time_of({columns.text("timestamp", "timestamp_time", "time")}) AS time,
                        body_json({columns.text("body")}) AS body,
                        {columns.text("object_name")} AS named,
                        {columns.text("object_kind")} AS named_kind,
                        {columns.text("object_namespace", "namespace")} AS named_namespace
                        FROM {rows}))))"""


def _metrics(columns: _Columns, rows: str) -> str:
    labels = columns.text("tags", "labels")
    if labels == "''":
        labels = columns.labels(
            namespace=("namespace",), pod=("pod_name", "pod"), service_name=("service_name", "service"),
            le=("bucket_le",), status_code=("status_code",),
        )  # fmt: skip
    return f"""
        SELECT file, metric, split_part(stem, '_', 1) AS object_kind, substr(stem, strpos(stem, '_') + 1) AS object_name,
            labels, purpose, time, value,
            coalesce({_NO_TIME}, CASE WHEN metric = '' THEN 'no metric name' END,
                CASE WHEN value IS NULL THEN 'the value is no number' END) AS lost
        FROM (SELECT
            regexp_extract({FILE}, '([^/]+/[^/]+)$', 1) AS file,
            regexp_extract({FILE}, '([^/]+?)(_raw)?[.]tsv$', 1) AS stem,
            {columns.text("metric_name", "metric")} AS metric,
            {labels} AS labels,
            {columns.text("metric_type")} AS purpose,
            time_of({columns.text("timestamp", "time")}) AS time,
            -- pandas writes a NaN as an empty field
            CASE WHEN value = '' THEN 'nan'::DOUBLE ELSE try_cast(value AS DOUBLE) END AS value
            FROM {rows})"""


def _alerts(columns: _Columns, rows: str) -> str:
    return f"""
        SELECT *, {_NO_TIME} AS lost
        FROM (SELECT
            time_of({columns.text("time")}) AS time,
            {columns.text("name")} AS name,
            {columns.text("severity")} AS severity,
            {columns.text("entity")} AS entity,
            {columns.text("namespace")} AS namespace,
            {columns.text("state")} AS state,
            time_of({columns.text("active_since")}) AS active_since,
            try_cast({columns.text("value")} AS DOUBLE) AS value,
            {columns.text("labels")} AS labels,
            {columns.text("annotations")} AS annotations
            FROM {rows})"""


_SELECTS: dict[Family, Callable[[_Columns, str], str]] = {
    "spans": _spans,
    "logs": _logs,
    "events": _events,
    "objects": _objects,
    "metrics": _metrics,
    "alerts": _alerts,
}


def empty(family: Family) -> str:
    """SQL for the columns of `family`, without rows."""
    every = {name for group in _REQUIRED.get(family, ()) for name in group}
    rows = ", ".join(f"'' AS {name}" for name in sorted(every | {FILE}))
    return select(family, every, f"(SELECT {rows} WHERE false)")


def select(family: Family, columns: Collection[str], rows: str) -> str:
    """SQL for the columns of `family` (and `lost`) from `rows`, a relation with `columns` and `FILE`, all text."""
    return _SELECTS[family](_Columns(columns), rows)
