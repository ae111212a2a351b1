"""What goes wrong around a trial on kind is told, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from itbench.cluster.reference import ObjectRef
from itbench.environments.kind.engine import Engine
from itbench.environments.kind.owners import owner, owner_of
from itbench.environments.kind.provision import FOLDER_PREFIX, kind_cluster
from itbench.environments.kind.settings import load_kind_settings
from itbench.environments.kind.system import KindSystems
from itbench.model.errors import ClusterError

pytestmark = pytest.mark.integration
Trials = Callable[[str, str, str], Any]
STRANGER = """\
import os, docker, requests
from itbench.environments.kind.engine import Engine
os.setuid(65534)
try:
    Engine.connect()
except Exception as error:
    print(error)
"""
RUNNER = """\
import itbench.environments.kind.system as system
from itbench.environments.kind.settings import load_kind_settings
with system.KindSystems(load_kind_settings()) as systems, systems.turn():
    systems.take()
"""


@pytest.fixture
def engine(systems: KindSystems) -> Iterator[Engine]:
    """The Docker daemon, where this machine can have a cluster at all."""
    with Engine.connect() as found:
        yield found


def _clusters_of(engine: Engine, pid: int) -> list[str]:
    found = [(name, owner_of(name)) for name in engine.clusters()]
    return [name for name, whose in found if whose is not None and whose.pid == pid]


def test_prometheus_that_is_down_is_told_and_the_trial_goes_on(trial: Trials, tmp_path: Path) -> None:
    made = trial("scaled-to-zero-kubernetes-workload", "Deployment", "ratings-v1")
    with made.stage as stage:
        stage.begin()
        admin = stage.system.cluster
        admin.patch(ObjectRef("Deployment", "prometheus", "monitoring"), {"spec": {"replicas": 0}}, "merge")
        while admin.list("Pod", "monitoring", "app.kubernetes.io/name=prometheus"):
            time.sleep(0.5)
        stage.hand_over(tmp_path / "snapshot")
        assert made.steps["recorded"]["missing"]
        stage.mend()
        verdict = stage.judge()
    assert verdict.resolution.resolved, str(verdict.resolution)
    assert made.steps["torn down"]["left"] == []


def test_two_runs_at_once_have_a_cluster_each(systems: KindSystems) -> None:
    with KindSystems(load_kind_settings()) as others, others.turn(), systems.turn():
        theirs, _ = others.take()
        ours, _ = systems.take()
        assert theirs.kind.name != ours.kind.name
        assert theirs.kind.prometheus != ours.kind.prometheus
        for system in (ours, theirs):
            assert [each["metadata"]["name"] for each in system.cluster.list("Node")] == [
                f"{system.kind.name}-control-plane"
            ]
    with systems.turn():
        again, reused = systems.take()
        assert (again.kind.name, reused) == (ours.kind.name, True)
        assert theirs.kind.name not in again.engine.clusters()


def test_a_runner_that_is_killed_half_way_leaves_nothing_once_reaped(engine: Engine) -> None:
    with subprocess.Popen([sys.executable, "-c", RUNNER], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as runner:
        deadline = time.monotonic() + 120
        while not (made := _clusters_of(engine, runner.pid)):
            assert time.monotonic() < deadline, "no cluster was begun"
            time.sleep(0.2)
        runner.send_signal(signal.SIGKILL)
    folder = Path(tempfile.gettempdir()) / f"{FOLDER_PREFIX}{made[0]}"
    assert folder.exists()
    done = subprocess.run(
        [sys.executable, "-m", "itbench.cli.main", "env", "reap"], capture_output=True, text=True, check=True, timeout=120
    )
    assert made[0] in done.stdout
    time.sleep(3)  # what the killed one had started might go on
    assert _clusters_of(engine, runner.pid) == []
    assert not folder.exists()


def test_an_image_that_is_nowhere_is_told_with_how_to_get_it(engine: Engine) -> None:
    before = _clusters_of(engine, os.getpid())
    with (
        pytest.raises(ClusterError, match="kind could not make a cluster") as caught,
        kind_cluster(engine, load_kind_settings(), "registry.local/no-such-node:1"),
    ):
        raise AssertionError
    assert "make kind-node-image" in (caught.value.hint or "")
    assert _clusters_of(engine, os.getpid()) == before


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be somebody else")
def test_a_daemon_that_lets_nobody_in_is_told_with_what_to_do() -> None:
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as daemon:
        Path(folder).chmod(0o755)
        address = Path(folder, "docker.sock")
        daemon.bind(str(address))
        address.chmod(0o600)
        environment = {**os.environ, "DOCKER_HOST": f"unix://{address}"}
        command = [sys.executable, "-c", STRANGER]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert "does not let this user in" in done.stdout, done.stderr
    assert "Join the group docker" in done.stdout


def test_a_cluster_that_dies_during_a_trial_is_told_and_leaves_nothing(trial: Trials, tmp_path: Path) -> None:
    made = trial("scaled-to-zero-kubernetes-workload", "Deployment", "details-v1")
    with made.stage as stage:
        stage.begin()
        stage.hand_over(tmp_path / "snapshot")
        folder = stage.system.kind.folder
        stage.system.engine.remove(stage.system.kind.name)
        with pytest.raises(ClusterError, match="cannot be reached"):
            stage.judge()
    assert "failed" in made.steps["torn down"]
    assert not folder.exists()
    with Engine.connect() as engine:
        assert [name for name in engine.clusters() if owner_of(name) == owner()] == []
