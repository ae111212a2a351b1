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

    @property
    def begin(self) -> float:
        """Second of the twin's clock from which on things are kept."""
        return self._begin

    def happened(self, since: float | None = None) -> Happened:
        """All of it so far, or what happened since a second of the twin's clock.

        Args:
            since: a whole number of ticks; not before `begin`.

        Raises:
            UsageError: no flow has been added.
        """
        begin = self._begin if since is None else since
        flows = _from_second(self._flows, begin)
        if not flows:
            raise UsageError("nothing has been simulated yet", hint="Let at least one tick pass.")
        first = flows[0].first
        seen = self._observations if since is None else _since(self._observations, begin)
        observations = [replace(one, time=one.time - begin) for one in seen]
        flows = [replace(flow, first=flow.first - first) for flow in flows] if first else flows
        return Happened(
            begin=self._clock.moment(begin),
            flows=flows,
            usages=usages_of(flows, observations, self._clock.moment(begin)),
            observations=observations,
            uptime=self._uptime + begin - self._begin,
            skipped=first,
        )

    def forget(self, before: float) -> None:
        """Drop what lies before a second of the twin's clock, a whole number of ticks, which is the new `begin`.

        Objects of that time are kept as they were then; those that were gone are forgotten.
        """
        if before <= self._begin:
            return
        self._flows = _from_second(self._flows, before)
        self._observations = _since(self._observations, before)
        self._uptime += before - self._begin
        self._begin = before

    def close(self) -> None:
        """Stop watching. Harmless when repeated."""
        self._close()

    def _notice(self, event: WatchEvent) -> None:
        time = self._begin - SETTLE_SECONDS if self._opening else self._clock.now
        self._observations.append(Observation(time, event.type, event.object))


def _from_second(flows: Iterable[Flow], begin: float) -> list[Flow]:
    """The ticks from a second of the twin's clock on."""
    found = []
    for flow in flows:
        before = round(begin / flow.seconds) - flow.first
        if before < len(flow):
            found.append(flow.part(before, len(flow)) if before > 0 else flow)
    return found


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
