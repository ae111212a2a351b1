"""Objects of a small shop as a watch shows them."""

from __future__ import annotations

from typing import Any

from itbench.twin.telemetry.history import Observation

NAMESPACE = "shop"


def observed(second: float, obj: dict[str, Any], change: Any = "ADDED") -> Observation:
    return Observation(second, change, obj)


def obj(kind: str, name: str, owner: tuple[str, str] | None = None, **parts: Any) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name, "namespace": NAMESPACE}
    if owner is not None:
        metadata["ownerReferences"] = [{"kind": owner[0], "name": owner[1], "uid": owner[1], "controller": True}]
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, **parts}


def deployment(ready: int, replicas: int = 1, image: str = "ghcr.io/shop/web:1") -> dict[str, Any]:
    containers = [{"name": "web", "image": image}]
    spec = {"replicas": replicas, "template": {"spec": {"containers": containers}}}
    return obj("Deployment", "web", spec=spec, status={"readyReplicas": ready} if ready else {})


def replica_set(hashed: str) -> dict[str, Any]:
    return obj("ReplicaSet", f"web-{hashed}", ("Deployment", "web"))


def pod(suffix: str, hashed: str, *, ready: bool = True, waits: str = "", leaving: bool = False) -> dict[str, Any]:
    state = {"waiting": {"reason": waits}} if waits else {"running": {}}
    status = {
        "phase": "Running" if ready else "Pending",
        "conditions": [{"type": "Ready", "status": str(ready)}],
        "containerStatuses": [{"name": "web", "restartCount": 0, "state": state}],
    }
    found = obj("Pod", f"web-{hashed}-{suffix}", ("ReplicaSet", f"web-{hashed}"), spec={"nodeName": "n"}, status=status)
    if leaving:
        found["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    return found


def event(kind: str, name: str, reason: str, namespace: str = NAMESPACE) -> dict[str, Any]:
    involved = {"kind": kind, "name": name, "namespace": namespace}
    return obj("Event", f"{name}.{reason}", involvedObject=involved, reason=reason, message=f"{reason} happened")


def endpoints(*addresses: str, port: int = 80) -> dict[str, Any]:
    found = obj(
        "EndpointSlice",
        "web-x2b4c",
        endpoints=[{"addresses": [address], "conditions": {"ready": True}} for address in addresses],
        ports=[{"port": port, "protocol": "TCP"}],
    )
    found["metadata"]["labels"] = {"kubernetes.io/service-name": "web"}
    return found


def broken_pull(hashed: str, suffix: str, *, slower: float = 0.0, reason: str = "ErrImagePull") -> list[Observation]:
    """A roll-out of an image that cannot be pulled, after the old pod is gone; on a machine that is slower."""
    before = [deployment(1), replica_set("old1234"), pod("aaaaa", "old1234"), endpoints("10.0.0.1")]
    first = pod("aaaaa", "old1234")
    waiting = pod(suffix, hashed, ready=False, waits=reason)
    return [
        *(observed(-1, each) for each in before),
        observed(0.1, deployment(1, image="ghcr.io/shop/web:none"), "MODIFIED"),
        observed(0.2, event("Deployment", "web", "ScalingReplicaSet")),
        observed(0.2, replica_set(hashed)),
        observed(0.3, first, "DELETED"),
        observed(0.4, endpoints(), "MODIFIED"),
        observed(2 + slower, waiting),
        observed(2 + slower, event("Pod", f"web-{hashed}-{suffix}", "Failed")),
        observed(4 + slower, deployment(0, image="ghcr.io/shop/web:none"), "MODIFIED"),
    ]
