"""A recording that grows is opened anew, and what was opened before leaves nothing behind."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from itbench.snapshot.records import LogRecord
from itbench.snapshot.writer import SnapshotWriter
from itbench.tools.live import LiveTools
from itbench.tools.refreshing import Refreshed, open_growing

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def record(folder: Path, minutes: int) -> None:
    """A log of so many minutes, put in place as the recorder does: whole."""
    lines = [LogRecord(time=NOON + timedelta(minutes=minute), body=f"minute {minute}") for minute in range(minutes)]
    SnapshotWriter(folder / "next").write_logs(lines)
    for path in (folder / "next").iterdir():
        path.replace(folder / path.name)


def rows(sessions: Refreshed) -> int:
    with sessions.current() as session:
        return int(session.snapshot.query("SELECT count(*) FROM stored.logs")[0][0])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty recording; temporary files lie beside it."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    made = tmp_path / "recording"
    made.mkdir()
    return made


def test_only_the_cache_of_the_open_session_is_kept(folder: Path, tmp_path: Path) -> None:
    record(folder, 1)
    sessions = Refreshed(open_growing(folder, cache_dir=tmp_path / "cache"), LiveTools(growing=folder))
    for minutes in (2, 3, 4):
        record(folder, minutes)
        assert rows(sessions) == minutes
        assert len(list((tmp_path / "temporary").iterdir())) == 1
    sessions.close()
    assert not list((tmp_path / "temporary").iterdir())


def test_files_that_cannot_be_opened_leave_the_old_session_and_no_cache(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(folder, 1)
    sessions = Refreshed(open_growing(folder, cache_dir=tmp_path / "cache"), LiveTools(growing=folder))
    record(folder, 2)

    def refuse(*_: object, **__: object) -> None:
        raise OSError("just being replaced")

    monkeypatch.setattr("itbench.tools.refreshing.open_growing", refuse)
    assert rows(sessions) == 1
    assert not list((tmp_path / "temporary").iterdir())
    sessions.close()
