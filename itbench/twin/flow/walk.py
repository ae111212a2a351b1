"""Single requests, walked through a solved tick: the traces behind the rates.

Shares and waiting times come from the flow, so that many walked requests add up to it; within one request everything
fits together: children lie inside their parents, and an error above has its cause below.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass, field

import numpy as np

from itbench.twin.flow.conditions import CHANCE, SUCCESS, rejection_times
from itbench.twin.flow.flow import Flow
from itbench.twin.flow.graph import CallSite
from itbench.twin.flow.queueing import throttled
from itbench.twin.flow.state import Kind

# Calls that degrade each other in a circle end here.
_DEEPEST = 40


@dataclass(slots=True)
class Attempt:
    """One attempt of a call, as its caller sees it.

    Attributes:
        site: index of the call site.
        start, seconds: when it began and how long the caller was busy with it.
        outcome: of the flow; 0 is success.
        kind: how it failed; None if it did not.
        served: what the callee did, if the call got through to it.
    """

    site: int
    start: float
    seconds: float
    outcome: int
    kind: Kind | None
    served: Served | None = None


@dataclass(slots=True)
class Served:
    """One request, as the service that serves it sees it.

    Attributes:
        route: index of the route.
        start, seconds: when a worker took it up and how long it took.
        outcome: of the flow; 0 is success.
        degraded: whether it was answered with less than usual.
        calls: what the service called meanwhile, in the order of the starts.
    """

    route: int
    start: float
    seconds: float = 0.0
    outcome: int = SUCCESS
    degraded: bool = False
    calls: list[Attempt] = field(default_factory=list)


class Walker:
    """Walks requests through one tick of a flow.

    Args:
        flow: solved.
        tick: its index in the flow.
    """

    def __init__(self, flow: Flow, tick: int) -> None:
        self._flow = flow
        self._ways = _ways(flow)
        self._works = _works(flow)
        self._turn_to(tick)

    def at(self, tick: int) -> Walker:
        """A walker through another tick of the same flow, which need not be prepared again."""
        other = copy(self)
        other._turn_to(tick)
        return other

    def _turn_to(self, tick: int) -> None:
        self._tick = tick
        self._dropped: list[float] = self._flow.dropped[tick].tolist()
        self._wait: list[float] = self._flow.wait[tick].tolist()

    def request(self, route: int, start: float, rng: np.random.Generator, depth: int = 0) -> Served:
        """A request to a route that a worker takes up at `start` seconds."""
        served = Served(route, start)
        work = self._works[route]
        clock = start + work.seconds(rng)
        served.outcome = work.outcome(rng)
        if served.outcome == SUCCESS and depth < _DEEPEST:
            for step in self._ways[route]:
                clock, served.outcome = self._step(step, served, clock, rng, depth)
                if served.outcome != SUCCESS:
                    break
        served.seconds = clock - start
        return served

    def _step(
        self, step: list[list[_Way]], served: Served, start: float, rng: np.random.Generator, depth: int
    ) -> tuple[float, int]:
        """Calls made at once: when the step is over, and what became of it."""
        end, failed_at, outcome = start, math.inf, SUCCESS
        for branch in step:
            way = _choose(branch, rng)
            if way is None:
                continue
            done, result = self._call(way, served, start, rng, depth)
            end = max(end, done)
            if result != SUCCESS and way.required and done < failed_at:
                failed_at, outcome = done, result
            served.degraded |= result != SUCCESS and way.degrades
        return (end, SUCCESS) if outcome == SUCCESS else (failed_at, outcome)

    def _call(self, way: _Way, served: Served, start: float, rng: np.random.Generator, depth: int) -> tuple[float, int]:
        """A call with its retries: when it is over, and what became of it."""
        clock, outcome = start, SUCCESS
        for turn in range(way.attempts):
            clock += way.backoff if turn else 0.0
            attempt = self._attempt(way, clock, rng, depth)
            served.calls.append(attempt)
            clock += attempt.seconds
            outcome = attempt.outcome
            if outcome == SUCCESS:
                break
        return clock, outcome

    def _attempt(self, way: _Way, start: float, rng: np.random.Generator, depth: int) -> Attempt:
        flow, call = self._flow, way.call
        chance = float(rng.random())
        if chance < way.rejected:
            return self._rejected(way, start, rng)
        chance -= way.rejected
        for outcome, share, seconds in way.failures:
            if chance < share:
                return Attempt(way.site, start, seconds, outcome, Kind(int(flow.given.call_kind[call, outcome])))
            chance -= share
        for outcome, share in way.late:
            if chance < share:
                return Attempt(way.site, start, way.limit, outcome, Kind.TIMEOUT)
            chance -= share
        service = way.service
        if rng.random() < self._dropped[service]:
            return Attempt(way.site, start, way.limit, int(flow.given.overload[service]), Kind.TIMEOUT)
        hop = way.hop_p50 * math.exp(way.hop_sigma * rng.standard_normal())
        extra = _spread(way.delay, way.jitter, rng)
        wait = rng.exponential(self._wait[service])
        there = start + hop / 2 + extra + wait
        inner = self.request(way.callee, there, rng, depth + 1)
        seconds = hop + extra + wait + inner.seconds
        if seconds > way.limit:
            outcome = inner.outcome or self._blame(way, wait)
            return Attempt(way.site, start, way.limit, outcome, Kind.TIMEOUT, inner)
        kind = None if inner.outcome == SUCCESS else flow.kind(way.site, inner.outcome)
        return Attempt(way.site, start, seconds, inner.outcome, kind, inner)

    def _rejected(self, way: _Way, start: float, rng: np.random.Generator) -> Attempt:
        given = self._flow.given
        answered = float(self._flow.answered[self._tick, way.call])
        each = 1 - (1 - answered) ** (1 / len(way.tries))
        for seconds in way.tries:
            if rng.random() < each:
                trip = seconds + float(given.rejected_round_trip[way.call])
                return Attempt(way.site, start, trip, int(given.rejected_refused[way.call]), Kind.REFUSED)
        return Attempt(way.site, start, way.limit, int(given.rejected_late[way.call]), Kind.TIMEOUT)

    def _blame(self, way: _Way, wait: float) -> int:
        """What made a call late that would have succeeded: the largest of the known reasons."""
        flow = self._flow
        slow = flow.answers.slow[self._tick, way.callee] + flow.given.call_slow[way.call]
        slow[flow.given.overload[flow.graph.route_service[way.callee]]] += wait
        slow[SUCCESS] = 0.0
        return int(slow.argmax()) if slow.max() > 0 else CHANCE


@dataclass(frozen=True, slots=True)
class _Work:
    """What a service does itself for a request to one of its routes, as plain numbers.

    Attributes:
        mean, sigma: of its own time, which is lognormal.
        processor: seconds that its processor time takes.
        delay, jitter: of what slows it down.
        failures: outcomes and their shares.
    """

    mean: float
    sigma: float
    processor: float
    delay: float
    jitter: float
    failures: tuple[tuple[int, float], ...]

    def seconds(self, rng: np.random.Generator) -> float:
        """How long it takes this time."""
        own = self.mean * math.exp(self.sigma * rng.standard_normal() - self.sigma**2 / 2)
        return own + self.processor + _spread(self.delay, self.jitter, rng)

    def outcome(self, rng: np.random.Generator) -> int:
        """How it ends this time, by the shares; success for the rest."""
        if not self.failures:
            return SUCCESS
        chance = float(rng.random())
        for outcome, share in self.failures:
            if chance < share:
                return outcome
            chance -= share
        return SUCCESS


@dataclass(frozen=True, slots=True)
class _Way:
    """One call of the graph with everything that a walk needs, as plain numbers."""

    call: int
    site: int
    callee: int
    service: int
    probability: float
    limit: float
    attempts: int
    backoff: float
    required: bool
    degrades: bool
    rejected: float
    tries: tuple[float, ...]
    failures: tuple[tuple[int, float, float], ...]
    late: tuple[tuple[int, float], ...]
    delay: float
    jitter: float
    hop_p50: float
    hop_sigma: float


def _works(flow: Flow) -> list[_Work]:
    graph, given, failures = flow.graph, flow.given, flow.given.route_failures
    processor = throttled(given.route_cpu, given.cores[graph.route_service])
    return [
        _Work(
            mean=max(float(graph.route_mean[route] + min(given.route_delay[route], 0.0)), 1e-9),
            sigma=math.sqrt(math.log(graph.route_square[route] / graph.route_mean[route] ** 2)),
            processor=float(processor[route]),
            delay=float(given.route_delay[route]),
            jitter=math.sqrt(float(given.route_delay_variance[route])),
            failures=tuple((int(o), float(failures[route, o])) for o in np.flatnonzero(failures[route])),
        )
        for route in range(len(graph.routes))
    ]


def _ways(flow: Flow) -> list[list[list[list[_Way]]]]:
    """For each route its steps, branches and the calls that exclude each other."""
    graph = flow.graph
    steps: list[list[list[_Way]]] = [[] for _ in graph.step_route]
    branches: list[list[_Way]] = [[] for _ in graph.branch_step]
    for branch, step in enumerate(graph.branch_step):
        steps[step].append(branches[branch])
    for call, branch in enumerate(graph.call_branch):
        branches[branch].append(_way(flow, call))
    routes: list[list[list[list[_Way]]]] = [[] for _ in graph.routes]
    for step, route in enumerate(graph.step_route):
        routes[route].append(steps[step])
    return routes


def _way(flow: Flow, call: int) -> _Way:
    graph, given = flow.graph, flow.given
    hop = graph.application.network.hop
    shares, seconds = given.call_failures[0, call], given.call_failures[1, call]
    site: CallSite = graph.sites[graph.call_site[call]]
    return _Way(
        call=call,
        site=int(graph.call_site[call]),
        callee=int(graph.call_to[call]),
        service=int(graph.route_service[graph.call_to[call]]),
        probability=float(given.call_probability[call]),
        limit=float(graph.call_limit[call]),
        attempts=site.call.attempts,
        backoff=site.call.backoff,
        required=bool(graph.call_required[call]),
        degrades=bool(graph.call_degrades[call]),
        rejected=float(given.rejected[call]),
        tries=tuple(rejection_times(float(graph.call_limit[call])).tolist()),
        failures=tuple((int(o), float(shares[o]), float(seconds[o] / shares[o])) for o in np.flatnonzero(shares)),
        late=tuple((int(o), float(given.call_late[call, o])) for o in np.flatnonzero(given.call_late[call])),
        delay=float(given.call_delay[call]),
        jitter=math.sqrt(float(given.call_delay_variance[call])),
        hop_p50=hop.p50,
        hop_sigma=hop.sigma,
    )


def _spread(mean: float, deviation: float, rng: np.random.Generator) -> float:
    """A time with this mean and standard deviation, lognormal as the flow takes it; 0 for none."""
    if mean <= 0:
        return 0.0
    sigma = math.sqrt(math.log1p((deviation / mean) ** 2))
    return mean * math.exp(sigma * rng.standard_normal() - sigma**2 / 2)


def _choose(branch: list[_Way], rng: np.random.Generator) -> _Way | None:
    """Which of the calls that exclude each other is made, if any."""
    chance = float(rng.random())
    for way in branch:
        if chance < way.probability:
            return way
        chance -= way.probability
    return None


def attempts_below(served: Served) -> Iterator[tuple[Served, Attempt]]:
    """All attempts of a request and of the requests that it caused, each with the request that made it."""
    pending = [served]
    while pending:
        parent = pending.pop()
        for attempt in parent.calls:
            yield parent, attempt
            if attempt.served is not None:
                pending.append(attempt.served)
