"""Fixtures for every test."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from itbench.model.errors import ClusterError

if TYPE_CHECKING:
    from itbench.cluster.server import ServerCluster

# No test measures time: an example may take as long as a busy machine makes it take.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

# A shell that starts the tests in the background lets them ignore Ctrl-C, and all programs that they start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def private_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests remember their run folders by themselves, not in the user's state."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with real public files, or a skip where there is none."""
    default = Path(__file__).resolve().parents[2] / "shared"
    path = Path(os.environ.get("ITBENCH_SHARED") or default)
    if not (path / "data").is_dir():
        pytest.skip(f"{path} holds no data/; set ITBENCH_SHARED to the shared folder")
    return path


@pytest.fixture(scope="session")
def kubeconfig() -> Iterator[Path]:
    """A real control plane, or a skip that says how to get one."""
    from itbench.cluster.control_plane import control_plane
    from itbench.cluster.kube_assets import kube_asset

    try:
        for program in ("etcd", "kube-apiserver"):
            kube_asset(program)
    except ClusterError as error:
        pytest.skip(str(error))
    with control_plane() as path:
        yield path


@pytest.fixture(scope="session")
def server(kubeconfig: Path) -> Iterator[ServerCluster]:
    """The real cluster, shared by all tests: each has its own namespace."""
    from itbench.cluster.server import ServerCluster

    with ServerCluster.connect(kubeconfig) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def wrong_port_incident(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of a small incident, simulated once: from minute 10 on cart's Service leads to a port that is closed."""
    import yaml

    from itbench.datasets.scenario_file import read_scenario
    from itbench.twin.incident.plan import plan
    from itbench.twin.incident.simulate import simulate
    from itbench.twin.telemetry.recording import LITE

    cart = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "cart", "namespace": "shop"}}
    fault = {"id": "modified-target-port-kubernetes-service", "args": {"kubernetesObject": cart, "targetPort": 8080}}
    document = {
        "schema_version": 1,
        "id": "nobody-listens",
        "title": "Baskets cannot be shown",
        "application": str(Path(__file__).parent / "twin" / "applications" / "shop.yaml"),
        "noise": 0,
        "timeline": {"before": "10m", "after": "10m"},
        "disruptions": [{"faults": [fault]}],
    }
    folder = tmp_path_factory.mktemp("incident")
    (folder / "scenario.yaml").write_text(yaml.safe_dump(document))
    simulate(plan(read_scenario(folder)), 4, LITE).write(folder / "files")
    return folder / "files"
