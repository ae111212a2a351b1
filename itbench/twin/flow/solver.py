"""Solve the flow of requests, tick by tick where it must be, for many ticks at once where it can be.

What acts with delay is carried from tick to tick: the requests that wait, the messages in topics, the users who have
arrived, the patience of the kernel. While nothing of that moves, the load alone does, and that slowly: every tick of a
state then lies between two that are solved.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from itbench.twin.flow.conditions import Conditions, conditions
from itbench.twin.flow.flow import Flow, by_site
from itbench.twin.flow.graph import Graph
from itbench.twin.flow.moments import Array
from itbench.twin.flow.pressure import REJECTIONS_A_SECOND
from itbench.twin.flow.rounds import Carried, Rounds
from itbench.twin.flow.solution import FULL, Solution
from itbench.twin.flow.state import State

# Ticks between the points that are solved while everything is at rest.
_KNOT = 60
# How much of what is carried may change from one tick to the next, where queues are said to have come to rest; and how
# often a tick is solved to find that place.
_STILL = 1e-3
_REPEATS = 4
# How far queues may be from where they come to rest, to be said to be there.
_NEAR = 1e-2
# Ticks after which this is tried again.
_PATIENCE = 12


@dataclass(frozen=True, slots=True, eq=False)
class _Reading:
    """A state's conditions while no queue is worth a name, and the stationary solutions of their numbers, by tick."""

    state: State
    given: Conditions
    solutions: dict[int, Solution]


@dataclass(frozen=True, slots=True, eq=False)
class _Leap:
    """Two ticks of a state, `begin` and `end`, between which queues move no more than the load makes them."""

    state: State
    begin: int
    end: int
    low: Solution
    high: Solution


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
        self._rounds = Rounds(graph, seconds, midnight)
        self._generator = graph.service_index(graph.application.load.service)
        self._users = graph.application.load.users or 0.0
        self._last: Solution | None = None
        self._busy = False
        self._knots: dict[tuple[bytes, ...], dict[int, Solution]] = {}
        self._reading: _Reading | None = None
        self._leap: _Leap | None = None
        self._stepped: State | None = None
        self._patient_until = 0
        self.carried = self._rounds.nothing(self._users)

    def solve(self, state: State, first: int, ticks: int) -> Iterator[Flow]:
        """The flow of `ticks` ticks from tick `first` on, under one state, in blocks."""
        done = 0
        while done < ticks:
            now, left = first + done, ticks - done
            flow = self._at_rest(state, now, left) or self._steady(state, now, left) or self._step(state, now)
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
        self.carried = replace(
            carried, waiting=solution.usage.waiting[:, -1], rejections=self._patience_left(solution, carried)
        )
        return self._flow(state, solution, first, np.zeros_like(solution.published))

    def _knot(self, state: State, number: int) -> Solution:
        """The stationary solution of one tick; every tick has the same where the load has no wave."""
        if self.graph.application.load.daily.amplitude == 0:
            number = 0
        reading = self._read(state)
        known = reading.solutions
        if number not in known:
            self._last = known[number] = self._rounds.solve(reading.given, number, self.carried, self._last, rest=True)
            for solutions in self._knots.values():  # time does not go back
                for tick in [tick for tick in solutions if tick <= number - 3 * _KNOT]:
                    del solutions[tick]
        return replace(known[number], given=reading.given)

    def _read(self, state: State) -> _Reading:
        """The conditions of a state, and what is known of them.

        Pods that crash again and again, or experiments that are repeated under new names, bring back the same few.
        """
        if self._reading is None or self._reading.state != state:
            given = conditions(self.graph, state)
            self._knots = {numbers: known for numbers, known in self._knots.items() if known}
            self._reading = _Reading(state, given, self._knots.setdefault(given.numbers(), {}))
        return self._reading

    def _steady(self, state: State, first: int, ticks: int) -> Flow | None:
        """Many ticks at once, if there are queues but they have come to rest."""
        leap = self._leap
        if leap is not None and leap.state == state and first > leap.end:
            leap = self._leap_from(state, leap.end, leap.high)
        elif leap is not None and leap.state != state:
            leap = None
        self._leap = leap
        if leap is None:
            return None
        ticks = min(ticks, leap.end + 1 - first)
        solution = leap.low.between(leap.high, (first - leap.begin + np.arange(ticks)) / (leap.end - leap.begin))
        lag = self.carried.lag + np.cumsum(self.seconds * (solution.published - solution.takes), axis=0)
        lag = np.maximum(lag, 0.0)
        self.carried = replace(
            self.carried,
            waiting=solution.usage.waiting[:, -1],
            rejections=self._patience_left(solution, self.carried),
            lag=lag[-1],
        )
        if first + ticks > leap.end:
            self._busy = self._is_busy(leap.high, self.carried)
        return self._flow(state, solution, first, lag)

    def _leap_from(self, state: State, begin: int, low: Solution) -> _Leap | None:
        """From a tick that has been solved to the next knot, if what is carried is at rest at both."""
        end = (begin // _KNOT + 1) * _KNOT
        overloaded = low.usage.rho.max() > FULL or low.usage.dropped.max() > 0.0
        found = self._overloaded(state, low, end) if overloaded else self._standing(state, begin, low, end)
        if found is None:
            return None
        growth = np.stack([solution.published - solution.takes for solution in found])[:, 0]
        waits = self.carried.lag > 0.0
        known = np.where(waits, (growth >= 0.0).all(0), (growth > 0.0).all(0) | (growth <= 0.0).all(0))
        return _Leap(state, begin, end, *found) if known.all() else None

    def _standing(self, state: State, begin: int, low: Solution, end: int) -> tuple[Solution, Solution] | None:
        """The stationary solutions of two ticks, if queues are as long now as they say."""
        carried = self.carried
        given = self._given(state, carried)
        here = self._rounds.solve(given, begin, carried, low, rest=True)
        away = np.abs(here.usage.waiting[:, 0] - carried.waiting) / (1.0 + carried.waiting)
        drained = (here.rejections <= REJECTIONS_A_SECOND) | (carried.rejections <= 0.0)
        if not here.settled or away.max(initial=0.0) > _NEAR or not drained.all():
            return None
        there = self._rounds.solve(given, end, carried, here, rest=True)
        return (here, there) if there.settled else None

    def _overloaded(self, state: State, low: Solution, end: int) -> tuple[Solution, Solution] | None:
        """A tick that has been solved and a later one, if queues soon come to rest there: they are as full as they get."""
        carried = self.carried
        given = self._given(state, carried)
        if given.outcomes != low.given.outcomes:
            return None
        high, before = low, np.inf
        for _ in range(_REPEATS):
            high = self._rounds.solve(given, end, carried, high)
            after = replace(self._after(high, carried), lag=carried.lag)
            change, carried = carried.change(after), after
            if change < _STILL:
                return low, high
            if change > 0.5 * before:
                return None
            before = change
        return None

    def _step(self, state: State, first: int) -> Flow:
        """One tick, from what the last one left."""
        carried = self.carried
        solution = self._rounds.solve(self._given(state, carried), first, carried, self._last)
        self._busy = self._is_busy(solution, carried)
        self.carried = self._after(solution, carried)
        flow = self._flow(state, solution, first, self.carried.lag[None])
        still = carried.change(self.carried) < _STILL and carried.users == self.carried.users  # nobody arrives in a leap
        if self._stepped == state and first >= self._patient_until and still:
            self._leap = self._leap_from(state, first, solution)
            self._patient_until = first + _PATIENCE
        self._stepped = state
        return flow

    def _given(self, state: State, carried: Carried) -> Conditions:
        """The conditions; where requests wait, waiting too long is an outcome of its own."""
        queues = zip(self.graph.services, carried.waiting.max(0), strict=True)
        return conditions(self.graph, state, [name for name, queue in queues if queue > 0.1])

    def _is_busy(self, solution: Solution, carried: Carried) -> bool:
        return bool(solution.busy or carried.waiting.max(initial=0.0) > 1.0)

    def _after(self, solution: Solution, carried: Carried) -> Carried:
        """What a tick leaves to the next."""
        running = solution.given.running[self._generator] > 0
        arrived = carried.users + self.seconds * self.graph.application.load.spawn_rate
        return Carried(
            waiting=solution.usage.waiting[:, 0],
            rejections=self._patience_left(solution, carried),
            lag=np.maximum(carried.lag + self.seconds * (solution.published - solution.takes)[0], 0.0),
            users=min(self._users, arrived) if running else 0.0,
        )

    def _patience_left(self, solution: Solution, carried: Carried) -> Array:
        return self._rounds.rejections.left(solution.rejections, carried.rejections, self.seconds)

    def _flow(self, state: State, solution: Solution, first: int, lag: Array) -> Flow:
        usage = solution.usage
        attempts, kept, late = by_site(self.graph, solution.calls, solution.rates)
        waiting_for = np.zeros_like(solution.arrivals)
        waiting_for[:, self._rounds.topics.routes] = lag
        self._last = solution.last()
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
