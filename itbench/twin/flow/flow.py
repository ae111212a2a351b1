"""The solved flow of a stretch of time."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from itbench.twin.flow.conditions import SUCCESS, Conditions, Outcome
from itbench.twin.flow.graph import Graph
from itbench.twin.flow.moments import Array, quantiles
from itbench.twin.flow.response import Answers, Calls
from itbench.twin.flow.state import Kind, State


@dataclass(frozen=True, slots=True, eq=False)
class Flow:
    """What flows during some ticks under one state. Axes: tick (t), service (s), route (r), site (c), outcome (o).

    Attributes:
        first: number of its first tick.
        seconds: length of a tick.
        state: the one under which it flows.
        given: its arrays; `outcomes` names what o means.
        arrivals: (t, r) requests a second that a worker takes up.
        answers: what becomes of them.
        attempts: (t, c) calls a second, by call site.
        kept: (3, t, c, o) what becomes of an attempt: time until its answer or error.
        late: (t, c, o) share of the attempts that is given up at the time-out.
        utilisation: (t, s) of the scarcer of processor and workers.
        cores: (t, s) processor used by a pod.
        waiting: (t, s) requests that wait for a pod's worker.
        wait: (t, s) mean seconds that a request waits.
        dropped: (t, s) share of the arrivals for which there was no room.
        answered: (t, call) share of the connections without endpoint that are refused rather than ignored.
        in_service: (t, s) requests that a pod works on.
        lag: (t, r) messages that wait to be consumed by a route.
    """

    graph: Graph
    first: int
    seconds: float
    state: State
    given: Conditions
    arrivals: Array
    answers: Answers
    attempts: Array
    kept: Array
    late: Array
    utilisation: Array
    cores: Array
    waiting: Array
    wait: Array
    dropped: Array
    answered: Array
    in_service: Array
    lag: Array

    def __len__(self) -> int:
        """How many ticks."""
        return len(self.arrivals)

    def part(self, begin: int, end: int) -> Flow:
        """Its ticks from `begin` on and before `end`, counted from its own first."""
        block = slice(begin, end)
        return replace(
            self,
            first=self.first + begin,
            arrivals=self.arrivals[block],
            answers=Answers(self.answers.times[:, block], self.answers.slow[block], self.answers.degraded[block]),
            attempts=self.attempts[block],
            kept=self.kept[:, block],
            late=self.late[block],
            utilisation=self.utilisation[block],
            cores=self.cores[block],
            waiting=self.waiting[block],
            wait=self.wait[block],
            dropped=self.dropped[block],
            answered=self.answered[block],
            in_service=self.in_service[block],
            lag=self.lag[block],
        )

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """What the outcomes from number 1 on mean; 0 is success."""
        return self.given.outcomes

    def failures(self) -> Array:
        """(t, r) share of the requests to each route that fail."""
        return np.asarray(self.answers.times[0, ..., SUCCESS + 1 :].sum(-1), dtype=np.float64)

    def call_failures(self) -> Array:
        """(t, c) share of the attempts at each call site that fail."""
        return np.asarray(self.kept[0, ..., SUCCESS + 1 :].sum(-1) + self.late.sum(-1), dtype=np.float64)

    def kind(self, site: int, outcome: int) -> Kind:
        """How an outcome that is not late shows at a call site: as itself where it arises, as an answer further up."""
        call = int(np.flatnonzero(self.graph.call_site == site)[0])
        kind = int(self.given.call_kind[call, outcome])
        if kind < 0 and self.given.route_failures[self.graph.call_to[call], outcome] > 0:
            return self.outcomes[outcome - 1].kind
        return Kind(kind) if kind >= 0 else Kind.STATUS

    def latency(self, tick: int, levels: tuple[float, ...] = (0.5, 0.95)) -> Array:
        """Quantiles (r, levels) of the time that requests take at each route, failed ones included; seconds."""
        times = self.answers.times[:, tick]
        none = np.zeros(times.shape[1:])
        return quantiles(times, none, np.ones(len(self.graph.routes)), np.array(levels))

    def call_latency(self, tick: int, levels: tuple[float, ...] = (0.5, 0.95)) -> Array:
        """Quantiles (c, levels) of the time that attempts take at each call site; seconds."""
        limits = np.array([site.call.timeout for site in self.graph.sites])
        return quantiles(self.kept[:, tick], self.late[tick], limits, np.array(levels))


def by_site(graph: Graph, calls: Calls, rates: Array) -> tuple[Array, Array, Array]:
    """Attempts (t, c), kept (3, t, c, o) and late (t, c, o) by call site; repeated calls are averaged.

    Args:
        graph: of the application.
        calls: of single calls.
        rates: (t, call) attempts a second.
    """
    sites = len(graph.sites)
    if sites == len(graph.call_site):
        return rates, calls.kept, calls.late
    belongs = np.zeros((len(graph.call_site), sites))
    belongs[np.arange(len(graph.call_site)), graph.call_site] = 1.0
    weights = rates + 1e-12
    total = weights @ belongs
    kept = belongs.T @ (calls.kept * weights[..., None]) / total[..., None]
    late = belongs.T @ (calls.late * weights[..., None]) / total[..., None]
    return rates @ belongs, kept, late
