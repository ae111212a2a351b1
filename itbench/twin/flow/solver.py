"""Solve the flow of requests, tick by tick where it must be, for many ticks at once where it can be.

Within a tick everything that acts without delay is a fixed point: demand makes load, load makes waiting, waiting makes
time-outs, and those make retries or spare the services behind. What acts with delay is carried from tick to tick: the
requests that wait, the messages in topics, the users who have arrived, the patience of the kernel. While all of that is
at rest, every tick of a state is solved in one go.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from itbench.twin.flow.acceleration import Acceleration
from itbench.twin.flow.conditions import Conditions, conditions
from itbench.twin.flow.demand import Demand, daily_wave
from itbench.twin.flow.flow import Flow, by_site
from itbench.twin.flow.graph import Graph
from itbench.twin.flow.moments import Array
from itbench.twin.flow.pressure import REJECTIONS_A_SECOND, REJECTIONS_SAVED, Pods, Rejections
from itbench.twin.flow.response import Answers, Pressure, idle_answers, respond
from itbench.twin.flow.solution import Point, Solution
from itbench.twin.flow.state import State
from itbench.twin.flow.topics import Topics

# Ticks between the points that are solved while everything is at rest.
_KNOT = 60
_ROUNDS = 80
_MEMORY = 8
# At rest a solution is exact: it must not depend on where the rounds began.
_EXACT = 1e-9
_CLOSE = 1e-4


@dataclass(slots=True, eq=False)
class Carried:
    """What one tick leaves to the next.

    Attributes:
        waiting: (2, s) requests that wait in each pod for processor and workers.
        rejections: (s) unreachable messages that each pod of a service may still get at once.
        lag: (consumer) messages that wait for a consuming route.
        users: how many have arrived.
    """

    waiting: Array
    rejections: Array
    lag: Array
    users: float


@dataclass(slots=True)
class _Knots:
    """Stationary solutions of a state, by tick."""

    state: State | None
    solutions: dict[int, Solution]


class Solver:
    """Follows an application through time.

    Args:
        graph: of the application.
        seconds: length of a tick.
        midnight: seconds from the midnight (UTC) before tick 0 to tick 0, for the daily pattern.
    """

    def __init__(self, graph: Graph, seconds: float = 5.0, midnight: float = 0.0) -> None:
        self.graph = graph
        self.seconds = seconds
        self._midnight = midnight
        self._demand = Demand(graph)
        self._pods = Pods(graph)
        self._rejections = Rejections(graph)
        self._topics = Topics(graph)
        self._generator = graph.service_index(graph.application.load.service)
        self._users = graph.application.load.users or 0.0
        self._last: Solution | None = None
        self._busy = False
        self._knots = _Knots(None, {})
        services = len(graph.services)
        self.carried = Carried(
            waiting=np.zeros((2, services)),
            rejections=np.full(services, REJECTIONS_SAVED),
            lag=np.zeros(len(self._topics.routes)),
            users=self._users,
        )

    def solve(self, state: State, first: int, ticks: int) -> Iterator[Flow]:
        """The flow of `ticks` ticks from tick `first` on, under one state, in blocks."""
        done = 0
        while done < ticks:
            flow = self._at_rest(state, first + done, ticks - done) or self._step(state, first + done)
            yield flow
            done += len(flow)

    def _at_rest(self, state: State, first: int, ticks: int) -> Flow | None:
        """Many ticks at once, if nothing moves from one to the next but the daily wave of the load.

        That is so slow that the ticks between two knots, which lie at fixed times, are interpolated.
        """
        carried = self.carried
        if self._busy or carried.lag.max(initial=0.0) > 1.0 or carried.users != self._users:
            return None
        knot = first // _KNOT * _KNOT
        low, high = (self._knot(state, number) for number in (knot, knot + _KNOT))
        drained = (low.rejections <= REJECTIONS_A_SECOND) | (carried.rejections <= 0.0)
        self._busy = low.busy or high.busy
        if self._busy or not drained.all():
            return None
        ticks = min(ticks, knot + _KNOT - first)
        solution = low.between(high, (first - knot + np.arange(ticks)) / _KNOT)
        carried.waiting = solution.usage.waiting[:, -1]
        return self._flow(state, solution, first, np.zeros_like(solution.published))

    def _knot(self, state: State, number: int) -> Solution:
        """The stationary solution of one tick; every tick has the same where the load has no wave."""
        if self.graph.application.load.daily.amplitude == 0:
            number = 0
        if self._knots.state != state:
            self._knots = _Knots(state, {})
        known = self._knots.solutions
        if number not in known:
            self._last = known[number] = self._fixed_point(conditions(self.graph, state), number, 1, np.inf)
            known.pop(number - 3 * _KNOT, None)  # time does not go back
        return known[number]

    def _step(self, state: State, first: int) -> Flow:
        """One tick, from what the last one left."""
        carried = self.carried
        queues = zip(self.graph.services, carried.waiting.max(0), strict=True)
        given = conditions(self.graph, state, [name for name, queue in queues if queue > 0.1])
        solution = self._fixed_point(given, first, 1, self.seconds)
        self._busy = solution.busy or carried.waiting.max(initial=0.0) > 1.0
        carried.waiting = solution.usage.waiting[:, 0]
        carried.lag = np.maximum(carried.lag + self.seconds * (solution.published - solution.takes)[0], 0.0)
        running = given.running[self._generator] > 0
        arrived = carried.users + self.seconds * self.graph.application.load.spawn_rate
        carried.users = min(self._users, arrived) if running else 0.0
        return self._flow(state, solution, first, carried.lag[None])

    def _fixed_point(self, given: Conditions, first: int, ticks: int, seconds: float) -> Solution:
        """Rounds of demand and response until nothing changes any more."""
        graph, carried = self.graph, self.carried
        here = self._start(given, ticks)
        stretch = np.repeat(self._pods.stretch(given), ticks, axis=0)
        times = self._midnight + self.seconds * np.arange(first, first + ticks, dtype=np.float64)
        wave = daily_wave(graph.application.load, times)
        acceleration = Acceleration(_MEMORY, graph.depth)
        tolerance = _EXACT if np.isinf(seconds) else _CLOSE
        for _ in range(_ROUNDS):
            pressure = Pressure(here.wait, here.dropped, stretch, here.answered)
            answers, calls = respond(graph, given, here.answers, pressure)
            arrivals, rates, published, takes = self._passed_on(given, here.arrivals, answers, calls, wave, seconds)
            held = answers.times[1].sum(-1)
            usage = self._pods.usage(given, arrivals, held, here.dropped, carried.waiting, seconds)
            wanted = self._rejections.wanted(given, rates)
            answered = self._rejections.answered(wanted, carried.rejections, seconds)
            there = Point(answers, arrivals, usage.wait, usage.dropped, answered)
            distance = here.distance(there)
            if distance < tolerance:
                here = there
                break
            vector = there.vector()
            here = there.moved(acceleration.follow(here.vector(), vector, there.weights()))
        settled = distance < 10 * _CLOSE
        return Solution(given, answers, calls, arrivals, rates, usage, wanted, here.answered, published, takes, settled)

    def _passed_on(
        self, given: Conditions, arrivals: Array, answers: Answers, calls: Calls, wave: Array, seconds: float
    ) -> tuple[Array, Array, Array, Array]:
        """Requests and messages, from those who make them down to the last callee."""
        topics, lag = self._topics, self.carried.lag
        own = self._demand.own(given, answers, self.carried.users, wave)
        alone = own[:, topics.routes]
        takes = topics.takes(given, answers, calls)
        for _ in range(self.graph.depth + 1):
            published = topics.published(arrivals, answers)
            own[:, topics.routes] = alone + np.minimum(published + lag / seconds, takes)
            before, (arrivals, rates) = arrivals, self._demand.arrivals(given, own, calls, arrivals)
            if (arrivals == before).all():
                break
        return arrivals, rates, published, takes

    def _start(self, given: Conditions, ticks: int) -> Point:
        """Where the rounds begin: at the end of the last solution, if the outcomes mean the same."""
        last = self._last
        calls, services = len(self.graph.call_to), len(self.graph.services)
        if last is None or last.given.outcomes != given.outcomes:
            answers = idle_answers(self.graph, given.size, ticks)
            arrivals = np.zeros((ticks, len(self.graph.routes)))
            return Point(
                answers, arrivals, np.zeros((ticks, services)), np.zeros((ticks, services)), np.ones((ticks, calls))
            )
        answers = Answers(
            np.repeat(last.answers.times[:, -1:], ticks, axis=1),
            np.repeat(last.answers.slow[-1:], ticks, axis=0),
            np.repeat(last.answers.degraded[-1:], ticks, axis=0),
        )
        arrivals, wait, dropped = (
            np.repeat(values[-1:], ticks, axis=0) for values in (last.arrivals, last.usage.wait, last.usage.dropped)
        )
        return Point(answers, arrivals, wait, dropped, np.repeat(last.answered[-1:], ticks, axis=0))

    def _flow(self, state: State, solution: Solution, first: int, lag: Array) -> Flow:
        usage = solution.usage
        self._last = solution
        self.carried.rejections = self._rejections.left(solution.rejections, self.carried.rejections, self.seconds)
        attempts, kept, late = by_site(self.graph, solution.calls, solution.rates)
        waiting_for = np.zeros_like(solution.arrivals)
        waiting_for[:, self._topics.routes] = lag
        return Flow(
            graph=self.graph,
            first=first,
            seconds=self.seconds,
            state=state,
            given=solution.given,
            arrivals=solution.arrivals,
            answers=solution.answers,
            attempts=attempts,
            kept=kept,
            late=late,
            utilisation=usage.rho.max(0),
            cores=usage.cores,
            waiting=usage.waiting.sum(0),
            wait=usage.wait,
            dropped=usage.dropped,
            answered=solution.answered,
            in_service=usage.in_service,
            lag=waiting_for,
        )
