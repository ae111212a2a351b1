"""A small incident, played once: the store has no pods any more, and a roll-out of reco hangs."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from itbench.datasets.scenario_file import read_scenario
from itbench.twin.incident.plan import plan
from itbench.twin.incident.simulate import Simulation, simulate
from itbench.twin.telemetry.recording import LITE

SHOP = Path(__file__).parents[2] / "twin" / "applications" / "shop.yaml"


def _deployment(name: str) -> dict[str, object]:
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": "shop"}}


DEFINITION = {
    "schema_version": 1,
    "id": "no-store",
    "domain": "sre",
    "title": "The store & <nobody> behind it",
    "application": str(SHOP),
    "noise": 0,
    "seed": 4,
    "timeline": {"before": "5m", "after": "20m"},
    "disruptions": [
        {"faults": [{"id": "scaled-to-zero-kubernetes-workload", "args": {"kubernetesObject": _deployment("store")}}]},
        {
            "at": "2m",
            "faults": [
                {
                    "id": "nonexistent-kubernetes-workload-container-image",
                    "args": {"kubernetesObject": _deployment("reco"), "container": {"name": "reco"}},
                }
            ],
        },
    ],
}


@pytest.fixture(scope="session")
def scenario_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scenarios") / "no-store"
    folder.mkdir()
    path = folder / "scenario.yaml"
    path.write_text(yaml.safe_dump(DEFINITION), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def simulation(scenario_path: Path) -> Simulation:
    return simulate(plan(read_scenario(scenario_path)), 4, LITE)
