"""What a killed control plane leaves is found and removed, and nothing else."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
from pathlib import Path

import pytest

from itbench.cluster.control_plane import FOLDER_PREFIX
from itbench.cluster.leftovers import leftovers, reap


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    folder = tmp_path / f"{FOLDER_PREFIX}x"
    folder.mkdir()
    return folder


def sleeper(folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(["sleep", "600"], cwd=folder)


@pytest.mark.integration
def test_orphans_of_a_killed_guard_are_ended_with_their_folder(place: Path) -> None:
    orphan = sleeper(place)
    (place / "pids.json").write_text(json.dumps({"guard": 2**22 - 1, "etcd": orphan.pid}))
    (found,) = leftovers()
    assert found.processes == (orphan.pid,)
    reap(found)
    assert orphan.wait(10) == -signal.SIGKILL
    assert not place.exists()
    assert not list(leftovers())


@pytest.mark.integration
def test_a_process_of_the_same_number_elsewhere_is_left_alone(place: Path, tmp_path: Path) -> None:
    stranger = sleeper(tmp_path)
    try:
        (place / "pids.json").write_text(json.dumps({"guard": 2**22 - 1, "etcd": stranger.pid}))
        (found,) = leftovers()
        assert found.processes == ()
        reap(found)
        assert stranger.poll() is None
        assert not place.exists()
    finally:
        stranger.kill()
        stranger.wait()


def test_a_folder_that_is_just_being_made_is_left_alone(place: Path) -> None:
    assert not list(leftovers())
    os.utime(place, (0, 0))  # long ago: nobody will finish it
    assert [found.folder for found in leftovers()] == [place]


@pytest.mark.integration
def test_a_control_plane_that_is_kept_is_no_leftover(kubeconfig: Path) -> None:
    assert kubeconfig.parent not in [found.folder for found in leftovers()]
