"""Faults where controllers, kubelets and traffic answer to them: they show, every fix repairs, undo restores."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.random import default_rng

from itbench.cluster.protocol import KubeObject
from itbench.cluster.reference import ObjectRef
from itbench.faults.injection import Injection
from itbench.faults.registry import fault
from itbench.faults.waiters import waiter
from itbench.twin.app.load import load_application
from itbench.twin.running import RunningApplication

from .test_library import BY_NUMBER, on


class TwinPacer:
    """Lets simulated time pass."""

    def __init__(self, application: RunningApplication) -> None:
        self.application = application
        self.failing = 0.0

    def sleep(self, seconds: float) -> None:
        flow = self.application.advance(seconds)[-1]
        self.failing = float(np.sum(flow.failures()[-1] * flow.arrivals[-1]))

    def until(self, condition: Callable[[], bool], seconds: float) -> bool:
        end = self.application.twin.clock.now + seconds
        while not (held := condition()) and self.application.twin.clock.now < end:
            self.sleep(5)
        return held

    def unready(self) -> set[str]:
        """The states of pods that are not Ready."""
        pods = self.application.twin.store.list("Pod")
        return {_state(pod) for pod in pods if not _is_ready(pod)}


def _is_ready(pod: KubeObject) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def _state(pod: KubeObject) -> str:
    status = pod.get("status") or {}
    for each in (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())):
        reason = (each.get("state") or {}).get("waiting", {}).get("reason")
        if reason:
            return str(reason)
    return str(status.get("phase"))


OTEL = {"namespace": "otel-demo"}
# number: arguments, the states of pods that are not Ready, whether requests fail.
SIGNS: dict[int, tuple[dict[str, Any], set[str], bool]] = {
    2: (on("recommendation"), {"CrashLoopBackOff"}, False),
    4: (on("frontend"), set(), True),
    6: (on("frontend"), set(), True),
    7: (on("ad"), set(), True),
    14: (on("ad", "Service", "v1", targetPort=8080), set(), True),
    19: (on("kafka"), {"Pending"}, True),
    25: (on("payment"), {"Pending"}, False),
    27: (on("valkey-cart", container={"name": "valkey-cart"}), set(), True),
    28: (on("valkey-cart", container={"name": "valkey-cart"}), {"CrashLoopBackOff"}, True),
    30: (on("product-catalog", "Service", "v1"), set(), True),
}


def broken_world(number: int) -> tuple[TwinPacer, Any, Injection]:
    """A shop in which a fault has had four minutes."""
    pacer = TwinPacer(RunningApplication(load_application("otel-demo"), seed=7))
    pacer.sleep(30)
    assert not pacer.unready()
    assert pacer.failing == 0
    args = SIGNS[number][0]
    target = {**args["kubernetesObject"], "metadata": {**args["kubernetesObject"]["metadata"], **OTEL}}
    broken = fault(BY_NUMBER[number].id, {**args, "kubernetesObject": target})
    injection = broken.inject(pacer.application.twin.cluster, pacer, default_rng(1))
    pacer.sleep(240)
    return pacer, broken, injection


@pytest.mark.parametrize("number", SIGNS)
def test_a_fault_shows_and_undo_restores(number: int) -> None:
    pacer, broken, injection = broken_world(number)
    assert pacer.until(lambda: pacer.unready() == SIGNS[number][1], 180)  # a crash loop runs now and then
    assert (pacer.failing > 0.1) == SIGNS[number][2]
    broken.undo(pacer.application.twin.cluster, pacer, injection)
    pacer.sleep(240)
    assert not pacer.unready()
    assert pacer.failing == 0


@pytest.mark.parametrize(("number", "index"), [(2, 0), (2, 1), (6, 1), (19, 0), (19, 2), (27, 2), (28, 2), (30, 0)])
def test_a_fix_repairs(number: int, index: int) -> None:
    pacer, broken, injection = broken_world(number)
    broken.fixes()[index].apply(pacer.application.twin.cluster, injection)
    pacer.sleep(360)
    assert not pacer.unready()
    assert pacer.failing == 0


def test_waiters_wait_for_the_roll_out() -> None:
    pacer = TwinPacer(RunningApplication(load_application("book-info"), seed=7))
    cluster = pacer.application.twin.cluster
    target = on("details-v1")["kubernetesObject"] | {"metadata": {"name": "details-v1", "namespace": "book-info"}}
    ref = ObjectRef("Deployment", "details-v1", "book-info", "apps/v1")

    def pods() -> set[str]:
        found = cluster.list("Pod", "book-info")
        return {pod["metadata"]["name"] for pod in found if pod["metadata"]["name"].startswith("details-v1")}

    first = pods()
    assert waiter("restart-kubernetes-workload", {"kubernetesObject": target}).run(cluster, pacer)
    second = pods()
    assert not first & second
    assert waiter("delete-workload-pods", {"kubernetesObject": target}).run(cluster, pacer)
    assert not second & pods()
    assert waiter("scale-kubernetes-workload", {"kubernetesObject": target, "replicas": 3}).run(cluster, pacer)
    assert cluster.get(ref)["status"]["availableReplicas"] == 3
