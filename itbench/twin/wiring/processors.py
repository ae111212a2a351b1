"""Processor time: who gets how much of a node.

Containers have what their limit gives them, or what is left of their node. Where more is asked for than there is, the
kernel divides it by weight, which follows from the requests; a pod that asks for less than its part leaves the rest to
others (https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from itbench.cluster.protocol import KubeObject
from itbench.cluster.quantity import quantity
from itbench.twin.objects import node_of
from itbench.twin.quantities import container_limit, pod_requests
from itbench.twin.wiring.view import Peer, View, limit_of
from itbench.twin.workload.behaviour import ImageBehaviour, repository_of

# Cores of a node that nobody lists.
_NODE_CORES = 4.0
# The kernel's least weight, as a request.
_LEAST_WEIGHT = 0.002


class Processors:
    """The processors of all nodes, and what is taken of them whatever the requests to an application.

    Args:
        view: of the cluster.
        peers: all pods.
        taken: cores that the pods of the application use beside their requests, by namespace and name.
        images: what is known of the programs in other pods.
    """

    def __init__(
        self,
        view: View,
        peers: Iterable[Peer],
        taken: Mapping[tuple[str, str], float],
        images: Mapping[str, ImageBehaviour],
    ) -> None:
        self._view = view
        self._use: dict[str, dict[tuple[str, str], float]] = defaultdict(dict)
        self._weights: dict[tuple[str, str], float] = {}
        for peer in peers:
            key = (peer.namespace, peer.name)
            used = taken.get(key, 0.0) if peer.service is not None else _appetite(peer.pod, images)
            if peer.running and used > 0:
                self._use[node_of(peer.pod) or ""][key] = min(used, limit_of(peer.pod, "cpu") or used)
                self._weights[key] = _weight(peer.pod)

    def cores(self, peer: Peer) -> float:
        """Processor that a pod can have, for all that runs in it."""
        node = node_of(peer.pod) or ""
        capacity = self._capacity(node)
        others = {key: used for key, used in self._use[node].items() if key != (peer.namespace, peer.name)}
        left = capacity - sum(others.values())
        weight = _weight(peer.pod)
        part = capacity * weight / (weight + sum(self._weights[key] for key in others))
        there = max(left, part)
        limit = limit_of(peer.pod, "cpu")
        return there if limit is None else min(limit, there)

    def _capacity(self, name: str) -> float:
        node = self._view.get("Node", "", name)
        allocatable = ((node or {}).get("status") or {}).get("allocatable") or {}
        return float(quantity(allocatable["cpu"])) if "cpu" in allocatable else _NODE_CORES


def shared(cores: float, busy: float) -> float:
    """What is left of a container's cores beside `busy` threads: what they do not take, but at least an equal part."""
    return max(cores - busy, cores / (1 + busy))


def _appetite(pod: KubeObject, images: Mapping[str, ImageBehaviour]) -> float:
    """Cores that the programs of a pod use all the time."""
    total = 0.0
    for container in pod["spec"]["containers"]:
        known = images.get(repository_of(str(container["image"])))
        if known is not None:
            total += min(known.cores, container_limit(container, "cpu") or known.cores)
    return total


def _weight(pod: KubeObject) -> float:
    return max(float(pod_requests(pod).get("cpu", 0)), _LEAST_WEIGHT)
