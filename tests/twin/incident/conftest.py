"""Short scenarios of the five-service shop."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from itbench.datasets.scenario_file import ScenarioFile, read_scenario
from itbench.twin.incident.measure import Measured, Worlds, measure, play
from itbench.twin.incident.plan import plan

SHOP = Path(__file__).parents[1] / "applications" / "shop.yaml"
Write = Callable[..., ScenarioFile]


def target(kind: str, name: str, version: str = "apps/v1") -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": "shop"}}


def scaled_to_zero(name: str) -> dict[str, Any]:
    return {"id": "scaled-to-zero-kubernetes-workload", "args": {"kubernetesObject": target("Deployment", name)}}


def wrong_port(name: str) -> dict[str, Any]:
    args = {"kubernetesObject": target("Service", name, "v1"), "targetPort": 8080}
    return {"id": "modified-target-port-kubernetes-service", "args": args}


def document(*faults: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "id": "try-out",
        "title": "Something breaks",
        "application": str(SHOP),
        "seed": 4,
        "noise": 0,
        "timeline": {"before": "2m", "after": "5m"},
        "disruptions": [{"faults": list(faults)}],
        **more,
    }


@pytest.fixture(scope="session")
def write(tmp_path_factory: pytest.TempPathFactory) -> Write:
    """Write a scenario.yaml and read it back."""

    def written(*faults: dict[str, Any], **more: Any) -> ScenarioFile:
        path = tmp_path_factory.mktemp("scenario") / "scenario.yaml"
        path.write_text(yaml.safe_dump(document(*faults, **more), sort_keys=False))
        return read_scenario(path)

    return written


@pytest.fixture(scope="session")
def cart_gone(write: Write) -> Worlds:
    """Nobody runs cart any more."""
    return play(plan(write(scaled_to_zero("cart"))), seed=4)


@pytest.fixture(scope="session")
def cart_gone_measured(cart_gone: Worlds) -> Measured:
    return measure(cart_gone)
