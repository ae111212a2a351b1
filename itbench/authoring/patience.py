"""How long is waited for an incident to be over, and how often somebody looks."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from itbench.authoring.rehearsal import alerts_in
from itbench.twin.incident.incident import Incident
from itbench.twin.incident.resolution import Reference, Resolution, resolution

LOOKS = (600.0, 1800.0)
"""Seconds after a repair at which it may have worked. Most have by the first; but a crash loop pauses for up to 300 s, a
controller that was refused for up to 1000 s, and alerts look back up to 300 s after that."""
LONG = (900.0,)
"""Seconds after which what must not repair has not repaired."""
PATIENCE = max(*LOOKS, *LONG)


def await_resolution(reference: Reference, incident: Incident, since: float, looks: Sequence[float]) -> Resolution:
    """Let time pass until an incident is over, or nobody looks any more.

    Args:
        reference: the world without the faults, at least as long after `since` as the last look.
        incident: changes.
        since: seconds from the beginning.
        looks: seconds after `since`, in order.
    """
    for look in looks[:-1]:
        incident.wait_until(since + look)
        found = resolution(reference, incident, since, partial(alerts_in, incident))
        if found.resolved:
            return found
    incident.wait_until(since + looks[-1])
    return resolution(reference, incident, since, partial(alerts_in, incident))
