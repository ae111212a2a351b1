"""Scenarios of the book shop, which are played in a second."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from itbench.authoring.rehearsal import Exhibit, Rehearsal, exhibit, rehearse
from itbench.datasets.scenario_file import read_scenario
from itbench.twin.incident.plan import plan

Write = Callable[..., Path]


def target(kind: str, name: str, version: str = "apps/v1") -> dict[str, Any]:
    return {"kubernetesObject": {"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": "book-info"}}}


def lost_selector(service: str = "details") -> dict[str, Any]:
    return {"id": "invalid-kubernetes-service-selector", "args": target("Service", service, "v1")}


def scaled_to_zero(name: str) -> dict[str, Any]:
    return {"id": "scaled-to-zero-kubernetes-workload", "args": target("Deployment", name)}


def no_limits(name: str) -> dict[str, Any]:
    return {"id": "unassigned-kubernetes-workload-container-resource-limits", "args": target("Deployment", name)}


def document(*faults: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "id": "pages-without-blurbs",
        "title": "Blurbs are missing",
        "description": "Some pages come without the part that tells who wrote the book.",
        "application": "book-info",
        "timeline": {"before": "10m", "after": "15m"},
        "disruptions": [{"faults": list(faults)}],
        **more,
    }


@pytest.fixture(scope="session")
def write(tmp_path_factory: pytest.TempPathFactory) -> Write:
    """Write a scenario.yaml."""

    def written(*faults: dict[str, Any], **more: Any) -> Path:
        path = tmp_path_factory.mktemp("scenario") / "scenario.yaml"
        path.write_text(yaml.safe_dump(document(*faults, **more), sort_keys=False))
        return path

    return written


@pytest.fixture(scope="session")
def lost(write: Write) -> Rehearsal:
    """A scenario that is as it should be: a Service selects nothing."""
    return rehearse(plan(read_scenario(write(lost_selector()))), 0)


@pytest.fixture(scope="session")
def files_of_lost(lost: Rehearsal) -> Exhibit:
    """What it would give an agent."""
    return exhibit(lost)
