"""Service levels of a stretch of time: how each service, and each call between services, does in every tick.

They are computed from the solved flows, before any sampling and noise, so that two worlds can be held against each
other number by number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from itbench.twin.flow.conditions import SUCCESS
from itbench.twin.flow.moments import Array
from itbench.twin.objects import is_deleting, is_ready
from itbench.twin.telemetry.history import History
from itbench.twin.telemetry.pods import PodUsage
from itbench.twin.telemetry.recording import Happened
from itbench.twin.telemetry.traffic import Traffic


@dataclass(frozen=True, slots=True, eq=False)
class Levels:
    """Service levels. Axes: tick (t), service (s), call site (c), outcome (o; 0 is success).

    Attributes:
        traffic: what they were computed from; `traffic.graph` names services and sites.
        requests: (t, s) requests a second that a service takes up; what it does by the clock is none.
        failures: (t, s) share of them that fail.
        latency: (t, s) mean seconds until they are answered, failed ones included.
        ready: (t, s) pods that get traffic, or that work where there is no traffic to get.
        unready: (t, s) pods that exist, are not ready and are not going away.
        restarts: (t, s) container runs that ended since the beginning and in whose place another one began.
        cores: (t, s) processor that all pods of a service use.
        memory: (t, s) bytes of its largest pod.
        throttled: (t, s) largest share of the time in which a pod of it is held back.
        failing_calls: (t, s) share of the calls that a service makes that fail.
        calls: (t, c) attempts a second.
        call_outcomes: (t, c, o) what becomes of them, late ones under the outcome that made them late.
        call_latency: (t, c) mean seconds until the caller has its answer or error.
    """

    traffic: Traffic
    requests: Array
    failures: Array
    latency: Array
    ready: Array
    unready: Array
    restarts: Array
    cores: Array
    memory: Array
    throttled: Array
    failing_calls: Array
    calls: Array
    call_outcomes: Array
    call_latency: Array

    def __len__(self) -> int:
        """How many ticks."""
        return len(self.requests)

    @property
    def seconds(self) -> float:
        """Length of a tick."""
        return self.traffic.seconds

    @property
    def services(self) -> tuple[str, ...]:
        """What the axis s means."""
        return self.traffic.graph.services

    @classmethod
    def of(cls, happened: Happened) -> Levels:
        """The levels of what happened."""
        traffic = Traffic.of(happened.flows)
        graph = traffic.graph
        belongs = np.zeros((len(graph.routes), len(graph.services)))
        asked = [graph.application.services[name.service].routes[name.route].every is None for name in graph.routes]
        belongs[np.arange(len(graph.routes)), graph.route_service] = asked
        requests = traffic.arrivals @ belongs
        weights = traffic.arrivals[..., None] * traffic.answers[0]
        failed = weights[..., SUCCESS + 1 :].sum(-1) @ belongs
        # answers[0] are shares and answers[1] share × mean time, both by outcome
        spent = (traffic.arrivals * traffic.answers[1].sum(-1)) @ belongs
        limits = np.array([site.call.timeout for site in graph.sites])
        outcomes = traffic.kept[0] + traffic.late
        made = np.zeros((len(graph.sites), len(graph.services)))
        made[np.arange(len(graph.sites)), [graph.services.index(site.caller.service) for site in graph.sites]] = 1.0
        failing = (traffic.attempts * outcomes[..., SUCCESS + 1 :].sum(-1)) @ made
        usage = _Usage(happened.usages, graph.services, len(traffic))
        return cls(
            traffic=traffic,
            requests=requests,
            failures=_ratio(failed, requests),
            latency=_ratio(spent, requests),
            ready=usage.ready,
            unready=_unready(happened, graph.services, len(traffic), traffic.seconds),
            restarts=usage.restarts,
            cores=usage.cores,
            memory=usage.memory,
            throttled=usage.throttled,
            failing_calls=_ratio(failing, traffic.attempts @ made),
            calls=traffic.attempts,
            call_outcomes=outcomes,
            call_latency=traffic.kept[1].sum(-1) + traffic.late.sum(-1) * limits,
        )


class _Usage:
    """What the pods of each service use together."""

    def __init__(self, usages: Sequence[PodUsage], services: Sequence[str], ticks: int) -> None:
        shape = (ticks, len(services))
        self.ready, self.cores, self.memory, self.throttled = (np.zeros(shape) for _ in range(4))
        begun, ended = np.zeros(shape), np.zeros(shape)
        for usage in usages:
            column = services.index(usage.service)
            self.ready[:, column] += usage.serving
            runs = np.maximum.accumulate(usage.run)
            begun[:, column] += runs
            ended[:, column] += runs - (usage.run > 0)
            self.cores[:, column] += np.where(usage.run > 0, usage.cores, 0.0)
            held = np.where(usage.run > 0, usage.memory, 0.0)
            self.memory[:, column] = np.maximum(self.memory[:, column], held)
            self.throttled[:, column] = np.maximum(self.throttled[:, column], usage.throttled)
        # More pods begin runs too, and fewer pods end some: neither is a restart.
        self.restarts = np.minimum(begun - begun[:1], ended - ended[:1])


def _unready(happened: Happened, services: Sequence[str], ticks: int, seconds: float) -> Array:
    history = History(happened.observations)
    service_of = {usage.name: usage.service for usage in happened.usages}
    counts = np.zeros((ticks, len(services)))
    namespace = happened.flows[0].graph.application.namespace
    for versions in history.versions("Pod", namespace):
        service = service_of.get(str(versions[0].object["metadata"]["name"]))
        if service is None:
            continue
        for version in versions:
            finished = (version.object.get("status") or {}).get("phase") in ("Succeeded", "Failed")
            if is_ready(version.object) or is_deleting(version.object) or finished:
                continue
            first, last = (int(np.clip(np.ceil(moment / seconds), 0, ticks)) for moment in (version.begin, version.end))
            counts[first:last, services.index(service)] += 1
    return counts


def _ratio(part: Array, whole: Array) -> Array:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 1e-12)
