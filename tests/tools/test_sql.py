"""SQL as a tool: what it answers, and what it keeps out."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from itbench.tools.library import sql as module
from itbench.tools.toolbox import Toolbox

pytestmark = pytest.mark.integration
Rows = Callable[[str], list[dict[str, str]]]


def test_a_query_is_answered_as_a_table(toolbox: Toolbox, rows: Rows) -> None:
    query = "SELECT severity, count(*) AS n, min(time) AS t, {'a': 1} AS m FROM logs GROUP BY ALL ORDER BY 1"
    assert toolbox.call("sql", {"query": query}).text.splitlines() == [
        "all 2 rows",
        "severity | n | t | m",
        'ERROR | 5 | 2026-03-01 12:11:00 | {"a": 1}',
        'INFO | 20 | 2026-03-01 12:00:00 | {"a": 1}',
    ]
    assert toolbox.call("sql", {"query": "SELECT body FROM logs", "limit": 2}).text.startswith(
        "the first 2 rows; there are more"
    )
    assert toolbox.call("sql", {"query": "SELECT body FROM logs WHERE false"}).text == "the query gives no rows\nbody"


def test_long_answers_are_cut_at_a_row(toolbox: Toolbox) -> None:
    text = toolbox.call("sql", {"query": "SELECT repeat('x', 300) FROM range(1000)", "limit": 1000}).text
    assert len(text) <= 20_000
    assert text.startswith("the first 59 rows; there are more")


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM read_text('{folder}/ground_truth.yaml')", "SELECT * FROM '{folder}/ground_truth.yaml'",
        "SELECT * FROM read_text('/etc/passwd')", "COPY (SELECT 1) TO '/tmp/itbench-test-escape.csv'", "INSTALL httpfs",
        "LOAD json",
        "ATTACH '/tmp/x.db'", "SELECT * FROM glob('/**')", "SET enable_external_access=true", "PRAGMA database_list",
        "SELECT 1; SELECT 2", "DROP VIEW logs", "SELECT getenv('HOME')", "CREATE TABLE x AS SELECT 1", "", "SELECT",
        "EXPLAIN SELECT 1",
        "CALL pragma_version()", "SELECT * FROM query('COPY (SELECT 1) TO ''/tmp/itbench-test-escape.csv''')",
    ],
)  # fmt: skip
def test_only_reading_the_tables_is_allowed(toolbox: Toolbox, tmp_path_factory: pytest.TempPathFactory, query: str) -> None:
    folder = next(tmp_path_factory.getbasetemp().glob("incident*/data"))
    answer = toolbox.call("sql", {"query": query.format(folder=folder)})
    assert answer.is_error, answer.text
    assert "secret-root" not in answer.text
    assert "root:x" not in answer.text


def test_a_query_that_takes_too_long_is_ended_and_the_next_one_answered(
    toolbox: Toolbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TIMEOUT", 0.5)
    answer = toolbox.call("sql", {"query": "SELECT count(*) FROM range(100000000000)"})
    assert answer.is_error
    assert "takes more than 0.5 s" in answer.text
    assert not toolbox.call("sql", {"query": "SELECT 1"}).is_error
