"""Collect what happens to a running application, for monitoring to observe afterwards.

    collector = Collector(running)
    collector.add(running.advance(600))
    record(collector.happened(), streams, rules, LITE, noise).write(folder)

It keeps all it has seen; `forget` bounds that for those who run on and on.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from itbench.cluster.protocol import WatchEvent
from itbench.model.errors import UsageError
from itbench.twin.flow.flow import Flow
from itbench.twin.objects import name_of, namespace_of
from itbench.twin.running import SETTLE_SECONDS, RunningApplication
from itbench.twin.telemetry.history import Observation
from itbench.twin.telemetry.recording import Happened
from itbench.twin.telemetry.usages import usages_of

_Key = tuple[str, str, str]


class Collector:
    """Watches a running application from the moment it is made; that is second 0 of what it has to tell.

    Args:
        running: the application; the collector follows its cluster until it is closed.
        uptime: seconds that its counters had been counting before; by default since its pods were made.
    """

    def __init__(self, running: RunningApplication, *, uptime: float | None = None) -> None:
        self._clock = running.twin.clock
        self._begin = self._clock.now
        self._uptime = self._begin + SETTLE_SECONDS if uptime is None else uptime
        self._flows: list[Flow] = []
        # Observations here have seconds of the twin's clock; what is there at first has been there before.
        self._observations: list[Observation] = []
        self._opening = True
        self._close = running.twin.cluster.subscribe(self._notice)
        self._opening = False

    def add(self, flows: Iterable[Flow]) -> None:
        """Take the flows of the ticks since those added before."""
        self._flows.extend(flows)

    def happened(self) -> Happened:
        """All of it so far.

        Raises:
            UsageError: no flow has been added.
        """
        if not self._flows:
            raise UsageError("nothing has been simulated yet", hint="Let at least one tick pass.")
        first = self._flows[0].first
        flows = [replace(flow, first=flow.first - first) for flow in self._flows] if first else list(self._flows)
        observations = [replace(seen, time=seen.time - self._begin) for seen in self._observations]
        return Happened(
            begin=self._clock.moment(self._begin),
            flows=flows,
            usages=usages_of(flows, observations, self._clock.moment(self._begin)),
            observations=observations,
            uptime=self._uptime,
        )

    def forget(self, seconds: float) -> None:
        """Drop what lies further back than `seconds`, in whole flows; second 0 of the rest is where its first begins.

        Objects of that time are kept as they were then, and the pods that were gone are forgotten.
        """
        end = self._clock.now - seconds
        kept = 0
        while kept < len(self._flows) - 1 and self._flows[kept + 1].first * self._flows[kept + 1].seconds <= end:
            kept += 1
        if not kept:
            return
        self._flows = self._flows[kept:]
        begin = self._flows[0].first * self._flows[0].seconds
        self._uptime += begin - self._begin
        self._begin = begin
        self._observations = _since(self._observations, begin)

    def close(self) -> None:
        """Stop watching. Harmless when repeated."""
        self._close()

    def _notice(self, event: WatchEvent) -> None:
        time = self._begin - SETTLE_SECONDS if self._opening else self._clock.now
        self._observations.append(Observation(time, event.type, event.object))


def _since(observations: Iterable[Observation], begin: float) -> list[Observation]:
    """What a watch that opens at second `begin` would have seen; of what was there before, its last version."""
    there: dict[_Key, Observation] = {}
    later = []
    for seen in observations:
        if seen.time >= begin:
            later.append(seen)
            continue
        key = (str(seen.object["kind"]), namespace_of(seen.object), name_of(seen.object))
        there.pop(key, None)
        if seen.type != "DELETED":
            there[key] = replace(seen, type="ADDED")
    return [*there.values(), *later]
