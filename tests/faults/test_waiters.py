"""Waiters on clusters without controllers, and pacers."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from itbench.cluster.protocol import Cluster
from itbench.cluster.reference import ObjectRef
from itbench.faults.pacing import Pacer, WallPacer
from itbench.faults.waiters import waiter
from itbench.model.errors import FaultError


class CountingPacer:
    """Counts the seconds that it would let pass."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds

    def until(self, condition: Callable[[], bool], seconds: float) -> bool:
        held = condition()
        self.seconds += 0 if held else seconds
        return held


def target(name: str, namespace: str, kind: str = "Deployment") -> dict[str, object]:
    return {"kubernetesObject": {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name, "namespace": namespace}}}


def test_a_pause_lets_time_pass(memory: Cluster) -> None:
    pacer = CountingPacer()
    assert waiter("pause-execution", {"seconds": 90}).run(memory, pacer)
    assert pacer.seconds == 90


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet"])
def test_scaling_asks_for_the_replicas(kind: str, cluster: Cluster, shop: str) -> None:
    name = "web" if kind == "Deployment" else "db"
    pacer = CountingPacer()
    done = waiter("scale-kubernetes-workload", {**target(name, shop, kind), "replicas": 5}).run(cluster, pacer)
    assert cluster.get(ObjectRef(kind, name, shop))["spec"]["replicas"] == 5
    assert not done
    assert pacer.seconds == 300


def test_a_restart_changes_the_pod_template(cluster: Cluster, shop: str, pacer: Pacer) -> None:
    waiter("restart-kubernetes-workload", target("web", shop)).run(cluster, pacer)
    template = cluster.get(ObjectRef("Deployment", "web", shop))["spec"]["template"]
    assert "kubectl.kubernetes.io/restartedAt" in template["metadata"]["annotations"]


def test_deleting_pods_keeps_the_replicas(cluster: Cluster, shop: str, pacer: Pacer) -> None:
    waiter("delete-workload-pods", target("web", shop)).run(cluster, pacer)
    assert cluster.get(ObjectRef("Deployment", "web", shop))["spec"]["replicas"] == 2


def test_a_missing_workload_is_told(cluster: Cluster, shop: str, pacer: Pacer) -> None:
    for each in ("restart-kubernetes-workload", "delete-workload-pods"):
        found = waiter(each, target("wep", shop))
        with pytest.raises(FaultError, match="Did you mean 'web'"):
            found.check(cluster)
        with pytest.raises(FaultError, match="Did you mean 'web'"):
            found.run(cluster, pacer)


def test_the_wall_pacer_asks_until_it_holds() -> None:
    answers = iter([False, False, True])
    assert WallPacer(poll=0.001).until(lambda: next(answers), 60)
    assert not WallPacer(poll=0.001).until(lambda: False, 0.005)
    assert WallPacer().until(lambda: True, 0)
