"""An incident of the five-service shop, simulated once: cart's Service leads to a port where nobody listens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from itbench.agents.baseline.case import Case
from itbench.datasets.scenario_file import read_scenario
from itbench.snapshot.snapshot import open_snapshot
from itbench.tools.session import Session
from itbench.twin.incident.plan import plan
from itbench.twin.incident.simulate import simulate
from itbench.twin.telemetry.recording import LITE

SHOP = Path(__file__).parents[2] / "twin" / "applications" / "shop.yaml"
Incident = Callable[..., Path]


def target(kind: str, name: str, version: str = "apps/v1") -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": "shop"}}


WRONG_PORT = {
    "id": "modified-target-port-kubernetes-service",
    "args": {"kubernetesObject": target("Service", "cart", "v1"), "targetPort": 8080},
}
SCALED_TO_ZERO = {"id": "scaled-to-zero-kubernetes-workload", "args": {"kubernetesObject": target("Deployment", "store")}}
RESTART = {"id": "restart-kubernetes-workload", "args": {"kubernetesObject": target("Deployment", "reco")}}


@pytest.fixture(scope="session")
def incident(tmp_path_factory: pytest.TempPathFactory) -> Incident:
    """Simulate some faults of the shop; the folder has the files and the truth."""
    made: dict[str, Path] = {}

    def make(*faults: dict[str, Any], after: tuple[dict[str, Any], ...] = ()) -> Path:
        key = repr((faults, after))
        if key not in made:
            folder = tmp_path_factory.mktemp("incident")
            document = {
                "schema_version": 1,
                "id": "try-out",
                "title": "Something breaks",
                "application": str(SHOP),
                "noise": 1,
                "timeline": {"before": "10m", "after": "10m"},
                "disruptions": [{"faults": list(faults), "after": list(after)}],
            }
            (folder / "scenario.yaml").write_text(yaml.safe_dump(document))
            simulate(plan(read_scenario(folder)), 4, LITE).write(folder / "files")
            made[key] = folder / "files"
        return made[key]

    return make


@pytest.fixture
def wrong_port(incident: Incident) -> Iterator[Case]:
    with open_snapshot(incident(WRONG_PORT)) as snapshot:
        yield Case(Session(snapshot))
