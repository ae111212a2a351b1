"""Check that a scenario can be taken back: health returns, and no object differs from the world without the faults."""

from __future__ import annotations

from itbench.authoring.patience import LOOKS, PATIENCE, await_resolution
from itbench.authoring.rehearsal import Rehearsal
from itbench.authoring.verdict import Check
from itbench.model.errors import ItbenchError
from itbench.twin.incident.leftovers import left_over
from itbench.twin.incident.resolution import Reference

# What programs take into their environment they keep until they start anew.
_READ_AT_START = ("Secret", "ConfigMap")


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
