"""SQL of untrusted authors: it answers questions and can do nothing else."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from itbench.model.errors import SnapshotError
from itbench.snapshot import sql, store
from itbench.snapshot.records import LogRecord
from itbench.snapshot.snapshot import Snapshot, open_snapshot
from itbench.snapshot.writer import SnapshotWriter

pytestmark = pytest.mark.integration
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SECRET = "canary-of-the-truth"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sql")
    SnapshotWriter(folder).write_logs(
        [LogRecord(NOON, str(number), resource={"k8s.pod.name": "cart-0"}) for number in range(9)]
    )
    (folder / "ground_truth.yaml").write_text(SECRET)
    (folder / "truth.csv").write_text(f"a\n{SECRET}\n")
    return folder


@pytest.fixture(scope="module")
def snapshot(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Snapshot]:
    with open_snapshot(folder, cache_dir=tmp_path_factory.mktemp("cache")) as opened:
        yield opened


def test_a_query_gives_columns_and_json_values(snapshot: Snapshot) -> None:
    query = "SELECT time, pod, resource, count(*) AS n, NULL AS nothing, [1.5] AS list FROM logs GROUP BY ALL"
    table = snapshot.sql(query)
    assert table.columns == ("time", "pod", "resource", "n", "nothing", "list")
    assert table.rows == (("2026-03-01 12:00:00", "cart-0", {"k8s.pod.name": "cart-0"}, 9, None, [1.5]),)
    assert not table.truncated


def test_more_rows_than_asked_for_are_cut_and_said(snapshot: Snapshot) -> None:
    table = snapshot.sql("SELECT body FROM logs ORDER BY body DESC; -- the last", limit=2)
    assert (table.rows, table.truncated) == ((("8",), ("7",)), True)
    assert not snapshot.sql("FROM logs", limit=9).truncated


@pytest.mark.parametrize("table", ["alerts", "events", "objects", "logs", "spans", "metrics"])
def test_every_table_is_there_even_without_files(snapshot: Snapshot, table: str) -> None:
    assert "time" in snapshot.sql(f"SELECT * FROM {table}").columns


@pytest.mark.parametrize(
    "query", ["SHOW TABLES", "DESCRIBE spans", "SUMMARIZE logs", "VALUES (1)", "SELECT now(), 'nan'::DOUBLE"]
)
def test_what_only_reads_is_allowed(snapshot: Snapshot, query: str) -> None:
    assert snapshot.sql(query).rows


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM read_text('{folder}/ground_truth.yaml')",
        "SELECT * FROM read_blob('{folder}/ground_truth.yaml')",
        "SELECT * FROM read_csv('{folder}/truth.csv')",
        "SELECT * FROM '{folder}/truth.csv'",
        "SELECT * FROM sniff_csv('{folder}/truth.csv')",
        "SELECT * FROM glob('{folder}/*')",
        "SELECT * FROM read_text('/proc/self/environ')",
        "SELECT * FROM query('COPY (SELECT 1) TO ''{folder}/out''')",
        "SELECT getenv('HOME')",
        "COPY (SELECT 1) TO '{folder}/out'",
        "ATTACH '{folder}/out'",
        "SET enable_external_access = true",
        "RESET lock_configuration",
        "INSTALL httpfs",
        "LOAD httpfs",
        "CREATE TABLE x AS SELECT 1",
        "PRAGMA database_list",
        "SELECT 1; SELECT 2",
        "SELECT 1) UNION ALL (SELECT 2",
        "EXPLAIN SELECT 1",
        "",
        "nonsense",
        "\0",
    ],
)
def test_everything_else_is_refused(snapshot: Snapshot, folder: Path, query: str) -> None:
    before = sorted(folder.iterdir())
    with pytest.raises(SnapshotError) as error:
        snapshot.sql(query.format(folder=folder))
    assert SECRET not in str(error.value)
    assert sorted(folder.iterdir()) == before


def test_what_is_no_select_is_told_what_is(snapshot: Snapshot) -> None:
    with pytest.raises(SnapshotError, match="only a single SELECT can be run"):
        snapshot.sql("SET threads = 1")


def test_the_database_itself_is_locked_and_closed_in(snapshot: Snapshot, folder: Path) -> None:
    with store.connect(snapshot._entry.parts) as connection:
        for query in ("SET enable_external_access = true", f"COPY (SELECT 1) TO '{folder}/out'"):
            with pytest.raises(duckdb.Error):
                connection.execute(query)


def test_a_query_that_takes_too_long_is_stopped(snapshot: Snapshot) -> None:
    with pytest.raises(SnapshotError, match="takes more than"):
        snapshot.sql("SELECT count(*) FROM range(100000000000) a, range(1000000) b", timeout=0.2)
    assert snapshot.sql("SELECT 1").rows == ((1,),)


def test_a_query_that_heeds_no_interrupt_is_killed(snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql, "_GRACE", 0.1)
    slow = "SELECT sum(length(repeat('x', 300000000 + i))) FROM range(1000) r(i)"
    with pytest.raises(SnapshotError, match="takes"):
        snapshot.sql(slow, timeout=0.1)
    assert snapshot.sql("SELECT 1", timeout=30).rows == ((1,),)


@pytest.mark.parametrize("query", ["SELECT repeat('x', 4000000000)", "SELECT list(i) FROM range(1000000000) r(i)"])
def test_a_query_that_takes_too_much_memory_fails_alone(snapshot: Snapshot, query: str) -> None:
    with pytest.raises(SnapshotError, match="Out of Memory"):
        snapshot.sql(query)
    assert snapshot.sql("SELECT 1").rows == ((1,),)


def test_a_process_that_dies_is_told_and_followed_by_another(snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch) -> None:
    answering = sql.SqlProcess._line

    def dying(self: sql.SqlProcess, process: subprocess.Popen[bytes], deadline: float) -> bytes:
        process.kill()  # as the kernel does where memory is short
        process.wait()
        return answering(self, process, deadline)

    snapshot.sql("SELECT 1")
    with monkeypatch.context() as broken:
        broken.setattr(sql.SqlProcess, "_line", dying)
        with pytest.raises(SnapshotError, match="ended the process that ran it"):
            snapshot.sql("SELECT 1")
    assert snapshot.sql("SELECT 1").rows == ((1,),)


def test_an_answer_that_is_too_large_is_refused(snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql, "MAX_ANSWER_BYTES", 10_000)
    with pytest.raises(SnapshotError, match="larger than 10,000 bytes"):
        snapshot.sql("SELECT repeat('x', 20000)")
    assert snapshot.sql("SELECT 1").rows == ((1,),)


def test_threads_may_ask_at_once(snapshot: Snapshot) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda number: snapshot.sql(f"SELECT {number}").rows, range(8)))
    assert answers == [((number,),) for number in range(8)]


def test_the_process_ends_with_the_snapshot(folder: Path, tmp_path: Path) -> None:
    with open_snapshot(folder, cache_dir=tmp_path) as opened:
        opened.sql("SELECT 1")
        process = opened._sql._process
        assert isinstance(process, subprocess.Popen)
        assert process.poll() is None
    assert process.poll() is not None
