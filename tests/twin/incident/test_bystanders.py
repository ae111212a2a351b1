from __future__ import annotations

from datetime import datetime
from typing import Any

from itbench.twin.incident.bystanders import bystanders
from itbench.twin.incident.incident import Incident
from itbench.twin.incident.plan import plan
from itbench.twin.objects import name_of

from .conftest import Write, scaled_to_zero, target, wrong_port

_NAME = "app.kubernetes.io/name"


def experiment(**selector: Any) -> dict[str, Any]:
    chaos = {"action": "pod-kill", "mode": "one", "selector": {"namespaces": ["shop"], **selector}}
    ref = {"apiVersion": "chaos-mesh.org/v1alpha1", "kind": "Schedule", "metadata": {"name": "drill", "namespace": "shop"}}
    args = {"kubernetesObject": ref, "scheduleSpec": {"type": "PodChaos", "podChaos": chaos}}
    return {"id": "scheduled-chaos-mesh-experiment", "args": args}


def test_who_is_broken_is_no_bystander(write: Write) -> None:
    ready = plan(write(scaled_to_zero("cart"), wrong_port("store")))
    assert bystanders(ready) == set(ready.application.services) - {"cart", "store"}


def test_an_experiment_is_about_whom_it_selects(write: Write) -> None:
    ready = plan(write(experiment(labelSelectors={_NAME: "cart"})))
    assert bystanders(ready) == set(ready.application.services) - {"cart"}


def test_an_experiment_on_a_whole_namespace_leaves_no_bystander(write: Write) -> None:
    assert bystanders(plan(write(experiment()))) == frozenset()


def test_a_configuration_is_about_those_that_use_it(write: Write) -> None:
    env = {"name": "STORE_ADDR", "value": "store:1"}
    args = {"kubernetesObject": target("Deployment", "cart"), "container": {"name": "cart", "env": env}}
    fault = {"id": "modified-kubernetes-workload-container-environment-variable", "args": args}
    assert "cart" not in bystanders(plan(write(fault)))


def test_where_room_is_short_nobody_is_a_bystander(write: Write) -> None:
    fault = {
        "id": "priority-kubernetes-workload-priority-preemption",
        "args": {"kubernetesObject": target("Deployment", "cart")},
    }
    assert bystanders(plan(write(fault))) == frozenset()


def rolled_after(incident: Incident, moment: float) -> set[str]:
    """The Deployments that got new pods by an innocent roll-out after a moment."""
    begin = incident.running.twin.clock.epoch.timestamp() + moment
    return {
        name_of(replica_set).rsplit("-", 1)[0]
        for replica_set in incident.running.twin.cluster.list("ReplicaSet", "shop")
        if _created(replica_set) > begin
    }


def _created(obj: dict[str, Any]) -> float:
    return datetime.fromisoformat(obj["metadata"]["creationTimestamp"]).timestamp()


def test_after_the_fault_only_bystanders_are_rolled(write: Write) -> None:
    timeline = {"before": "2m", "after": "20m"}
    incident = Incident(plan(write(scaled_to_zero("cart"), noise=10, timeline=timeline)), 4)
    incident.play()
    rolled = rolled_after(incident, 120)
    assert rolled
    assert "cart" not in rolled
