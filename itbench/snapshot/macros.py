"""SQL functions that parse cells: DuckDB's own for the ordinary spellings, Python's for the odd ones.

The branches of a CASE or coalesce are evaluated only for the rows that need them, so that Python sees the odd rows alone.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from itbench.snapshot import text

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_FUNCTIONS: tuple[tuple[str, Callable[[str | None], datetime | str | None], str], ...] = (
    ("odd_time", text.parse_time, "TIMESTAMP"),
    ("odd_map", text.attributes_json, "VARCHAR"),
    ("odd_body", text.body_json, "VARCHAR"),
)
_MACROS = (
    # ClickHouse's text is by far the most frequent; its nanoseconds are cut off, not rounded (strptime also takes the word
    # infinity, which is shorter). Casting through TIMESTAMPTZ
    # heeds an offset; naive text is UTC, as the session is.
    """time_of(t) AS CASE WHEN t <> '' THEN coalesce(
        CASE WHEN strlen(t) > 19 THEN make_timestamp(epoch_ns(try_strptime(t, '%Y-%m-%d %H:%M:%S.%n')) // 1000) END,
        try_cast(t AS TIMESTAMPTZ)::TIMESTAMP,
        odd_time(t)) END""",
    # A Python dict's repr without double quotes or escaped single ones is JSON but for the kind of quote.
    """map_json(t) AS CASE
        WHEN t = '' THEN '{}'
        WHEN starts_with(t, '{') AND NOT contains(t, '"') AND NOT contains(t, '\\''') AND NOT contains(t, '\\/')
            AND json_valid(replace(t, '''', '"')) THEN replace(t, '''', '"')
        ELSE odd_map(t) END""",
    "body_json(t) AS CASE WHEN starts_with(t, '{') AND json_valid(t) THEN t ELSE odd_body(t) END",
    # A watch reports an object in an envelope that says what happened to it.
    "is_wrapped(body) AS coalesce(json_type(body, '$.object') = 'OBJECT', false)",
    "first_of(found) AS coalesce(list_filter(found, lambda x: x <> '')[1], '')",
)


def define(connection: DuckDBPyConnection) -> None:
    """Define time_of, map_json, body_json, is_wrapped and first_of; the session's time is UTC, and no progress is shown."""
    from duckdb.func import FunctionNullHandling

    connection.execute("SET TimeZone = 'UTC'")
    # Where no file is the main program (python -c, a notebook), DuckDB draws a bar on stdout for whatever takes long.
    connection.execute("SET enable_progress_bar = false")
    for name, function, result in _FUNCTIONS:
        # SPECIAL: the functions take and give NULL.
        connection.create_function(name, function, ["VARCHAR"], result, null_handling=FunctionNullHandling.SPECIAL)
    for macro in _MACROS:
        connection.execute(f"CREATE MACRO {macro}")
