"""A cluster of several nodes: the number is data, and pods of one node reach those of another."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from itbench.environments.kind.settings import load_kind_settings
from itbench.environments.kind.system import KindSystems

pytestmark = pytest.mark.integration
Makes = Callable[[KindSystems, str, str, str], Any]


def test_a_trial_on_several_nodes(systems: KindSystems, trial_on: Makes, tmp_path: Path) -> None:
    with KindSystems(load_kind_settings().model_copy(update={"workers": 2})) as several:
        made = trial_on(several, "scaled-to-zero-kubernetes-workload", "Deployment", "ratings-v1")
        with made.stage as stage:
            stage.begin()  # well: no request fails on its way between nodes
            cluster = stage.system.cluster
            ranges = {node["metadata"]["name"]: node["spec"]["podCIDR"] for node in cluster.list("Node")}
            assert len(ranges) == len(set(ranges.values())) == 3
            pods = cluster.list("Pod", "book-info")
            assert len({pod["spec"]["nodeName"] for pod in pods}) == 2, "the workers share the work"
            for pod in pods:
                prefix = ranges[pod["spec"]["nodeName"]].rpartition(".")[0] + "."
                assert pod["status"].get("podIP", prefix).startswith(prefix)
            stage.hand_over(tmp_path / "snapshot")
            stage.mend()
            verdict = stage.judge()
    assert verdict.resolution.resolved, str(verdict.resolution)
    assert made.steps["torn down"]["left"] == []
