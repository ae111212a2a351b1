"""What each pod used in each tick, from the flow of requests and the versions of the pod's object."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import datetime

import numpy as np
from scipy.special import gammaincc

from itbench.cluster.protocol import KubeObject
from itbench.twin.flow.flow import Flow
from itbench.twin.flow.moments import Array
from itbench.twin.telemetry.history import History, Observation, Version
from itbench.twin.telemetry.pods import PodUsage
from itbench.twin.wiring.view import gets_traffic, is_running, limit_of, main_status

# The kernel's bandwidth control works in periods of 100 ms.
_PERIOD = 0.1
# Processor time of a request: its standard deviation is half of its mean, as in the flow's queues.
_CPU_VARIABILITY = 1.25
_TINY = 1e-12


def usages_of(flows: Sequence[Flow], observations: Sequence[Observation], begin: datetime) -> list[PodUsage]:
    """The usage of every pod of the application that there was, sorted by name.

    A tick is under the objects as they are at its beginning, as its flow is.

    Args:
        flows: consecutive ones from tick 0 on; at least one.
        observations: the watch stream, in seconds from `begin`.
        begin: the time of tick 0.
    """
    application = flows[0].graph.application
    history = History(observations)
    loads: dict[str, _Load] = {}
    found = []
    for versions in history.versions("Pod", application.namespace):
        service = history.workload_of(versions[-1].object)[1]
        if service in application.services:
            if service not in loads:
                loads[service] = _Load(flows, service)
            found.append(_usage(versions, service, loads[service], begin))
    return found


class _Load:
    """What the flow does to one pod of a service, by tick.

    Attributes:
        seconds: length of a tick.
        cores, in_service: processor used for requests, and requests worked on, by each pod that deals with them.
        served: whether there is a pod that gets traffic; otherwise all that run do the work.
        spread: variance of the processor time that requests ask for in a period of bandwidth control, seconds².
        base, busy: of the service's pods, see ServiceState.
        leaked: bytes that one of them has leaked since the beginning, at the beginning of each tick and at the end.
    """

    def __init__(self, flows: Sequence[Flow], service: str) -> None:
        graph = flows[0].graph
        index = graph.service_index(service)
        routes = np.flatnonzero(graph.route_service == index)
        bodies = graph.application.services[service].routes.values()
        self.seconds = flows[0].seconds
        self.cores = np.concatenate([flow.cores[:, index] for flow in flows])
        self.in_service = np.concatenate([flow.in_service[:, index] for flow in flows])
        self.each = sum(route.memory for route in bodies) / len(bodies)
        states = [flow.state.services[index] for flow in flows]
        lengths = [len(flow) for flow in flows]
        self.served = np.repeat([state.serving > 0 for state in states], lengths)
        self.base = np.repeat([state.base_memory for state in states], lengths)
        self._leak = np.repeat([state.leak for state in states], lengths)
        self.leaked = np.concatenate(([0.0], np.cumsum(self._leak * self.seconds)))
        self.busy = np.repeat([state.busy for state in states], lengths)
        squares = [
            flow.arrivals[:, routes] @ flow.given.route_cpu[routes] ** 2 / max(state.serving or state.running, 1.0)
            for flow, state in zip(flows, states, strict=True)
        ]
        self.spread = np.concatenate(squares) * _CPU_VARIABILITY * _PERIOD

    def __len__(self) -> int:
        return len(self.cores)

    def leaked_until(self, second: float) -> float:
        """Bytes leaked from the beginning until a second; less than none if that lies before."""
        if second < 0:
            return float(self._leak[0]) * second
        return float(np.interp(second / self.seconds, np.arange(len(self.leaked)), self.leaked))


def _usage(versions: Sequence[Version], service: str, load: _Load, begin: datetime) -> PodUsage:
    ticks = len(load)
    run = np.zeros(ticks, dtype=np.intp)
    serving = np.zeros(ticks, dtype=np.bool_)
    leaked, memory_limit, cpu_limit = np.zeros(ticks), np.full(ticks, np.inf), np.full(ticks, np.inf)
    for first, last, pod in _by_tick(versions, load):
        block = slice(first, last)
        memory_limit[block] = limit_of(pod, "memory") or np.inf
        cpu_limit[block] = limit_of(pod, "cpu") or np.inf
        if is_running(pod):
            status = main_status(pod) or {}
            run[block] = int(status.get("restartCount") or 0) + 1
            serving[block] = gets_traffic(pod)
            started = ((status.get("state") or {}).get("running") or {}).get("startedAt")
            since = (datetime.fromisoformat(started) - begin).total_seconds() if started else 0.0
            leaked[block] = np.maximum(load.leaked[first + 1 : last + 1] - load.leaked_until(since), 0.0)
    on = run > 0
    working = on & (serving | ~load.served)
    cores = np.where(working, load.cores, 0.0) + np.where(on, load.busy, 0.0)
    memory = load.base + leaked + load.each * np.where(working, load.in_service, 0.0)
    return PodUsage(
        pod=versions[-1].object,
        service=service,
        run=run,
        serving=serving,
        cores=np.minimum(cores, cpu_limit),
        memory=np.where(on, np.minimum(memory, memory_limit), 0.0),
        throttled=np.where(working, held_back(cores, cpu_limit, load.spread), 0.0),
    )


def held_back(cores: Array, limit: Array, spread: Array) -> Array:
    """Share of the periods of bandwidth control in which a container asks for more than its limit gives.

    What it asks for in a period is what comes (mean and variance are given) and what is left over from before, whose
    mean is Kingman's bound for a queue that is served once a period; their sum is taken as gamma-distributed.

    Args:
        cores: (t) processor that it uses.
        limit: (t) of it; infinite where there is none.
        spread: (t) variance of the processor time that comes in a period, seconds².
    """
    quota = np.where(np.isfinite(limit), limit, 0.0) * _PERIOD
    mean = cores * _PERIOD
    left = spread / (2 * np.maximum(quota - mean, _TINY))
    asked, variance = mean + left, spread + left**2
    there = np.isfinite(limit) & (mean > _TINY) & (variance > _TINY**2)
    scale = np.divide(variance, asked, out=np.ones_like(asked), where=there)
    shares = gammaincc(np.divide(asked, scale, out=np.ones_like(asked), where=there), quota / scale)
    return np.asarray(np.where(there, shares, 0.0), dtype=np.float64)


def _by_tick(versions: Sequence[Version], load: _Load) -> Iterator[tuple[int, int, KubeObject]]:
    """The ticks [first, last) that begin under each version."""
    for version in versions:
        first = max(math.ceil(version.begin / load.seconds - 1e-9), 0)
        last = len(load) if math.isinf(version.end) else min(math.ceil(version.end / load.seconds - 1e-9), len(load))
        if first < last:
            yield first, last, version.object
