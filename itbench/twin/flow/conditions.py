"""A `State` as arrays over the calls and routes of a graph, with numbers for what can come of a request."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from itbench.twin.flow.graph import Graph, Indices
from itbench.twin.flow.moments import Array
from itbench.twin.flow.state import Cause, Kind, LinkState, Loss, State

SUCCESS = 0
CHANCE = 1
_FIRST_CAUSE = 2

# A SYN without an answer is sent again after 1, 3, 7 … seconds; data after about 0.2 s.
SYN_TIMES = 2.0 ** np.arange(12) - 1
_DATA_RETRY = 0.2


@dataclass(frozen=True, slots=True)
class Outcome:
    """What can come of a request, besides success.

    Attributes:
        cause: None where a request took too long by mere chance.
        kind: how it shows at the call where it arises.
    """

    cause: Cause | None
    kind: Kind


class Outcomes:
    """Numbers the outcomes that a state makes possible. 0 is success, 1 is lateness by chance."""

    def __init__(self) -> None:
        self._known: dict[Outcome, int] = {Outcome(None, Kind.TIMEOUT): CHANCE}

    def index(self, cause: Cause, kind: Kind = Kind.TIMEOUT) -> int:
        """The number of an outcome, a new one if need be."""
        return self._known.setdefault(Outcome(cause, kind), len(self._known) + 1)

    def __len__(self) -> int:
        return len(self._known) + 1

    def listed(self) -> tuple[Outcome, ...]:
        """The outcomes from number 1 on."""
        return tuple(self._known)


@dataclass(frozen=True, slots=True, eq=False)
class Conditions:
    """Arrays over services (s), routes (r) and calls (c); o numbers outcomes.

    Attributes:
        outcomes: from number 1 on.
        overload: the outcome of waiting too long for a service (s); `CHANCE` where waiting is not worth a name.
        call_probability: (c) that the call is made and goes to this callee.
        call_delivered: (c) share of its connections that reach a pod.
        call_failures, call_late: (3, c, o) and (c, o): what does not, known in time and too late.
        call_kind: (c, o) how an outcome shows at the call where it arises; -1 elsewhere.
        call_delay, call_delay_variance, call_slow: (c), (c), (c, o): time that the way takes more, by outcome.
        rejected: (c) share of connections for which there is no endpoint; `rejected_*`: the outcomes of those.
        route_traffic: (r) how many times each request is made.
        route_failures: (r, o) of a route's own work; `route_kind` (r, o) as for calls.
        route_delay, route_delay_variance, route_slow: as for calls.
    """

    outcomes: tuple[Outcome, ...]
    running: Array
    serving: Array
    cores: Array
    overload: Indices
    call_probability: Array
    call_delivered: Array
    call_failures: Array
    call_late: Array
    call_kind: NDArray[np.int8]
    call_delay: Array
    call_delay_variance: Array
    call_slow: Array
    rejected: Array
    rejected_round_trip: Array
    rejected_refused: Indices
    rejected_late: Indices
    route_cpu: Array
    route_traffic: Array
    route_failures: Array
    route_delay: Array
    route_delay_variance: Array
    route_slow: Array

    @property
    def size(self) -> int:
        """How many outcomes there are, success among them."""
        return len(self.outcomes) + 1

    def numbers(self) -> tuple[bytes, ...]:
        """All of it but what the outcomes are called: conditions with equal numbers have equal solutions."""
        values = (getattr(self, item.name) for item in fields(self) if item.name != "outcomes")
        return tuple(value.tobytes() for value in values)


def conditions(graph: Graph, state: State, overloaded: Iterable[str] = ()) -> Conditions:
    """The arrays of a state.

    Args:
        graph: of the application.
        state: in the graph's order.
        overloaded: services for which waiting too long is an outcome of its own.
    """
    numbered = _number(state, overloaded)
    calls = _Calls(graph, state, numbered)
    routes = _Routes(state, numbered)
    busy = [max(service.cores - service.busy, 0.01 * service.cores) for service in state.services]
    overload = [numbered.index(overload_of(name)) if name in set(overloaded) else CHANCE for name in graph.services]
    return Conditions(
        outcomes=numbered.listed(),
        running=np.array([service.running for service in state.services]),
        serving=np.array([service.serving for service in state.services]),
        cores=np.array(busy),
        overload=np.array(overload, dtype=np.intp),
        call_probability=graph.call_probability * np.array([state.links[link].balance for link in graph.call_link]),
        call_delivered=calls.delivered,
        call_failures=calls.failures,
        call_late=calls.late,
        call_kind=calls.kind,
        call_delay=calls.delay,
        call_delay_variance=calls.variance,
        call_slow=calls.slow,
        rejected=calls.rejected,
        rejected_round_trip=calls.round_trip,
        rejected_refused=calls.refused,
        rejected_late=calls.ignored,
        route_cpu=np.maximum(graph.route_cpu + np.array([route.cpu for route in state.routes]), 0.0),
        route_traffic=np.array([route.traffic for route in state.routes]),
        route_failures=routes.failures,
        route_delay=np.maximum(routes.delay, -0.999 * graph.route_mean),
        route_delay_variance=routes.variance,
        route_slow=routes.slow,
    )


def overload_of(service: str) -> Cause:
    """The cause of requests that wait too long for a service because it has too much to do."""
    return Cause("overload", service)


def _number(state: State, overloaded: Iterable[str]) -> Outcomes:
    numbered = Outcomes()
    for link in state.links:
        for failure in link.failures:
            numbered.index(failure.cause, failure.kind)
        if link.rejected is not None:
            numbered.index(link.rejected.cause, Kind.REFUSED)
            numbered.index(link.rejected.cause, Kind.TIMEOUT)
        for delay in link.delays:
            numbered.index(delay.cause)
        if link.loss is not None:
            numbered.index(link.loss.cause)
    for route in state.routes:
        for failure in route.failures:
            numbered.index(failure.cause, failure.kind)
        for delay in route.delays:
            numbered.index(delay.cause)
    for name in overloaded:
        numbered.index(overload_of(name))
    return numbered


class _Routes:
    """The parts of a state that concern the own work of routes."""

    def __init__(self, state: State, numbered: Outcomes) -> None:
        shape = (len(state.routes), len(numbered))
        self.failures = np.zeros(shape)
        self.slow = np.zeros(shape)
        self.delay = np.zeros(shape[0])
        self.variance = np.zeros(shape[0])
        for index, route in enumerate(state.routes):
            left = 1.0
            for failure in route.failures:
                self.failures[index, numbered.index(failure.cause, failure.kind)] += left * failure.share
                left *= 1 - failure.share
            for delay in route.delays:
                self.delay[index] += delay.seconds
                self.variance[index] += delay.jitter**2
                self.slow[index, numbered.index(delay.cause)] += max(delay.seconds, 0.0)


class _Calls:
    """The parts of a state that concern the way of calls."""

    def __init__(self, graph: Graph, state: State, numbered: Outcomes) -> None:
        count, size = len(graph.call_link), len(numbered)
        self.delivered = np.ones(count)
        self.failures = np.zeros((3, count, size))
        self.late = np.zeros((count, size))
        self.kind = np.full((count, size), -1, dtype=np.int8)
        self.delay = np.zeros(count)
        self.variance = np.zeros(count)
        self.slow = np.zeros((count, size))
        self.rejected = np.zeros(count)
        self.round_trip = np.zeros(count)
        self.refused = np.zeros(count, dtype=np.intp)
        self.ignored = np.zeros(count, dtype=np.intp)
        self._numbered = numbered
        for call, link in enumerate(graph.call_link):
            self._add(call, state.links[link], float(graph.call_limit[call]))

    def _add(self, call: int, link: LinkState, limit: float) -> None:
        for failure in link.failures:
            outcome = self._numbered.index(failure.cause, failure.kind)
            self.delivered[call] -= failure.share
            self.kind[call, outcome] = failure.kind
            if failure.bounded and failure.seconds >= limit:
                self.late[call, outcome] += failure.share
            else:
                self.failures[:, call, outcome] += failure.share * np.array((1, failure.seconds, failure.seconds**2))
        if link.rejected is not None:
            self.rejected[call] = link.rejected.share
            self.round_trip[call] = link.rejected.seconds
            self.delivered[call] -= link.rejected.share
            self.refused[call] = self._numbered.index(link.rejected.cause, Kind.REFUSED)
            self.ignored[call] = self._numbered.index(link.rejected.cause, Kind.TIMEOUT)
            self.kind[call, self.refused[call]] = Kind.REFUSED
            self.kind[call, self.ignored[call]] = Kind.TIMEOUT
        self.delivered[call] = max(self.delivered[call], 0.0)
        for delay in link.delays:
            self._slow(call, delay.seconds, delay.jitter**2, delay.cause)
        if link.loss is not None:
            self._lose(call, link.loss, limit)

    def _slow(self, call: int, seconds: float, variance: float, cause: Cause) -> None:
        self.delay[call] += seconds
        self.variance[call] += variance
        self.slow[call, self._numbered.index(cause)] += seconds

    def _lose(self, call: int, loss: Loss, limit: float) -> None:
        """Each lost packet is sent again, until the caller has no more patience."""
        times = SYN_TIMES[limit > SYN_TIMES]
        first = (1 - loss.share) * loss.share ** np.arange(len(times))
        lost = self.delivered[call] * loss.share ** len(times)
        outcome = self._numbered.index(loss.cause)
        self.late[call, outcome] += lost
        self.kind[call, outcome] = Kind.TIMEOUT
        self.delivered[call] -= lost
        if self.delivered[call] > 0:
            first /= first.sum()
            mean = float(first @ times) + _DATA_RETRY * loss.share / (1 - loss.share)
            square = float(first @ times**2) + 2 * _DATA_RETRY**2 * loss.share / (1 - loss.share) ** 2
            self._slow(call, mean, max(square - mean**2, 0.0), loss.cause)


def rejection_times(limit: float) -> Array:
    """The moments at which a caller with a time-out of `limit` seconds asks for a connection, the first at 0."""
    return np.asarray(SYN_TIMES[limit > SYN_TIMES], dtype=np.float64)
