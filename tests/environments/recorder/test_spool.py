"""A recording's folder appears whole, also when its recorder was killed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from itbench.environments.recorder.recorder import finish_interrupted
from itbench.environments.recorder.secrets import Secrets
from itbench.environments.recorder.spool import Spool
from itbench.model.errors import UsageError
from itbench.snapshot.records import ObjectVersion, Series
from itbench.snapshot.snapshot import open_snapshot

BEGIN = datetime(2026, 3, 1, 10, tzinfo=UTC)
POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "cart-0", "namespace": "shop", "uid": "1"}}


def samples(*minutes: int) -> Series:
    points = tuple((BEGIN + timedelta(minutes=minute), float(minute)) for minute in minutes)
    return Series("up", "pod", "cart-0", {"namespace": "shop"}, points)


def filled(folder: Path) -> Spool:
    spool = Spool(folder, Secrets())
    spool.note(began="now")
    spool.add_object(ObjectVersion(BEGIN, POD))
    spool.add_series([samples(1, 2)])
    spool.add_series([samples(2, 3)])
    spool.flush()
    return spool


def test_there_is_no_folder_until_it_is_whole_and_then_nothing_else(tmp_path: Path) -> None:
    spool = filled(tmp_path / "out")
    assert not (tmp_path / "out").exists()
    spool.finish()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    with open_snapshot(tmp_path / "out", cache_dir=tmp_path / "cache") as snapshot:
        assert [version.manifest for version in snapshot.objects_at()] == [POD]
        (series,) = snapshot.series()
        assert series.points == samples(1, 2, 3).points


def test_an_interrupted_recording_is_finished_with_what_it_had(tmp_path: Path) -> None:
    spool = filled(tmp_path / "out")
    spool.close()
    with (tmp_path / ".out.recording" / "objects.jsonl").open("a") as file:
        file.write('{"time": "2026-')  # killed while it wrote
    assert finish_interrupted(tmp_path / "out")
    with open_snapshot(tmp_path / "out", cache_dir=tmp_path / "cache") as snapshot:
        assert len(snapshot.object_history()) == 1
    assert '"interrupted": true' in (tmp_path / "out" / "recording.json").read_text()


def test_where_nothing_was_interrupted_nothing_is_made(tmp_path: Path) -> None:
    assert not finish_interrupted(tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_two_recorders_do_not_share_a_folder(tmp_path: Path) -> None:
    with filled(tmp_path / "out"), pytest.raises(UsageError, match="being recorded by another"):
        finish_interrupted(tmp_path / "out")


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with pytest.raises(UsageError, match="something here already"):
        Spool(tmp_path / "out", Secrets())
