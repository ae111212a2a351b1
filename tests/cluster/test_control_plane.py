"""A control plane of one's own leaves nothing behind, however it ends."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from itbench.cluster.control_plane import control_plane
from itbench.cluster.kube_assets import kube_asset
from itbench.cluster.server import ServerCluster
from itbench.cluster.transport import Transport
from itbench.model.errors import ClusterError, ForbiddenError, UsageError

_PROGRAM = """
import sys
from itbench.cluster.control_plane import control_plane
with control_plane() as kubeconfig:
    print(kubeconfig, flush=True)
    sys.stdin.read()
"""


def _fake(folder: Path, name: str, script: str) -> None:
    program = folder / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


def test_missing_program_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("KUBEBUILDER_ASSETS", "PATH", "XDG_CACHE_HOME"):
        monkeypatch.setenv(variable, str(tmp_path))
    _fake(tmp_path, "etcd", "exit 0")
    with pytest.raises(ClusterError, match=r"needs the program kube-apiserver.*make kube-assets"), control_plane():
        pass


def test_assets_folder_comes_before_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("assets", "path"):
        (tmp_path / folder).mkdir()
        _fake(tmp_path / folder, "etcd", "exit 0")
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path / "assets"))
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    assert kube_asset("etcd") == tmp_path / "assets" / "etcd"


@pytest.mark.integration
def test_program_that_ends_early_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    _fake(tmp_path, "etcd", "exec sleep 60")
    _fake(tmp_path, "kube-apiserver", "echo no such flag; exit 3")
    with (
        pytest.raises(ClusterError, match="kube-apiserver ended while the control plane was starting: no such flag"),
        control_plane(),
    ):
        pass


@pytest.mark.integration
def test_a_port_that_was_taken_meanwhile_is_followed_by_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    _fake(tmp_path, "etcd", "exec sleep 60")
    _fake(tmp_path, "kube-apiserver", f'echo "$*" >> {tmp_path}/starts; echo "bind: address already in use"; exit 1')
    with pytest.raises(ClusterError, match="address already in use"), control_plane():
        pass
    starts = (tmp_path / "starts").read_text().splitlines()
    ports = {word for line in starts for word in line.split() if word.startswith("--secure-port=")}
    assert (len(starts), len(ports)) == (3, 3)
    assert not list(tmp_path.glob("itbench-control-plane-*"))


@pytest.mark.integration
@pytest.mark.parametrize("end", ["closed", "killed"])
def test_nothing_is_left(kubeconfig: Path, end: str) -> None:
    """Asks for the session's control plane only to be skipped where there is none."""
    assert kubeconfig.exists()
    program = subprocess.Popen([sys.executable, "-c", _PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert program.stdout is not None
    folder = Path(program.stdout.readline().strip()).parent
    assert _processes(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    if end == "killed":
        os.kill(program.pid, signal.SIGKILL)
    program.communicate()
    for _ in range(100):
        if not _processes(folder) and not folder.exists():
            break
        time.sleep(0.1)
    assert not _processes(folder)
    assert not folder.exists()


@pytest.mark.integration
def test_a_token_is_asked_for(kubeconfig: Path, tmp_path: Path) -> None:
    config = json.loads(kubeconfig.read_text())
    config["users"][0]["user"]["token"] = "guessed"
    stranger = tmp_path / "kubeconfig"
    stranger.write_text(json.dumps(config))
    with ServerCluster.connect(stranger) as cluster, pytest.raises(ForbiddenError):
        cluster.list("secrets", "default")


@pytest.mark.integration
def test_dead_server_is_one_message(kubeconfig: Path, tmp_path: Path) -> None:
    config = json.loads(kubeconfig.read_text())
    config["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:1"
    dead = tmp_path / "kubeconfig"
    dead.write_text(json.dumps(config))
    with (
        ServerCluster.connect(dead) as cluster,
        pytest.raises(ClusterError, match=r"https://127\.0\.0\.1:1 cannot be reached"),
    ):
        cluster.list("pods")


def test_bad_kubeconfig_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"absent: this kubeconfig cannot be used"):
        Transport.open(tmp_path / "absent", None)


def _processes(folder: Path) -> list[str]:
    """Programs that run in a folder or were told of it."""
    found = []
    for process in Path("/proc").iterdir():
        if not process.name.isdigit():
            continue
        try:
            told = (process / "cmdline").read_bytes().decode(errors="replace") + str((process / "cwd").readlink())
        except OSError:
            continue
        if str(folder) in told:
            found.append(told)
    return found
