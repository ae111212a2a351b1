"""Measure an incident: play its scenario with and without the faults, and hold the two worlds against each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from itbench.twin.incident.causes import Origin, origins
from itbench.twin.incident.chain import Chain, Root, chain
from itbench.twin.incident.impacts import Impact, Thresholds, impacts
from itbench.twin.incident.incident import Incident, Injected
from itbench.twin.incident.levels import Levels
from itbench.twin.incident.plan import Plan
from itbench.twin.incident.reach import last_versions, root_of
from itbench.twin.telemetry.recording import Happened

SLO_TARGET = 0.999
"""Share of the users' requests that are to succeed, over `SLO_DAYS`: the error budget is the rest."""
SLO_DAYS = 30


@dataclass(frozen=True, slots=True)
class Burned:
    """What the users noticed.

    Attributes:
        requests: that they made after the first fault.
        failed: of these, more than in the healthy world.
        budget: the share of the error budget of `SLO_DAYS` days that this is.
    """

    requests: float
    failed: float
    budget: float


@dataclass(frozen=True, slots=True, eq=False)
class Worlds:
    """A scenario, played twice.

    Attributes:
        injected: the faults of the first world.
        faulted, healthy: what happened in each.
        moments: when each step of the plan began, seconds from the beginning.
    """

    plan: Plan
    seed: int
    injected: tuple[Injected, ...]
    faulted: Happened
    healthy: Happened
    moments: tuple[float, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """What the faults did.

    Attributes:
        levels: of the faulted and of the healthy world.
        roots: what each fault touched, in the order of injection.
        onset: seconds from the beginning to the first impact; None without any.
    """

    worlds: Worlds
    levels: tuple[Levels, Levels]
    impacts: tuple[Impact, ...]
    origins: tuple[Origin, ...]
    roots: tuple[Root, ...]
    chain: Chain
    burned: Burned

    @property
    def onset(self) -> float | None:
        """Of the first impact."""
        return min((impact.onset for impact in self.impacts), default=None)


def play(plan: Plan, seed: int) -> Worlds:
    """Play a scenario with its faults, then without them, on the same random numbers.

    Raises:
        DatasetError: a fault cannot be injected; with path, line and key.
    """
    return worlds_of(*incidents(plan, seed))


def incidents(plan: Plan, seed: int) -> tuple[Incident, Incident]:
    """A scenario at the end of its recording: the world with the faults, and the one without. Both can go on.

    Where a step takes longer than there is time, such as a restart that never ends, the recording ends after it. Both
    worlds are as long, whichever it was that took the time.

    Raises:
        DatasetError: a fault cannot be injected; with path, line and key.
    """
    faulted = Incident(plan, seed)
    faulted.play()
    healthy = Incident(plan, seed, faulted=False, moments=faulted.moments)
    healthy.play()
    end = max(faulted.now, healthy.now)
    for incident in (faulted, healthy):
        incident.wait_until(end)
    return faulted, healthy


def worlds_of(faulted: Incident, healthy: Incident) -> Worlds:
    """What there is to observe of both."""
    return Worlds(
        plan=faulted.plan,
        seed=faulted.seed,
        injected=tuple(faulted.injected),
        faulted=faulted.happened(),
        healthy=healthy.happened(),
        moments=tuple(faulted.moments),
    )


def measure(worlds: Worlds, limits: Thresholds | None = None) -> Measured:
    """Hold the two worlds against each other.

    Args:
        worlds: of one scenario and seed.
        limits: from when on a difference counts.
    """
    faulted, healthy = Levels.of(worlds.faulted), Levels.of(worlds.healthy)
    objects = last_versions(worlds.faulted.observations)
    load = worlds.plan.application.load.service
    found = tuple(impact for impact in impacts(healthy, faulted, limits) if _concerns(impact, load))
    arising = origins(worlds.faulted.flows, worlds.healthy.flows, objects, limits)
    roots = tuple(root_of(item.injection, item.time, worlds.plan.application, objects) for item in worlds.injected)
    return Measured(
        worlds=worlds,
        levels=(faulted, healthy),
        impacts=found,
        origins=arising,
        roots=roots,
        chain=chain(healthy, faulted, found, arising, roots, limits),
        burned=_burned(faulted, healthy, min((item.time for item in worlds.injected), default=0.0)),
    )


def _concerns(impact: Impact, load: str) -> bool:
    """Whether an impact belongs to the incident: what the users suffer is counted apart, unless they ask for more."""
    return impact.service != load or impact.aspect not in ("errors", "calls", "latency", "starved")


def _burned(faulted: Levels, healthy: Levels, begins: float) -> Burned:
    """What the load generator saw of failures."""
    index = faulted.services.index(faulted.traffic.graph.application.load.service)
    after = slice(int(begins / faulted.seconds), None)
    made = faulted.requests[after, index] * faulted.seconds
    extra = np.maximum(faulted.failures[after, index] - healthy.failures[after, index], 0.0)
    failed = float((made * extra).sum())
    normal = float(healthy.requests[:, index].mean())
    allowed = normal * SLO_DAYS * 86_400 * (1 - SLO_TARGET)
    return Burned(float(made.sum()), failed, failed / allowed if allowed > 0 else 0.0)
