"""One tick, solved: rounds of demand and response until nothing changes any more.

Within a tick everything that acts without delay is a fixed point: demand makes load, load makes waiting, waiting makes
time-outs, and those make retries or spare the services behind.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from itbench.twin.flow.acceleration import Acceleration
from itbench.twin.flow.conditions import SUCCESS, Conditions
from itbench.twin.flow.demand import Demand, daily_wave
from itbench.twin.flow.graph import Graph
from itbench.twin.flow.moments import Array
from itbench.twin.flow.pressure import REJECTIONS_SAVED, Pods, Rejections
from itbench.twin.flow.response import Answers, Calls, Pressure, idle_answers, respond
from itbench.twin.flow.solution import FULL, Point, Solution
from itbench.twin.flow.topics import Topics

_ROUNDS = 80
# A pod that still has more to do than it can after so many rounds does not come to rest.
_HOPELESS = 24
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

    def change(self, other: Carried) -> float:
        """The largest change from here, the lag left out: of a unit where there is little, relative where there is much."""
        pairs = ((self.waiting, other.waiting), (self.rejections, other.rejections), (self.users, other.users))
        return max(float((np.abs(new - old) / (1.0 + np.abs(old))).max(initial=0.0)) for old, new in pairs)


class Rounds:
    """Solves ticks of an application.

    Args:
        graph: of the application.
        seconds: length of a tick.
        midnight: seconds from the midnight (UTC) before tick 0 to tick 0, for the daily pattern.

    Attributes:
        topics, rejections: its parts.
    """

    def __init__(self, graph: Graph, seconds: float, midnight: float) -> None:
        self.topics = Topics(graph)
        self.rejections = Rejections(graph)
        self._graph = graph
        self._seconds = seconds
        self._midnight = midnight
        self._demand = Demand(graph)
        self._pods = Pods(graph)

    def nothing(self, users: float) -> Carried:
        """What is carried at the very beginning."""
        services = len(self._graph.services)
        full = np.full(services, REJECTIONS_SAVED)
        return Carried(np.zeros((2, services)), full, np.zeros(len(self.topics.routes)), users)

    def solve(
        self, given: Conditions, tick: int, carried: Carried, last: Solution | None, *, rest: bool = False
    ) -> Solution:
        """The solution of one tick.

        Args:
            given: the conditions.
            tick: its number.
            carried: what the tick before left.
            last: a solution to begin from.
            rest: whether it is to last for ever; only the users count of what is carried then.
        """
        graph, seconds = self._graph, np.inf if rest else self._seconds
        here = self._start(given, last)
        stretch = self._pods.stretch(given)
        wave = daily_wave(graph.application.load, np.array([self._midnight + self._seconds * tick]))
        acceleration = Acceleration(_MEMORY, graph.depth)
        for turn in range(_ROUNDS):
            pressure = Pressure(here.wait, here.dropped, stretch, here.answered)
            answers, calls = respond(graph, given, here.answers, pressure)
            arrivals, rates, published, takes = self._passed_on(given, here.arrivals, answers, calls, carried, wave, seconds)
            held = answers.times[1].sum(-1)
            usage = self._pods.usage(given, arrivals, held, here.dropped, carried.waiting, seconds)
            wanted = self.rejections.wanted(given, rates)
            answered = self.rejections.answered(wanted, carried.rejections, seconds)
            there = Point(answers, arrivals, usage.wait, usage.dropped, answered)
            distance = here.distance(there)
            if distance < (_EXACT if rest else _CLOSE):
                break
            if rest and turn > _HOPELESS and usage.rho.max() > FULL:
                break
            here = there.moved(acceleration.follow(here.vector(), there.vector(), there.weights()))
        settled = distance < 10 * _CLOSE
        return Solution(given, answers, calls, arrivals, rates, usage, wanted, answered, published, takes, settled)

    def _passed_on(
        self,
        given: Conditions,
        arrivals: Array,
        answers: Answers,
        calls: Calls,
        carried: Carried,
        wave: Array,
        seconds: float,
    ) -> tuple[Array, Array, Array, Array]:
        """Requests and messages, from those who make them down to the last callee: arrivals, rates, published, takes."""
        topics = self.topics
        own = self._demand.own(given, answers, carried.users, wave)
        alone = own[:, topics.routes]
        takes = topics.takes(given, answers, calls)
        for _ in range(self._graph.depth + 1):
            published = topics.published(arrivals, answers)
            own[:, topics.routes] = alone + np.minimum(published + carried.lag / seconds, takes)
            before, (arrivals, rates) = arrivals, self._demand.arrivals(given, own, calls, arrivals)
            if (arrivals == before).all():
                break
        return arrivals, rates, published, takes

    def _start(self, given: Conditions, last: Solution | None) -> Point:
        """Where the rounds begin: at the end of the last solution, as far as its outcomes are still possible."""
        graph = self._graph
        answers = idle_answers(graph, given.size, 1)
        if last is None:
            services = np.zeros((1, len(graph.services)))
            return Point(answers, np.zeros((1, len(graph.routes))), services, services, np.ones((1, len(graph.call_to))))
        if last.given.outcomes == given.outcomes:
            answers = last.answers
        else:
            numbers = {outcome: number for number, outcome in enumerate(last.given.outcomes, 1)}
            pairs = [(SUCCESS, SUCCESS)]
            pairs += [(numbers[item], number) for number, item in enumerate(given.outcomes, 1) if item in numbers]
            old, new = (list(column) for column in zip(*pairs, strict=True))
            for mine, its in (
                (answers.times, last.answers.times),
                (answers.slow, last.answers.slow),
                (answers.degraded, last.answers.degraded),
            ):
                mine[..., new] = its[..., old]
        return Point(answers, last.arrivals, last.usage.wait, last.usage.dropped, last.answered)
