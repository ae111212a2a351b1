"""A scenario that runs on the twin: all is well for a while, then its disruptions, then what comes of them.

    incident = Incident(plan, seed=7)
    incident.play()
    happened = incident.happened()

The same scenario can be played without its faults (`faulted=False`): waiters run at the same moments, and everything
random is drawn from the same streams, so that the two worlds differ by what the faults did and by nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from itbench.cluster.protocol import Cluster, KubeObject
from itbench.faults.injection import Injection, shared_fields
from itbench.faults.registry import AnyFault
from itbench.faults.waiters import DeletePods
from itbench.model.errors import ClusterError, ItbenchError, NotFoundError
from itbench.twin.incident.bystanders import bystanders
from itbench.twin.incident.pacing import TickPacer
from itbench.twin.incident.plan import Plan, PlannedStep
from itbench.twin.randomness import Streams
from itbench.twin.running import RunningApplication
from itbench.twin.telemetry.collector import Collector
from itbench.twin.telemetry.noise import InnocentChange, Noise
from itbench.twin.telemetry.recording import Happened

_FIRST_DAY = datetime(2026, 1, 5, tzinfo=UTC)
_DAYS = 180
# Incidents happen in the daytime (UTC): the load is then neither at its least nor at its most.
_HOURS = (7.0, 19.0)


@dataclass(frozen=True, slots=True)
class Injected:
    """One fault as it was injected, `time` seconds from the beginning."""

    fault: AnyFault
    injection: Injection
    time: float
    key: tuple[str | int, ...]


class Incident:
    """One world of a scenario.

    Args:
        plan: of the scenario.
        seed: of everything random.
        faulted: whether the faults are injected.
        moments: when the steps began in the world with the faults, seconds from the beginning; the healthy world follows.
        epoch: the moment at which it begins; by default one that the seed draws. Nothing but dates depends on it.
        nodes: of the cluster; by default those of `RunningApplication`.
        tick: seconds.
        patience: seconds that faults and waiters wait for one thing at most.

    Attributes:
        cluster: what faults and waiters act on: the twin's own, unless somebody puts another way to it there.
        running: the application.
        injected: the faults so far.
        moments: when each step began.
    """

    def __init__(
        self,
        plan: Plan,
        seed: int,
        *,
        faulted: bool = True,
        moments: Sequence[float] = (),
        epoch: datetime | None = None,
        nodes: Sequence[KubeObject] | None = None,
        tick: float = 5.0,
        patience: float = math.inf,
    ) -> None:
        scenario = plan.scenario
        self.plan = plan
        self.seed = seed
        self.streams = Streams(seed)
        drawn = begin_of(self.streams)
        daytime = (drawn - drawn.replace(hour=0, minute=0)).total_seconds()
        self.running = RunningApplication(
            plan.application, seed=seed, tick=tick, nodes=nodes, epoch=epoch or drawn, daytime=daytime
        )
        self.cluster: Cluster = self.running.twin.cluster
        self.injected: list[Injected] = []
        self.moments: list[float] = []
        self._faulted = faulted
        self._follows = tuple(moments)
        self._collector = Collector(self.running)
        self._ticked = 0.0
        self._pacer = TickPacer(self.advance, self.running.tick)
        self._patient = TickPacer(self.advance, self.running.tick, patience)
        begin = self.running.twin.clock.epoch
        self.noise = Noise(self.streams, begin, scenario.timeline.seconds, scenario.noise)
        innocent = bystanders(plan)
        for change in self.noise.changes(plan.application):
            if change.time < scenario.timeline.before or not change.rolls or change.ref.name in innocent:
                self.running.twin.clock.at(change.time, partial(self._change, change))
        for distraction in plan.distractions:
            self.running.twin.clock.at(distraction.at, partial(distraction.make, self.running.twin))

    @property
    def now(self) -> float:
        """Seconds from the beginning."""
        return self.running.twin.clock.now

    def advance(self, seconds: float) -> None:
        """Let time pass, a whole number of ticks."""
        flows = self.running.advance(seconds)
        self._collector.add(flows)
        self._ticked += sum(len(flow) for flow in flows) * self.running.tick

    def play(self) -> None:
        """Everything, from the healthy time to the end.

        Raises:
            DatasetError: a fault cannot be injected, or two faults change one field; with path, line and key.
        """
        timeline = self.plan.scenario.timeline
        for step in self.plan.steps:
            begins = timeline.before + step.at
            if len(self.moments) < len(self._follows):
                begins = self._follows[len(self.moments)]
            self.wait_until(begins)
            self.moments.append(self.now)
            self._do(step)
        self.wait_until(timeline.seconds)

    def wait_until(self, moment: float) -> None:
        """Let time pass until `moment`, if that is ahead."""
        self._pacer.sleep(moment - self.now)

    def undo(self) -> None:
        """Take the faults back, the last one first, each exactly.

        Raises:
            ItbenchError: an object is not as it was before.
        """
        for item in reversed(self.injected):
            item.fault.undo(self.running.twin.cluster, self._pacer, item.injection)
        self.injected.clear()

    def replace_pods(self) -> None:
        """Replace the pods once more that the scenario replaced after its faults, the last ones first.

        What programs read only when they start they then read as it is now.
        """
        for step in reversed(self.plan.steps):
            if isinstance(step.waiter, DeletePods):
                step.waiter.run(self.running.twin.cluster, self._pacer)

    @property
    def ticked(self) -> float:
        """The end of the last tick whose traffic is known, seconds from the beginning."""
        return self._ticked

    def happened(self, since: float | None = None) -> Happened:
        """What there is to observe so far, or what happened since a moment, in whole ticks from the beginning.

        Raises:
            UsageError: no tick has passed since.
        """
        return self._collector.happened(since)

    def _do(self, step: PlannedStep) -> None:
        cluster = self.cluster
        try:
            if step.waiter is not None:
                step.waiter.run(cluster, self._patient)
            elif step.fault is not None and self._faulted:
                step.fault.check(cluster)
                began = self.now
                rng = self.streams.generator(f"{step.fault.id} {len(self.injected)}", "fault")
                injection = step.fault.inject(cluster, self._patient, rng)
                self._refuse_shared_fields(step, injection)
                self.injected.append(Injected(step.fault, injection, began, step.key))
        except ClusterError as error:
            raise self.plan.file.error(step.key, error.message, error.hint) from error
        except ItbenchError as error:
            if error.path is not None:
                raise
            raise self.plan.file.error((*step.key, *_parts(error.key)), error.message, error.hint) from error

    def _refuse_shared_fields(self, step: PlannedStep, injection: Injection) -> None:
        for item in self.injected:
            shared = shared_fields(item.injection, injection)
            if shared:
                raise self.plan.file.error(step.key, f"two faults change one field: {shared[0]}", "Give each its own.")

    def _change(self, change: InnocentChange) -> None:
        with suppress(NotFoundError):  # a fault may have deleted it
            self.running.twin.cluster.acting_as("kubectl-edit").patch(change.ref, change.patch, "strategic")


def begin_of(streams: Streams) -> datetime:
    """The moment at which a recording of this seed begins: the daytime of any day of half a year, whole minutes."""
    day = _FIRST_DAY + timedelta(days=int(streams.uniform("recording", "day") * _DAYS))
    first, last = _HOURS
    hour = first + streams.uniform("recording", "hour") * (last - first)
    return day + timedelta(minutes=round(hour * 60))


def _parts(key: str | None) -> tuple[str, ...]:
    return tuple(key.split(".")) if key else ()
