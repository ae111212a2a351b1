"""The objects of a cluster at one moment, in the relations that matter to traffic."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from itbench.cluster.protocol import KubeObject
from itbench.cluster.reference import ObjectRef
from itbench.twin.control.endpoints import SERVICE
from itbench.twin.control.store import Key, Store, key_of
from itbench.twin.objects import controller_of, is_active, is_deleting, is_ready, is_true, labels_of, name_of, namespace_of
from itbench.twin.quantities import container_limit


class View:
    """Read access to objects by kind, name and relation.

    Args:
        store: the objects; they are not changed.
        now: seconds on the clock of the twin.
    """

    def __init__(self, store: Store, now: float) -> None:
        self.store = store
        self.now = now
        self._slices: dict[Key, list[KubeObject]] = defaultdict(list)
        for item in store.list("EndpointSlice"):
            self._slices[namespace_of(item), labels_of(item).get(SERVICE, "")].append(item)

    def get(self, kind: str, namespace: str, name: str) -> KubeObject | None:
        """One object; the namespace of those that lie in none is empty."""
        return self.store.get(kind, (namespace, name))

    def all(self, kind: str) -> Sequence[KubeObject]:
        """The objects of a kind, sorted by namespace and name."""
        return sorted(self.store.list(kind), key=key_of)

    def slices(self, namespace: str, service: str) -> Sequence[KubeObject]:
        """The EndpointSlices of a Service."""
        return self._slices.get((namespace, service), ())

    def workload(self, pod: KubeObject) -> ObjectRef | None:
        """The workload that a pod belongs to: its controller, or that one's controller."""
        owner = controller_of(pod)
        if owner is None:
            return None
        namespace = namespace_of(pod)
        if owner["kind"] == "ReplicaSet":
            replica_set = self.get("ReplicaSet", namespace, owner["name"])
            above = controller_of(replica_set) if replica_set is not None else None
            if above is not None:
                return ObjectRef(above["kind"], above["name"], namespace)
            return ObjectRef("Deployment", owner["name"].rpartition("-")[0], namespace)
        return ObjectRef(owner["kind"], owner["name"], namespace)

    def node_is_up(self, pod: KubeObject) -> bool:
        """Whether the node of a pod answers; nodes that nobody lists do."""
        node = self.get("Node", "", pod["spec"].get("nodeName") or "")
        return node is None or is_true(node, "Ready")


@dataclass(frozen=True, slots=True)
class Peer:
    """A pod as traffic meets it.

    Attributes:
        pod: the object.
        service: the application's service that runs in it; None for strangers.
        running: whether its program runs, and not another one in its place.
        ready: whether it passes its readiness probe and is not on its way out.
        reachable: whether packets reach its node.
        env: the environment of its first container, as it was at that container's start.
        ports: on which its program listens; None if that is not known, and then any.
        growth: bytes a second that something beside its program makes it store.
    """

    pod: KubeObject
    service: str | None
    running: bool
    ready: bool
    reachable: bool
    env: Mapping[str, str]
    ports: frozenset[int] | None
    growth: float = 0.0

    @property
    def name(self) -> str:
        """Of the pod."""
        return name_of(self.pod)

    @property
    def namespace(self) -> str:
        """Of the pod."""
        return namespace_of(self.pod)

    @property
    def labels(self) -> Mapping[str, str]:
        """Of the pod."""
        return labels_of(self.pod)


def main_status(pod: KubeObject) -> Mapping[str, Any] | None:
    """The status of a pod's first container, if the kubelet has written one."""
    name = pod["spec"]["containers"][0]["name"]
    statuses = (pod.get("status") or {}).get("containerStatuses") or ()
    return next((status for status in statuses if status["name"] == name), None)


def is_running(pod: KubeObject) -> bool:
    """Whether the first container of a pod runs; of a pod without container statuses, whether it is Ready."""
    status = main_status(pod)
    return is_ready(pod) if status is None else "running" in (status.get("state") or {})


def gets_traffic(pod: KubeObject) -> bool:
    """Whether a pod is Ready and stays."""
    return is_active(pod) and is_ready(pod) and not is_deleting(pod)


def limit_of(pod: KubeObject, resource: str) -> float | None:
    """How much of a resource the first container of a pod may use: cores or bytes; None without a limit."""
    return container_limit(pod["spec"]["containers"][0], resource)
