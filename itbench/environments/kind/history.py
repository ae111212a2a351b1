"""What a cluster remembers of earlier trials, and forgetting it: the next agent must find nothing of it."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from itbench.cluster.kinds import Kind
from itbench.cluster.protocol import Cluster
from itbench.cluster.reference import ObjectRef
from itbench.cluster.transport import Transport
from itbench.environments.kind.monitoring import NAMESPACE as MONITORING
from itbench.model.errors import ClusterError, NotFoundError
from itbench.twin.objects import controller_of

# Their managedFields are of controllers and kubelets alone, or they go anyhow.
_FLEETING = frozenset(("Event", "Lease", "Endpoints", "EndpointSlice", "Pod", "ReplicaSet", "ControllerRevision"))


# Its store is in the pod: with the pod it forgets.
_PROMETHEUS = "app.kubernetes.io/name=prometheus"


def forget(cluster: Cluster, transport: Transport, namespace: str, kinds: Iterable[Kind]) -> None:
    """Remove events, revisions of workloads that do not run any more, notes on who changed what, and metrics.

    Args:
        cluster: with all rights.
        transport: the same.
        namespace: of the application. Events are removed everywhere: agents can read those of all namespaces.
        kinds: that the cluster has.
    """
    for replica_set in cluster.list("ReplicaSet", namespace):
        if controller_of(replica_set) is not None and not replica_set["spec"].get("replicas"):
            with suppress(NotFoundError):
                cluster.delete(ObjectRef.of(replica_set))
    for kind in kinds:
        if kind.name in _FLEETING or not kind.namespaced:
            continue
        with suppress(NotFoundError):
            for obj in cluster.list(kind.qualified_plural, namespace):
                if any(
                    str(entry.get("manager", "")).startswith("kubectl") for entry in obj["metadata"].get("managedFields", ())
                ):
                    with suppress(ClusterError):  # somebody was faster; the next trial's end sees to it
                        cluster.patch(ObjectRef.of(obj), {"metadata": {"managedFields": [{}]}}, "merge")
    for pod in cluster.list("Pod", MONITORING, _PROMETHEUS):
        with suppress(NotFoundError):
            cluster.delete(ObjectRef.of(pod), 0)
    for found in cluster.list("Namespace"):
        path = f"/api/v1/namespaces/{found['metadata']['name']}/events"
        transport.json("DELETE", path)
