"""A twin that goes on, and that is watched: changes come at any moment, alerts fire and clear.

    live = LiveTwin(RunningApplication(load_application("otel-demo"), seed=7), seed=7)
    live.advance(300)
    live.cluster.scale(ObjectRef.parse("deployment/cart", "otel-demo"), 0)
    live.advance(300)
    live.alerts()  # pending and firing
    live.snapshot(Path("so-far"))

`run` lets simulated time pass as real time does, or so many times faster, while other threads use `cluster`.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from threading import Event, RLock

import numpy as np

from itbench.cluster.locked import LockedCluster
from itbench.cluster.protocol import Cluster
from itbench.cluster.reference import ObjectRef
from itbench.model.errors import UsageError
from itbench.snapshot.records import Alert
from itbench.twin.flow.conditions import SUCCESS
from itbench.twin.flow.flow import Flow
from itbench.twin.flow.moments import quantiles
from itbench.twin.randomness import Streams
from itbench.twin.running import RunningApplication
from itbench.twin.telemetry.alerts import INTERVAL, ActiveAlerts
from itbench.twin.telemetry.collector import Collector
from itbench.twin.telemetry.history import History
from itbench.twin.telemetry.noise import Noise
from itbench.twin.telemetry.recording import LITE, Happened, Sampling, record, samples_of
from itbench.twin.telemetry.rules.language import longest_window
from itbench.twin.telemetry.rules.load import AlertRule, rules_for
from itbench.twin.telemetry.series import Samples, Scrapes
from itbench.twin.telemetry.traffic import Traffic
from itbench.twin.telemetry.usages import usages_of

RETENTION_SECONDS = 7200.0
"""How far back things are kept, by default; longer by up to five minutes."""
EVENT_SECONDS = 3600.0
"""How long an API server keeps Kubernetes events (its --event-ttl)."""
# What is dropped ends at full dumps of the objects.
_GRID = 300.0


@dataclass(frozen=True, slots=True)
class ServiceLevel:
    """How a service does at present: in the last tick.

    Attributes:
        rate: requests a second.
        errors: share of them that fail.
        p50, p95: seconds until the answer, failures included; None where nobody asks.
    """

    service: str
    rate: float
    errors: float
    p50: float | None
    p95: float | None


class LiveTwin:
    """A running application with its monitoring. Every method may be called from any thread.

    Args:
        running: the application; all changes must come through `cluster` from now on.
        seed: of what monitoring draws at random.
        rules: when to raise alerts; by default those of the application.
        sampling: how much snapshots keep.
        noise: level of the harmless noise in snapshots.
        retention: seconds that are kept; what is older is not in snapshots. Memory is bounded by it.

    Attributes:
        cluster: the API; calls wait for the end of the present tick.
    """

    def __init__(
        self,
        running: RunningApplication,
        *,
        seed: int = 0,
        rules: Sequence[AlertRule] | None = None,
        sampling: Sampling = LITE,
        noise: float = 1.0,
        retention: float = RETENTION_SECONDS,
    ) -> None:
        self._lock = RLock()
        self.cluster: Cluster = LockedCluster(running.twin.cluster, self._lock)
        self._running = running
        self._clock = running.twin.clock
        self._begin = self._clock.now
        self._streams = Streams(seed)
        self._rules = rules_for(running.graph.application.name) if rules is None else tuple(rules)
        self._sampling = sampling
        self._noise = noise
        window = max((longest_window(rule.expression) for rule in self._rules), default=0.0)
        # A little more than the rules look back, so that what begins within their windows is seen to begin.
        self._window = math.ceil((window + INTERVAL) / INTERVAL) * INTERVAL
        self._retention = max(retention, self._window)
        self._collector = Collector(running)
        self._active = ActiveAlerts(self._rules)
        self._alerts: tuple[Alert, ...] = ()
        self._flow: Flow | None = None
        self._opening: Flow | None = None
        self._sightings: deque[tuple[float, tuple[Alert, ...]]] = deque()

    @property
    def now(self) -> float:
        """Simulated seconds since the beginning."""
        with self._lock:
            return self._clock.now - self._begin

    def advance(self, seconds: float) -> None:
        """Let simulated time pass, in whole ticks; others may change the cluster between ticks."""
        ticks = round(seconds / self._running.tick)
        while ticks > 0:
            with self._lock:
                done = min(ticks, self._ticks_to_evaluation())
                flows = self._running.advance(done * self._running.tick)
                self._collector.add(flows)
                self._flow = flows[-1]
                self._opening = self._opening or flows[0].part(0, 1)
                ticks -= done
                if self._ticks_to_evaluation() == round(INTERVAL / self._running.tick):
                    self._evaluate()
                    self._forget()

    def run(self, scale: float, stop: Event) -> None:
        """Let time pass tick by tick in this thread, `scale` simulated seconds a second, until `stop` is set.

        A machine that cannot keep up runs slower, and does not catch up later.

        Raises:
            UsageError: `scale` is not positive.
        """
        if not scale > 0:
            raise UsageError(f"time cannot pass {scale:g} times as fast", hint="Take a positive number; 1 is real time.")
        pace = self._running.tick / scale
        due = time.monotonic()
        while True:
            due = max(due + pace, time.monotonic())
            if stop.wait(due - time.monotonic()):
                return
            self.advance(self._running.tick)

    def alerts(self) -> Sequence[Alert]:
        """The alerts that are pending or firing as of the last whole minute."""
        with self._lock:
            return self._alerts

    def service_levels(self) -> Sequence[ServiceLevel]:
        """How each service does, in the order of the application; nothing before the first tick."""
        with self._lock:
            flow = self._flow
        return () if flow is None else [_level(flow, name, index) for index, name in enumerate(flow.graph.services)]

    def snapshot(self, folder: Path) -> None:
        """Write what is kept so far as the files of a scenario folder.

        Raises:
            UsageError: no tick has passed, or the folder has something in it.
        """
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise UsageError("a snapshot needs an empty folder", path=folder, hint="Name a new one.")
        with self._lock:
            happened = self._collector.happened()
            sightings = [alert for _, alerts in self._sightings for alert in alerts]
            seconds, skipped = self._clock.now - self._collector.begin, self._collector.begin - self._begin
        noise = Noise(self._streams, happened.begin, seconds, self._noise, skipped)
        recording = record(happened, self._streams, (), self._sampling, noise)
        replace(recording, alerts=tuple(sightings)).write(folder)

    def close(self) -> None:
        """Stop watching the cluster. Harmless when repeated."""
        self._collector.close()

    def _ticks_to_evaluation(self) -> int:
        passed = round((self._clock.now - self._begin) / self._running.tick)
        each = round(INTERVAL / self._running.tick)
        return each - passed % each

    def _evaluate(self) -> None:
        """Look at the rules, over no more of the past than they need."""
        since = self._clock.now - self._window
        if since <= self._collector.begin or self._opening is None:
            happened = self._collector.happened()
        else:
            happened = _prefaced(self._collector.happened(since), self._opening, self._sampling.scrape_seconds)
        self._alerts = tuple(self._active.evaluate(*_observed(happened, self._streams, self._sampling)))
        self._sightings.append((self._clock.now, self._alerts))

    def _forget(self) -> None:
        kept = (self._clock.now - self._retention - self._begin) // _GRID * _GRID + self._begin
        if kept > self._collector.begin:
            self._collector.forget(kept)
            while self._sightings and self._sightings[0][0] <= kept:
                self._sightings.popleft()
        store, cluster = self._running.twin.store, self._running.twin.cluster
        for event in store.list("Event"):
            stamp = event.get("lastTimestamp") or event["metadata"]["creationTimestamp"]
            if self._clock.now - self._clock.seconds(stamp) > EVENT_SECONDS:
                cluster.delete(ObjectRef.of(event))


def _prefaced(happened: Happened, opening: Flow, seconds: float) -> Happened:
    """A late part of what happened, after `seconds` like the first tick of all.

    So counters are there that have stood still for a while; what counted at first is what counts at all.
    """
    ticks = round(seconds / opening.seconds)
    length = ticks * opening.seconds
    preface = [replace(opening, first=tick) for tick in range(ticks)]
    flows = [*preface, *(replace(flow, first=flow.first + ticks) for flow in happened.flows)]
    observations = [replace(seen, time=seen.time + length) if seen.time >= 0 else seen for seen in happened.observations]
    begin = happened.begin - timedelta(seconds=length)
    return Happened(
        begin=begin,
        flows=flows,
        usages=usages_of(flows, observations, begin),
        observations=observations,
        uptime=happened.uptime,
        skipped=happened.skipped - ticks,
    )


def _observed(happened: Happened, streams: Streams, sampling: Sampling) -> tuple[list[Samples], Scrapes]:
    """The series of a stretch of time, and when they were read."""
    traffic = Traffic.of(happened.flows)
    scrapes = Scrapes.over(happened.begin, traffic.seconds, sampling.scrape_seconds, len(traffic), happened.uptime)
    streams = streams.from_tick(happened.skipped)
    return list(samples_of(happened, traffic, History(happened.observations), scrapes, streams)), scrapes


def _level(flow: Flow, service: str, index: int) -> ServiceLevel:
    routes = np.flatnonzero(flow.graph.route_service == index)
    arrivals = flow.arrivals[-1, routes]
    rate = float(arrivals.sum())
    if rate <= 0:
        return ServiceLevel(service, 0.0, 0.0, None, None)
    times = flow.answers.times[:, -1, routes] * (arrivals / rate)[:, None]
    mixed = times.reshape(3, 1, -1)
    p50, p95 = quantiles(mixed, np.zeros(mixed.shape[1:]), np.ones(1), np.array([0.5, 0.95]))[0].tolist()
    return ServiceLevel(service, rate, float(times[0, :, SUCCESS + 1 :].sum()), p50, p95)
