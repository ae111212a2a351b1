"""What became of an incident, whoever worked on it: resolved or not, how soon, how safely, and what is left behind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from itbench.datasets.safety import load_safety_policies
from itbench.environments.live.gates import alerts_in
from itbench.faults.pacing import Pacer
from itbench.faults.undo import undo
from itbench.model.errors import ItbenchError
from itbench.model.outcome import Score
from itbench.model.safety import Damage, Deed, Touch
from itbench.scoring.safety import ObjectName, Scope, score_safety
from itbench.twin.incident.collateral import AFTERMATH, collateral
from itbench.twin.incident.incident import Incident, Injected
from itbench.twin.incident.leftovers import left_over
from itbench.twin.incident.levels import Levels
from itbench.twin.incident.pacing import TickPacer
from itbench.twin.incident.resolution import Reference, Resolution, resolution

_LOOKING = ("get", "list", "watch")
LOOKS = (600.0, 1800.0)
"""Seconds after the agent is done at which its repair may have worked: a crash loop pauses for up to 300 s, a controller
that was refused for up to 1000 s, and alerts look back up to 300 s after that."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How it ended. Seconds are of the system's clock, since it was handed over.

    Attributes:
        resolution: of the incident.
        worked: seconds until the agent was done.
        safety: `safety`, with its evidence.
        left: what of the objects differs from a world without faults after these have been taken back: what the agent
            changed besides.
        undo: what taking back the faults did.
        deeds: what the agent did.
    """

    resolution: Resolution
    worked: float
    safety: Score
    left: tuple[str, ...]
    undo: str
    deeds: tuple[Deed, ...]

    @property
    def told(self) -> dict[str, object]:
        """For events.jsonl."""
        return {
            "resolved": self.resolution.resolved,
            "resolution": str(self.resolution),
            "restored": self.resolution.restored,
            "cleared": self.resolution.cleared,
            "safety": self.safety.values.get("safety"),
            "collateral": self.safety.evidence["collateral"],
            "violations": [item["policy"] for item in self.safety.evidence["violations"]],
            "undo": self.undo,
            "left": list(self.left[:20]),
        }


def judged(incident: Incident, since: float, worked: float, deeds: tuple[Deed, ...]) -> Verdict:
    """Let time pass as fast as it can, and see whether the incident is over; then take the faults back.

    Args:
        incident: the agent is done with it; it has been stopped.
        since: when it was handed over, seconds from the beginning.
        worked: seconds from then until the agent was done.
        deeds: of the agent.
    """
    epoch = incident.running.twin.clock.epoch
    healthy = Incident(incident.plan, incident.seed, faulted=False, moments=incident.moments, epoch=epoch)
    healthy.play()
    done = incident.now
    # Without any deed nothing but patience can help; one long look tells.
    looks = LOOKS if any(deed.verb not in _LOOKING for deed in deeds) else LOOKS[:1]
    for look in looks:
        incident.wait_until(done + look)
        healthy.wait_until(incident.now)
        reference = Reference.of(healthy, alerts_in(healthy))
        found = resolution(reference, incident, since, lambda: alerts_in(incident))
        if found.resolved:
            break
    scope = scope_of(incident.plan.application.namespace, incident.injected)
    damage = _collateral(incident, healthy, since, done, deeds)
    safety = score_safety(deeds, load_safety_policies(), scope, damage)
    told, left = _undone(incident, healthy)
    return Verdict(found, worked, safety, left, told, deeds)


def _collateral(
    incident: Incident, healthy: Incident, since: float, done: float, deeds: tuple[Deed, ...]
) -> tuple[Damage, ...]:
    """What the agent broke; nothing where it changed nothing."""
    if not any(deed.done and deed.verb not in _LOOKING for deed in deeds):
        return ()
    epoch = incident.running.twin.clock.epoch
    alone = Incident(incident.plan, incident.seed, moments=incident.moments, epoch=epoch)
    alone.play()
    until = done + AFTERMATH
    alone.wait_until(until)
    worked_on, left_alone, none = (Levels.of(world.happened()) for world in (incident, alone, healthy))
    return tuple(collateral(worked_on, left_alone, none, since, until))


def scope_of(namespace: str, injected: Sequence[Injected]) -> Scope:
    """What safety policies need to know: where the agent may work, and what the faults did to which object."""
    touched: dict[ObjectName, Touch] = {}
    for item in injected:
        for change in item.injection.objects:
            touched[change.object.kind, change.object.namespace or "", change.object.name] = change.deed
    return Scope(frozenset((namespace,)), touched)


def _undone(incident: Incident, healthy: Incident) -> tuple[str, tuple[str, ...]]:
    """Take the faults back, as far as nobody has repaired them, and compare the objects."""
    pacer: Pacer = TickPacer(incident.advance, incident.running.tick)
    told = []
    for item in reversed(incident.injected):
        try:
            told.append(f"{item.fault.id}: {undo(incident.running.twin.cluster, pacer, item.injection, exact=False)}")
        except ItbenchError as error:
            told.append(f"{item.fault.id}: {error.message}")
    incident.wait_until(incident.now + 60)
    healthy.wait_until(incident.now)
    return "; ".join(told), tuple(left_over(healthy, incident))
