"""Whether an incident is over: the services serve as they would without it, nothing of the application is gone, and no
alert is left of it.

A service that is scaled to zero raises no alert and fails no request, and yet is not repaired; so what counts is what the
world without the faults would have at the same moment (docs/checking.md gives the tolerances).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from itbench.cluster.reference import ObjectRef
from itbench.snapshot.records import Alert
from itbench.twin.app.objects import manifests
from itbench.twin.control.store import Store
from itbench.twin.flow.moments import Array
from itbench.twin.incident.impacts import TRAFFIC, Flags, Impact, Thresholds, differing, lasting
from itbench.twin.incident.incident import Incident
from itbench.twin.incident.levels import Levels
from itbench.twin.incident.words import describe
from itbench.twin.telemetry.alerts import INTERVAL, identity

WINDOW = 120.0
"""Seconds that everything must be well at the end."""


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """The world without the faults, which a repaired one is held against.

    Attributes:
        levels: its service levels, from the beginning.
        quiet: identities of the alerts that fire there too.
        objects: what the application is made of and has there.
    """

    levels: Levels
    quiet: frozenset[tuple[str, ...]]
    objects: frozenset[ObjectRef]

    @classmethod
    def of(cls, healthy: Incident, alerts: Iterable[Alert]) -> Reference:
        """The reference that a world without faults is now.

        Args:
            healthy: that world; it must have gone on for at least as long as the one that is judged.
            alerts: all its sightings of alerts.
        """
        parts = frozenset(ObjectRef.of(manifest) for manifest in manifests(healthy.plan.application))
        store = healthy.running.twin.store
        return cls(
            levels=Levels.of(healthy.happened()),
            quiet=frozenset(identity(alert) for alert in alerts if alert.state == "firing"),
            objects=frozenset(ref for ref in parts if _there(store, ref)),
        )


@dataclass(frozen=True, slots=True)
class Resolution:
    """What became of an incident, `since` some moment.

    Attributes:
        restored: seconds until all services serve as they should, to the end; None if they do not at the end.
        cleared: seconds until no alert of the incident fires any more; None if one does at the end, or if nobody looked
            because services do not serve.
        wrong: what services lack at the end, in words.
        missing: parts of the application that are gone.
        firing: alerts of the incident that fire at the end, as `name (what about)`.
    """

    restored: float | None
    cleared: float | None
    wrong: tuple[str, ...] = ()
    missing: tuple[ObjectRef, ...] = ()
    firing: tuple[str, ...] = ()

    @property
    def resolved(self) -> bool:
        """Whether the incident is over."""
        return self.restored is not None and self.cleared is not None and not self.missing

    @property
    def after(self) -> float | None:
        """Seconds until it was over; None if it is not."""
        if not self.resolved or self.restored is None or self.cleared is None:
            return None
        return max(self.restored, self.cleared)

    def __str__(self) -> str:
        if self.resolved:
            return f"services restored after {self.restored:.0f} s, alerts cleared after {self.cleared:.0f} s"
        gone = [f"{ref} is gone" for ref in self.missing]
        reasons = [*self.wrong, *gone, *(f"{text} still fires" for text in self.firing)]
        more = f", and {len(reasons) - 2} more" if len(reasons) > 2 else ""
        return "; ".join(reasons[:2]) + more


def resolution(
    reference: Reference,
    incident: Incident,
    since: float,
    alerts: Callable[[], Iterable[Alert]],
    limits: Thresholds | None = None,
) -> Resolution:
    """Whether an incident is over now.

    Args:
        reference: the world without the faults, at least as far in time.
        incident: the world that is judged.
        since: the moment from which on time is told, in seconds from the beginning; such as that of a repair.
        alerts: gives all sightings of alerts in it. Asked only if the services serve: without that nothing is over.
        limits: how far levels may be from the reference.
    """
    levels = Levels.of(incident.happened())
    restored, wrong = _service(reference.levels, levels, since, limits or Thresholds())
    store = incident.running.twin.store
    missing = tuple(sorted((ref for ref in reference.objects if not _there(store, ref)), key=str))
    if restored is None:
        return Resolution(None, None, wrong, missing)
    end = len(levels) * levels.seconds
    begin = incident.running.twin.clock.epoch
    last: dict[str, float] = {}
    for alert in alerts():
        if alert.state == "firing" and identity(alert) not in reference.quiet:
            last[f"{alert.name} ({alert.entity})"] = (alert.time - begin).total_seconds()
    firing = tuple(text for text, time in last.items() if time > end - INTERVAL - levels.seconds)
    cleared = None if firing else max([0.0, *(time + INTERVAL - since for time in last.values())])
    return Resolution(restored, cleared, wrong, missing, firing)


def _service(healthy: Levels, ours: Levels, since: float, limits: Thresholds) -> tuple[float | None, tuple[str, ...]]:
    """Seconds until all services serve, and what they lack in the last window."""
    ticks, seconds = min(len(healthy), len(ours)), ours.seconds
    found: dict[str, tuple[Flags, Array, Array]] = {
        aspect: value for aspect, value in differing(healthy, ours, limits).items() if aspect in TRAFFIC
    }
    down = (ours.ready[:ticks] < 1) & (healthy.ready[:ticks] >= 1)
    found["missing"] = lasting(down, seconds, limits), healthy.ready[:ticks], ours.ready[:ticks]
    # What the users themselves suffer is counted apart; how much they ask for is not.
    own = _columns(ours.services, ours.traffic.graph.application.load.service)
    for aspect in ("errors", "calls", "latency"):
        found[aspect][0][:, own] = False
    bad = np.any([flags.any(1) for flags, _, _ in found.values()], axis=0)
    first, window = round(since / seconds), round(WINDOW / seconds)
    late = np.flatnonzero(bad[first:])
    until = 0.0 if not late.size else float(late[-1] + 1) * seconds
    if not bad[max(ticks - window, first) :].any() and ticks - first >= window:
        return until, ()
    return None, tuple(_words(found, ours.services, slice(max(ticks - window, first), ticks)))


def _columns(services: Sequence[str], name: str) -> list[int]:
    return [index for index, service in enumerate(services) if service == name]


def _words(found: dict[str, tuple[Flags, Array, Array]], services: Sequence[str], window: slice) -> Iterable[str]:
    """What is wrong in a window, a line for each service and aspect; services that are down first."""
    for aspect in ("missing", *TRAFFIC):
        flags, one, two = found[aspect]
        for index in np.flatnonzero(flags[window].any(0)).tolist():
            last = window.start + int(np.flatnonzero(flags[window, index])[-1])
            yield describe(Impact(services[index], aspect, 0.0, 0.0, float(one[last, index]), float(two[last, index])))


def _there(store: Store, ref: ObjectRef) -> bool:
    obj = store.get(ref.kind, (ref.namespace or "", ref.name))
    return obj is not None and "deletionTimestamp" not in obj["metadata"]
