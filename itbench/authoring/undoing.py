"""Check that a scenario can be taken back: health returns, and no object differs from the world without the faults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from itbench.authoring.patience import LOOKS, PATIENCE, await_resolution
from itbench.authoring.rehearsal import Rehearsal
from itbench.authoring.verdict import Check
from itbench.cluster.reference import ObjectRef
from itbench.faults.fields import differences, written
from itbench.model.errors import ItbenchError
from itbench.twin.incident.incident import Incident
from itbench.twin.incident.resolution import Reference
from itbench.twin.objects import controller_of

# Made by controllers, which keep some of them for later, or change with every tick.
_DERIVED = frozenset(("Event", "Lease", "Endpoints", "EndpointSlice", "ControllerRevision"))
# What programs take into their environment they keep until they start anew.
_READ_AT_START = ("Secret", "ConfigMap")
_ALLOCATED = (("spec", "clusterIP"), ("spec", "clusterIPs"))
_REPLICAS = ("spec", "replicas")


def undone(rehearsal: Rehearsal, reference: Reference) -> Check:
    """Undo the faults now: the incident is over in time, and then no object is other than without them."""
    incident = rehearsal.faulted
    since = incident.now
    try:
        read_at_the_start = any(ref.kind in _READ_AT_START for item in incident.injected for ref in item.injection.roots)
        incident.undo()
        if read_at_the_start:
            incident.replace_pods()
    except ItbenchError as error:
        return Check(name="undo", passed=False, evidence=str(error), remedy="Report this: the fault's undo is not exact.")
    found = await_resolution(reference, incident, since, LOOKS)
    left = left_over(rehearsal.healthy, incident)
    numbers = {
        "restored_after_seconds": found.restored,
        "cleared_after_seconds": found.cleared,
        "patience_seconds": PATIENCE,
        "differing_fields": left,
    }
    if found.resolved and not left:
        text = f"{found}, of {PATIENCE:.0f} s; no object differs"
        return Check(name="undo", passed=True, evidence=text, numbers=numbers)
    if not found.resolved:
        return Check(name="undo", passed=False, evidence=str(found), remedy=_UNDO_REMEDY, numbers=numbers)
    more = f" (and {len(left) - 1} more)" if len(left) > 1 else ""
    return Check(
        name="undo",
        passed=False,
        evidence=f"{left[0]} differs from the world without the faults{more}",
        remedy="Report this: the fault's undo leaves something behind.",
        numbers=numbers,
    )


_UNDO_REMEDY = (
    "What was broken does not come back by itself once the fault is gone: it may need a restart, which a fix can do but an "
    "undo does not. Report it if a fault alone behaves so."
)


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
