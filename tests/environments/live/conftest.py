"""Small scenarios, and a stage that is handed over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from itbench.cluster.kube_assets import kube_asset
from itbench.datasets.scenario_file import read_scenario
from itbench.environments.live.stage import LiveSettings, Stage
from itbench.model.errors import ClusterError
from itbench.twin.incident.plan import Plan, plan

SCENARIO = """\
schema_version: 1
id: nobody
domain: sre
title: Reviews have no stars
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


@pytest.fixture(scope="session")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Plan]:
    """The plan of a small scenario, with more lines in its file."""

    def make(more: str = "") -> Plan:
        folder = tmp_path_factory.mktemp("scenario")
        (folder / "scenario.yaml").write_text(SCENARIO + more)
        return plan(read_scenario(folder))

    return make


class Live:
    """A stage behind an API server, and what it told."""

    def __init__(self, planned: Plan, folder: Path) -> None:
        self.told: list[tuple[str, dict[str, object]]] = []
        self.stage = Stage(planned, 7, LiveSettings("hybrid"), self._note)
        self.folder = folder

    def _note(self, kind: str, **data: object) -> None:
        self.told.append((kind, data))


@pytest.fixture(scope="module")
def live(planned: Callable[..., Plan], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A stage that was handed over; or a skip that says what is missing."""
    try:
        for program in ("etcd", "kube-apiserver", "kubectl"):
            kube_asset(program)
    except ClusterError as error:
        pytest.skip(str(error))
    found = Live(planned(), tmp_path_factory.mktemp("live"))
    with found.stage as stage:
        stage.begin()
        stage.hand_over(found.folder / "snapshot")
        yield found
