"""`itbench env`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from itbench.cli.main import main
from itbench.cluster.kube_assets import kube_asset
from itbench.model.errors import ClusterError

SCENARIO = """\
schema_version: 1
id: no-pages
domain: sre
title: No pages
application: book-info
timeline: {before: 5m, after: 8m}
disruptions:
  - faults:
      - id: scaled-to-zero-kubernetes-workload
        args:
          kubernetesObject:
            apiVersion: apps/v1
            kind: Deployment
            metadata: {name: productpage-v1, namespace: book-info}
"""


@pytest.fixture(autouse=True)
def private_temporaries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "t"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    (tmp_path / "scenario.yaml").write_text(SCENARIO)
    return tmp_path / "scenario.yaml"


def itbench(*words: str, code: int = 0) -> str:
    done = CliRunner().invoke(main, list(words))
    assert done.exit_code == code, done.output
    return done.stdout


def test_without_environments_status_says_how_to_start_one() -> None:
    assert "itbench env up" in itbench("env", "status")
    assert json.loads(itbench("env", "status", "--json")) == []
    assert "Nothing was left behind" in itbench("env", "reap")


def test_unknown_names_are_refused() -> None:
    done = CliRunner().invoke(main, ["env", "down", "hybrid-x"])
    assert done.exit_code == 2
    assert "there is no environment 'hybrid-x'" in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["snapshot"], "which folder?"),
        (["snapshot", "/there/is/none"], "there is no such folder"),
        (["nobody-at-the-till", "--at", "end"], "of snapshots"),
    ],
)
def test_what_is_no_snapshot_is_refused_before_anything_starts(words: list[str], said: str) -> None:
    done = CliRunner().invoke(main, ["env", "up", *words])
    assert done.exit_code == 2
    assert said in done.stderr
    assert json.loads(itbench("env", "status", "--json")) == []


def test_doctor_says_what_is_missing_and_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("KUBEBUILDER_ASSETS", "PATH", "XDG_CACHE_HOME"):
        monkeypatch.setenv(variable, str(tmp_path))
    text = itbench("env", "doctor", code=1)
    assert "missing  kube-apiserver (needed by hybrid): make kube-assets" in text
    assert "missing  service program (needed by kind): make kind-service-image" in text
    assert "hybrid: not ready. kind: not ready" in text


def is_running(pid: int) -> bool:
    """Whether a process is there and not merely waiting to be reaped by whoever adopted it."""
    stat = Path(f"/proc/{pid}/stat")
    try:
        return stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.integration
def test_an_environment_stays_up_until_it_is_taken_down(scenario: Path) -> None:
    made = json.loads(itbench("env", "up", str(scenario), "--env", "twin", "--json"))
    (found,) = json.loads(itbench("env", "status", "--json"))
    assert (found["name"], found["state"], found["scenario"]) == (made["name"], "ready", "no-pages")
    assert (Path(made["snapshot"]) / "alerts").is_dir()
    assert f"{made['name']} is down." in itbench("env", "down", made["name"])
    assert json.loads(itbench("env", "status", "--json")) == []
    assert not is_running(made["pid"])


@pytest.mark.integration
def test_ctrl_c_during_the_start_leaves_nothing(scenario: Path) -> None:
    try:
        kube_asset("kube-apiserver")
    except ClusterError as error:
        pytest.skip(str(error))
    program = subprocess.Popen(
        [sys.executable, "-m", "itbench.cli.main", "env", "up", str(scenario)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    folder = Path(tempfile.gettempdir())
    deadline = time.monotonic() + 240
    while not list(folder.glob("itbench-control-plane-*/pids.json")):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    (noted,) = folder.glob("itbench-control-plane-*/pids.json")
    pids = json.loads(noted.read_text())
    program.send_signal(signal.SIGINT)
    program.communicate(timeout=240)
    assert program.returncode != 0
    assert not list(folder.glob("itbench-control-plane-*"))
    assert not list((folder / f"itbench-live-{os.getuid()}").iterdir())
    for pid in pids.values():
        assert not Path(f"/proc/{pid}").exists() or "zombie" in Path(f"/proc/{pid}/status").read_text()
