"""The fault of being less important than what takes one's place."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from itbench.cluster.protocol import Cluster, KubeObject
from itbench.cluster.quantity import quantity
from itbench.cluster.reference import ObjectRef
from itbench.cluster.selectors import Selector
from itbench.faults.arguments import WorkloadArguments
from itbench.faults.fixes import DeleteMade, Fix
from itbench.faults.images import AGENT
from itbench.faults.lookup import must_be_free, pod_spec
from itbench.faults.nodes import HOSTNAME, choose, host_name, pin, requested, workers
from itbench.faults.pacing import Pacer
from itbench.faults.protocol import Operation
from itbench.faults.workload import WorkloadFault, edit, roll_back, wait_for_rollout
from itbench.model.errors import FaultError

if TYPE_CHECKING:
    from numpy.random import Generator

_HIGH, _LOW = "application-critical", "application-non-critical"
_VALUES = {_HIGH: 10000, _LOW: -10}
_COLLECTOR = "critical-data-collector"
_LEAVING_SECONDS = 60.0


class Preempted(WorkloadFault[WorkloadArguments]):
    """Somebody more important comes along."""

    id = "priority-kubernetes-workload-priority-preemption"
    number = 19
    crowds = True
    title = "Workload preempted by a more important one"
    description = (
        "Makes two PriorityClasses, gives the workload the lower and pins it to a node, then runs a Deployment of the "
        "higher one there that fits only in its place: the workload's pods are preempted and stay Pending."
    )
    alerts = ("KubePodNotReady",)
    departure = (
        "Their lower class has the value 1, above the 0 of every pod without a class, so that the victims would be others; "
        "ours has -10. The newcomer is one pod, sized by what the victim asks for, where theirs are 21 sized by the node. "
        "Removing the newcomer is accepted as a fix, and it counts among the roots."
    )

    @property
    def collector(self) -> ObjectRef:
        """The Deployment that it makes."""
        return ObjectRef("Deployment", _COLLECTOR, self.ref.namespace, "apps/v1")

    def check(self, cluster: Cluster) -> None:
        """The workload must ask for something that can be taken from it."""
        workload = self.found(cluster)
        _contested(workload)
        if HOSTNAME in (pod_spec(workload).get("nodeSelector") or {}) or "priorityClassName" in pod_spec(workload):
            key = "kubernetesObject.metadata.name"
            raise FaultError(f"{self.ref} is pinned to a node or has a priority already", key=key)
        for name in _VALUES:
            must_be_free(cluster, _class_ref(name))
        must_be_free(cluster, self.collector)
        workers(cluster)

    def change(self, operation: Operation, pacer: Pacer, rng: Generator) -> tuple[ObjectRef, ...]:
        """Make the classes, demote and pin, wait, bring the newcomer."""
        node = choose(workers(operation.cluster), rng)
        classes = [
            operation.create(
                {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": name}, "value": value}
            )
            for name, value in _VALUES.items()
        ]

        def demote(workload: KubeObject) -> None:
            pod_spec(workload)["priorityClassName"] = _LOW
            pod_spec(workload).pop("priority", None)
            pin(workload, HOSTNAME, host_name(node))

        victim = operation.edit(self.ref, demote)
        wait_for_rollout(operation.cluster, pacer, self.ref)
        # As long as a former pod is on its way out it takes room, and the newcomer would need another victim's.
        pacer.until(lambda: not self._leaving(operation.cluster, victim), _LEAVING_SECONDS)
        collector = operation.create(self._newcomer(operation.cluster, node))
        return victim, collector, *classes

    def fixes(self) -> tuple[Fix, ...]:
        """Roll back, edit, or remove the newcomer."""
        return (
            roll_back(self.ref),
            edit(self.ref, "its node selector and priority"),
            Fix(text=f"Delete {self.collector}, if nobody needs it.", steps=(DeleteMade(kind="Deployment"),)),
        )

    def _leaving(self, cluster: Cluster, victim: ObjectRef) -> bool:
        chosen = Selector.of(cluster.get(victim)["spec"]["selector"])
        pods = cluster.list("Pod", victim.namespace, chosen)
        return any(pod["metadata"].get("deletionTimestamp") for pod in pods)

    def _newcomer(self, cluster: Cluster, node: KubeObject) -> KubeObject:
        """A Deployment of one pod that fits on a node only without the victim."""
        workload = cluster.get(self.ref)
        resource = _contested(workload)
        own = requested(pod_spec(workload), resource)
        chosen = Selector.of(workload["spec"]["selector"])
        others = sum(
            requested(pod["spec"], resource)
            for pod in cluster.list("Pod")
            if pod["spec"].get("nodeName") == node["metadata"]["name"]
            and (pod.get("status") or {}).get("phase") not in ("Succeeded", "Failed")
            and not (pod["metadata"]["namespace"] == self.ref.namespace and chosen.selects(pod))
        )
        status = node.get("status") or {}
        room = float(quantity((status.get("allocatable") or status.get("capacity") or {}).get(resource, 0))) - others
        if room <= own / 2:
            raise FaultError(f"node {node['metadata']['name']} has no {resource} left to compete for")
        asked = _written(resource, room - own / 2)
        labels = {"app.kubernetes.io/name": _COLLECTOR}
        container = {"name": "collector", "image": AGENT, "resources": {"requests": {resource: asked}}}
        pod = {
            "priorityClassName": _HIGH,
            "nodeSelector": {HOSTNAME: host_name(node)},
            "containers": [container],
        }
        return {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": _COLLECTOR, "namespace": self.ref.namespace, "labels": labels},
            "spec": {
                "replicas": 1,
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": pod},
            },
        }


def _class_ref(name: str) -> ObjectRef:
    return ObjectRef("PriorityClass", name, None, "scheduling.k8s.io/v1")


def _contested(workload: dict[str, Any]) -> str:
    """What a workload asks for: the resource over which there will be competition."""
    for resource in ("cpu", "memory"):
        if requested(pod_spec(workload), resource) > 0:
            return resource
    subject = f"{workload['kind']} {workload['metadata']['name']}"
    raise FaultError(
        f"{subject} requests neither CPU nor memory, so that nothing can take its place",
        key="kubernetesObject.metadata.name",
    )


def _written(resource: str, amount: float) -> str:
    """An amount as a quantity: millicores, or MiB where there is at least one."""
    if resource == "cpu":
        return f"{math.floor(amount * 1000)}m"
    return f"{math.floor(amount / 2**20)}Mi" if amount >= 2**20 else str(math.floor(amount))
