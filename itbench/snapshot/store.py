"""The cache as a database that can only be read.

`stored.<family>` are the columns as they lie in the cache, with `row`, their order in the input files; the views
`alerts`, `events`, `objects`, `logs`, `spans` and `metrics` are what people write SQL against. Of a FinOps scenario there
are `costs` and, where there are such files, `billing`, `allocation`, `usage`, `cost_events`, `budgets` and `cost_alerts`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from itbench.model.errors import SnapshotError
from itbench.snapshot import macros
from itbench.snapshot.layout import COSTS, Family
from itbench.snapshot.sources import parquet, pattern, quoted

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Parts = Mapping[Family, Sequence[Path]]

_MEMORY = "400MB"
PART_ROWS = 1 << 40  # more than any file has: what sets the rows of one part off from those of the next
_NAMESPACE = """map_json(resource)->>'$."k8s.namespace.name"' AS namespace"""
_POD = """map_json(resource)->>'$."k8s.pod.name"' AS pod"""
VIEWS: Mapping[Family, str] = {
    "alerts": "time, name, severity, entity, namespace, state, active_since, value, labels::JSON AS labels, "
    "annotations::JSON AS annotations",
    "events": "time, namespace, kind, name, reason, message, type, count, component, watch, recorded_at",
    "objects": "time, namespace, kind, name, deleted, manifest::JSON AS manifest",
    "logs": f"time, {_NAMESPACE}, {_POD}, service, severity, severity_number, body, trace_id, span_id, "
    "map_json(resource)::JSON AS resource, map_json(attributes)::JSON AS attributes",
    "spans": f"time, trace_id, span_id, parent_span_id, {_NAMESPACE}, {_POD}, service, name, kind, duration_ns, "
    "duration_ns / 1e6 AS duration_ms, status, status_message, map_json(resource)::JSON AS resource, "
    "map_json(attributes)::JSON AS attributes",
    "metrics": "metric, object_kind, object_name, purpose, time, value, map_json(labels)::JSON AS labels",
}


def connect(parts: Parts) -> DuckDBPyConnection:
    """A database over the Parquet files that can reach no other file and whose settings are locked. Close it after use.

    Raises:
        duckdb.Error: a file is damaged.
    """
    import duckdb

    connection = duckdb.connect(config={"memory_limit": _MEMORY, "threads": min(4, os.cpu_count() or 1)})
    try:
        macros.define(connection)
        connection.execute("CREATE SCHEMA stored")
        for family in COSTS:
            for path in parts.get(family, ()):
                _define_costs(connection, family, path)
        for family, paths in parts.items():
            if family in COSTS:
                continue
            numbered = []
            for part, path in enumerate(paths):
                # A bare file_row_number, unlike a sum, lets DuckDB skip rows by it.
                row = f"file_row_number + {part * PART_ROWS}" if part else "file_row_number"
                numbered.append(f"SELECT * EXCLUDE lost, {row} AS row FROM {parquet(path)}")
            connection.execute(f"CREATE VIEW stored.{family} AS {' UNION ALL BY NAME '.join(numbered)}")
            connection.execute(f"CREATE VIEW {family} AS SELECT {VIEWS[family]} FROM stored.{family} ORDER BY time, row")
        allowed = ", ".join(quoted(name) for paths in parts.values() for path in paths for name in (path, pattern(path)))
        connection.execute(f"SET allowed_paths = [{allowed}]")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
    except BaseException:
        connection.close()
        raise
    return connection


def _define_costs(connection: DuckDBPyConnection, family: Family, path: Path) -> None:
    """A table of a FinOps scenario; of a bill without the rows that cannot be used."""
    kept = "* EXCLUDE (lost, said) FROM {} WHERE lost IS NULL" if family == "costs" else "* EXCLUDE said FROM {}"
    connection.execute(f"CREATE VIEW stored.{family} AS SELECT {kept.format(parquet(path))}")
    connection.execute(f"CREATE VIEW {family} AS SELECT * EXCLUDE row FROM stored.{family} ORDER BY row")


class Store:
    """Runs our own queries; threads may share it."""

    def __init__(self, parts: Parts) -> None:
        self._connection = connect(parts)

    def close(self) -> None:
        """Release the database; queries fail afterwards."""
        self._connection.close()

    def rows(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """The rows of a query.

        Raises:
            SnapshotError: the store is closed, or memory is short.
        """
        import duckdb

        try:
            with self._connection.cursor() as cursor:
                return cursor.execute(query, list(values)).fetchall()
        except duckdb.Error as error:
            raise SnapshotError(f"the snapshot cannot be queried: {error}") from error
