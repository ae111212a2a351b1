"""What is left of an incident in the objects of a world, held against the world without the faults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from itbench.cluster.reference import ObjectRef
from itbench.faults.fields import differences, written
from itbench.twin.incident.incident import Incident
from itbench.twin.objects import controller_of

# Made by controllers, which keep some of them for later, or change with every tick.
_DERIVED = frozenset(("Event", "Lease", "Endpoints", "EndpointSlice", "ControllerRevision"))
_ALLOCATED = (("spec", "clusterIP"), ("spec", "clusterIPs"))
_REPLICAS = ("spec", "replicas")


def left_over(healthy: Incident, undone: Incident) -> list[str]:
    """The fields, as `object: field`, in which people would see a world differ from the one without faults.

    Left out is what the server or controllers keep: status, what they own, addresses, and replicas under an autoscaler.
    """
    ours, theirs = _objects(undone), _objects(healthy)
    scaled = {
        (target.get("kind"), target.get("name"))
        for ref, obj in theirs.items()
        if ref.kind == "HorizontalPodAutoscaler"
        for target in [(obj.get("spec") or {}).get("scaleTargetRef") or {}]
    }
    found = []
    for ref in sorted({*ours, *theirs}, key=lambda ref: (str(ref), ref.namespace or "")):
        if ref not in ours or ref not in theirs:
            found.append(f"{ref} ({'gone' if ref not in ours else 'new'})")
            continue
        for change in differences(theirs[ref], ours[ref]):
            if change.path in _ALLOCATED or (change.path == _REPLICAS and (ref.kind, ref.name) in scaled):
                continue
            found.append(f"{ref}: {written(change.path)}")
    return found


def _objects(incident: Incident) -> dict[ObjectRef, Mapping[str, Any]]:
    store = incident.running.twin.store
    return {
        ObjectRef.of(obj): obj
        for kind in store.kinds
        if kind not in _DERIVED
        for obj in store.list(kind)
        if controller_of(obj) is None
    }
