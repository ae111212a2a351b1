"""What matters of an object's state, in words that are the same for any two clusters."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from itbench.cluster.protocol import KubeObject
from itbench.faults.fields import differences, written
from itbench.twin.compare.watch import state_of
from itbench.twin.objects import condition_of, is_deleting, is_true, phase_of

Facts = Mapping[str, str]
"""Values by aspect."""

_UNCOMPARED = frozenset(
    "Lease ControllerRevision CustomResourceDefinition Role RoleBinding ClusterRole ClusterRoleBinding Namespace "
    "ServiceAccount Endpoints StorageClass IngressClass PersistentVolume".split()
)
"""Of the cluster and its users rather than of the application; or, as Endpoints, the same once more."""
DERIVED = frozenset(("Event", "ReplicaSet", "EndpointSlice"))
"""Kinds that controllers write for themselves."""

_ON_THE_WAY = frozenset(("ContainerCreating", "PodInitializing", "None"))
_REGISTRY = re.compile(r"^(?:[^/]*[.:][^/]*|localhost)/")
# Servers give these out; no two clusters have the same.
_GIVEN = ("clusterIP", "clusterIPs", "nodePort", "healthCheckNodePort", "nodeName", "volumeName", "serviceAccount")


def is_compared(kind: str) -> bool:
    """Whether clusters are compared by objects of a kind."""
    return kind not in _UNCOMPARED


def facts_of(obj: KubeObject) -> dict[str, str]:
    """The facts of one object, other than a pod or a slice of endpoints: those come in numbers."""
    status, spec = obj.get("status") or {}, obj.get("spec") or {}
    found: dict[str, Any] = {"is there": "leaving" if is_deleting(obj) else "yes"}
    match obj["kind"]:
        case "Deployment" | "StatefulSet":
            found["replicas"] = spec.get("replicas", 1)
            found["ready"] = status.get("readyReplicas", 0)
            found |= {
                name.lower(): (condition_of(obj, name) or {}).get("reason")
                for name in ("Available", "Progressing", "ReplicaFailure")
                if condition_of(obj, name)
            }
        case "DaemonSet":
            found["replicas"] = status.get("desiredNumberScheduled", 0)
            found["ready"] = status.get("numberReady", 0)
        case "PersistentVolumeClaim":
            found["phase"] = status.get("phase", "Pending")
        case "ResourceQuota":
            for part in ("hard", "used"):
                found[part] = ", ".join(f"{key}={value}" for key, value in sorted((status.get(part) or {}).items()))
        case "HorizontalPodAutoscaler":
            found["replicas"] = f"{status.get('currentReplicas', 0)}, wants {status.get('desiredReplicas', 0)}"
            found["limits"] = f"{spec.get('minReplicas', 1)} to {spec.get('maxReplicas')}"
            found |= {
                kind.lower(): f"{item['status']} {item.get('reason')}"
                for kind in ("AbleToScale", "ScalingActive", "ScalingLimited")
                for item in [condition_of(obj, kind)]
                if item
            }
        case "Job":
            found["ended"] = f"{status.get('succeeded', 0)} succeeded, {status.get('failed', 0)} failed"
            found["over"] = next((kind for kind in ("Complete", "Failed") if is_true(obj, kind)), "no")
        case "CronJob":
            found["suspended"] = spec.get("suspend", False)
        case "PodDisruptionBudget":
            found["allowed"] = status.get("disruptionsAllowed", 0)
        case "Node":
            found["takes pods"] = not spec.get("unschedulable", False)
            found["ready"] = is_true(obj, "Ready")
    return {key: str(value) for key, value in found.items()}


def facts_of_pods(pods: Iterable[KubeObject]) -> dict[str, str]:
    """The facts of the pods of one owner; those on their way out do not count."""
    staying = [pod for pod in pods if not is_deleting(pod)]
    states = Counter(state_of(pod) for pod in staying)
    phases = Counter(phase_of(pod) for pod in staying)
    return {"pods": _counted(states), "phases": _counted(phases)}


def facts_of_endpoints(slices: Iterable[KubeObject]) -> dict[str, str]:
    """The facts of where a Service leads to."""
    ready, ports = set[str](), set[str]()
    for one in slices:
        for endpoint in one.get("endpoints") or ():
            if (endpoint.get("conditions") or {}).get("ready"):
                ready |= set(endpoint.get("addresses") or ())
                ports |= {f"{port.get('port')}/{port.get('protocol', 'TCP')}" for port in one.get("ports") or ()}
    return {"addresses": str(len(ready)), "ports": ", ".join(sorted(ports)) or "none"}


def reasons_of(pod: KubeObject) -> Iterator[str]:
    """Why containers of a pod wait or have ended, now or the last time, and why it finds no node."""
    status = pod.get("status") or {}
    if is_deleting(pod):  # how programs end when they are asked to is their own affair
        return
    for container in (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())):
        for state in (container.get("state") or {}, container.get("lastState") or {}):
            for kind in ("waiting", "terminated"):
                reason = str((state.get(kind) or {}).get("reason"))
                if reason not in _ON_THE_WAY:
                    yield f"{kind} {reason}"
    scheduled = condition_of(pod, "PodScheduled")
    if scheduled is not None and scheduled["status"] == "False":
        yield f"not scheduled: {scheduled.get('reason')}"


def changed(before: KubeObject | None, after: KubeObject | None) -> str:
    """What people would see changed in the fields of an object that they write; empty if nothing.

    Registries of images, and what servers give out, are left out. Of secrets it is told that they changed.
    """
    if before is None or after is None:
        if before is after:
            return ""
        return "deleted" if after is None else f"made: {_fields({}, after)}"
    return _fields(before, after)


def _fields(before: KubeObject, after: KubeObject) -> str:
    told = []
    for change in differences(before, after):
        path = written(change.path)
        if _is_given(change.path):
            continue
        value = "…" if after["kind"] == "Secret" else _plain(change.new, change.path[-1])
        told.append(f"{path}={value}")
    return "; ".join(sorted(told))


def _is_given(path: Sequence[str]) -> bool:
    """Whether a field tells nothing of what was done: given out by a server, or not of the object's content."""
    return path[-1] in _GIVEN or path[0] in ("apiVersion", "kind") or (path[0] == "metadata" and path[1:2] != ("labels",))


def _plain(value: Any, key: str) -> str:
    return json.dumps(_without_registries(value, key), sort_keys=True)


def _without_registries(value: Any, key: str = "") -> Any:
    match value:
        case Mapping():
            return {name: _without_registries(item, str(name)) for name, item in value.items() if name not in _GIVEN}
        case list() | tuple():
            return [_without_registries(item) for item in value]
        case str() if key == "image":
            return _REGISTRY.sub("", value)
        case _:
            return value


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {word}" for word, count in sorted(counts.items())) or "none"
