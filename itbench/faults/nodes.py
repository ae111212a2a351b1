"""Nodes as faults choose them, and what is asked of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from itbench.cluster.protocol import Cluster, KubeObject
from itbench.cluster.quantity import quantity
from itbench.faults.lookup import pod_spec
from itbench.model.errors import FaultError

if TYPE_CHECKING:
    from numpy.random import Generator

HOSTNAME = "kubernetes.io/hostname"
ARCHITECTURE = "kubernetes.io/arch"
_CONTROL_PLANE = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")


def workers(cluster: Cluster) -> Sequence[KubeObject]:
    """The nodes that take pods, sorted by name; those of the control plane only where there are no others.

    Raises:
        FaultError: there is none.
    """
    able = [node for node in cluster.list("Node") if _takes_pods(node)]
    if not able:
        raise FaultError("the cluster has no node that takes pods", hint="Add a node, or uncordon one.")
    plain = [node for node in able if not any(label in labels_of(node) for label in _CONTROL_PLANE)]
    return plain or able


def choose(nodes: Sequence[KubeObject], rng: Generator) -> KubeObject:
    """One of them."""
    return nodes[int(rng.integers(0, len(nodes)))]


def labels_of(obj: Mapping[str, Any]) -> Mapping[str, str]:
    """The labels of an object."""
    return obj["metadata"].get("labels") or {}


def host_name(node: KubeObject) -> str:
    """The host name by which a node selector finds a node."""
    return labels_of(node).get(HOSTNAME, str(node["metadata"]["name"]))


def pin(workload: KubeObject, label: str, value: str) -> None:
    """Let a workload's pods run only where a label of the node has a value."""
    pod_spec(workload).setdefault("nodeSelector", {})[label] = value


def requested(spec: Mapping[str, Any], resource: str) -> float:
    """How much of a resource a pod asks for: cores or bytes. What has only a limit asks for that."""

    def of(container: Mapping[str, Any]) -> float:
        resources = container.get("resources") or {}
        told = (resources.get("requests") or {}).get(resource, (resources.get("limits") or {}).get(resource, 0))
        return float(quantity(told))

    running = sum(of(container) for container in spec["containers"])
    return max([running, *(of(container) for container in spec.get("initContainers") or ())])


def _takes_pods(node: KubeObject) -> bool:
    spec = node.get("spec") or {}
    tainted = any(taint.get("effect") in ("NoSchedule", "NoExecute") for taint in spec.get("taints") or ())
    return not spec.get("unschedulable") and not tainted
