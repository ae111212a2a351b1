"""Faults by which pods find no node."""

from __future__ import annotations

from typing import TYPE_CHECKING

from itbench.cluster.protocol import Cluster, KubeObject
from itbench.cluster.reference import ObjectRef
from itbench.faults.arguments import WorkloadArguments
from itbench.faults.fixes import DeleteMade, Fix, SetBackKind
from itbench.faults.images import AGENT
from itbench.faults.lookup import must_be_free, pod_spec
from itbench.faults.names import sibling
from itbench.faults.nodes import HOSTNAME, choose, host_name, pin, workers
from itbench.faults.pacing import Pacer
from itbench.faults.protocol import Operation
from itbench.faults.workload import WorkloadFault, edit, roll_back, wait_for_rollout
from itbench.model.errors import FaultError

if TYPE_CHECKING:
    from numpy.random import Generator

_AGENT = "node-log-agent"
_AGENT_SECONDS = 60.0


class CordonedNode(WorkloadFault[WorkloadArguments]):
    """A workload may grow only where nothing more is let in."""

    id = "cordoned-kubernetes-worker-node"
    number = 1
    title = "Workload pinned to a cordoned node"
    description = (
        "Pins a workload to one worker node, cordons that node once the pods are there, and adds one replica: the new pod "
        "stays Pending, the others serve on."
    )
    alerts = ("KubePodNotReady",)
    departure = "A node that is cordoned or tainted already is not chosen; theirs takes any that is no control plane."

    def check(self, cluster: Cluster) -> None:
        """There must be a node to choose."""
        _not_pinned(self.found(cluster))
        workers(cluster)

    def change(self, operation: Operation, pacer: Pacer, rng: Generator) -> tuple[ObjectRef, ...]:
        """Pin, wait, cordon, scale up."""
        node = choose(workers(operation.cluster), rng)
        workload = operation.edit(self.ref, lambda obj: pin(obj, HOSTNAME, host_name(node)))
        wait_for_rollout(operation.cluster, pacer, self.ref)

        def cordon(obj: KubeObject) -> None:
            obj.setdefault("spec", {})["unschedulable"] = True

        def one_more(obj: KubeObject) -> None:
            obj["spec"]["replicas"] = obj["spec"].get("replicas", 1) + 1

        cordoned = operation.edit(ObjectRef.of(node), cordon)
        operation.edit(self.ref, one_more)
        return workload, cordoned

    def fixes(self) -> tuple[Fix, ...]:
        """Uncordon, roll back, or edit."""
        return (
            Fix(text="Uncordon the node to which the workload is pinned.", steps=(SetBackKind(kind="Node"),)),
            roll_back(self.ref),
            edit(self.ref, "its node selector", "spec.template.spec.nodeSelector"),
        )


class NonexistentNode(WorkloadFault[WorkloadArguments]):
    """A workload asks for a node that is not there."""

    id = "nonexistent-kubernetes-workload-node"
    number = 16
    title = "Node selector names no node"
    description = "Gives a workload a node selector with a host name that no node has; new pods stay Pending."
    alerts = ("KubePodNotReady",)
    departure = "The name continues those of the cluster's nodes; theirs says that it is invalid."

    def check(self, cluster: Cluster) -> None:
        """The workload must not be pinned already."""
        _not_pinned(self.found(cluster))

    def change(self, operation: Operation, pacer: Pacer, rng: Generator) -> tuple[ObjectRef, ...]:  # noqa: ARG002
        """Pin the workload."""
        names = [host_name(node) for node in operation.cluster.list("Node")] or ["node-1"]
        name = sibling(names, rng)
        return (operation.edit(self.ref, lambda workload: pin(workload, HOSTNAME, name)),)


class AntiAffinity(WorkloadFault[WorkloadArguments]):
    """A workload avoids what is everywhere."""

    id = "unschedulable-kubernetes-workload-pod-anti-affinity-rule"
    number = 25
    title = "Anti-affinity to something on every node"
    description = (
        "Runs a DaemonSet on every node and forbids the workload's pods to be where its pods are; new pods stay Pending."
    )
    alerts = ("KubePodNotReady",)
    departure = "The DaemonSet is called node-log-agent; deleting it is accepted as a fix, too."

    @property
    def agent(self) -> ObjectRef:
        """The DaemonSet that it makes."""
        return ObjectRef("DaemonSet", _AGENT, self.ref.namespace, "apps/v1")

    def check(self, cluster: Cluster) -> None:
        """The name of the DaemonSet must be free."""
        self.found(cluster)
        must_be_free(cluster, self.agent)

    def change(self, operation: Operation, pacer: Pacer, rng: Generator) -> tuple[ObjectRef, ...]:  # noqa: ARG002
        """Make the DaemonSet, then add the rule."""
        labels = {"app.kubernetes.io/name": _AGENT}
        agent = operation.create(_daemon_set(self.agent, labels))
        pacer.until(lambda: _is_everywhere(operation.cluster, agent), _AGENT_SECONDS)
        term = {"labelSelector": {"matchLabels": labels}, "topologyKey": HOSTNAME}

        def avoid(workload: KubeObject) -> None:
            rules = pod_spec(workload).setdefault("affinity", {}).setdefault("podAntiAffinity", {})
            rules.setdefault("requiredDuringSchedulingIgnoredDuringExecution", []).append(term)

        return operation.edit(self.ref, avoid), agent

    def fixes(self) -> tuple[Fix, ...]:
        """Roll back, edit, or remove what is avoided."""
        return (
            roll_back(self.ref),
            edit(self.ref, "its anti-affinity"),
            Fix(text=f"Delete {self.agent}, if nobody needs it.", steps=(DeleteMade(kind="DaemonSet"),)),
        )


def _not_pinned(workload: KubeObject) -> None:
    if HOSTNAME in (pod_spec(workload).get("nodeSelector") or {}):
        subject = f"{workload['kind']} {workload['metadata']['name']}"
        raise FaultError(f"{subject} is pinned to a node already", key="kubernetesObject.metadata.name")


def _daemon_set(ref: ObjectRef, labels: dict[str, str]) -> KubeObject:
    resources = {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": "64Mi"}}
    container = {"name": "agent", "image": AGENT, "resources": resources}
    pod = {"containers": [container], "tolerations": [{"operator": "Exists"}]}
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": ref.name, "namespace": ref.namespace, "labels": labels},
        "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": pod}},
    }


def _is_everywhere(cluster: Cluster, ref: ObjectRef) -> bool:
    status = cluster.get(ref).get("status") or {}
    return 0 < int(status.get("desiredNumberScheduled", 0)) <= int(status.get("currentNumberScheduled", 0))
