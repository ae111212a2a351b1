"""Sampled traces: requests walked through the solved flows, as the spans that the programs report."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import NamedTuple

from itbench.snapshot.records import Span
from itbench.twin.flow.conditions import SUCCESS
from itbench.twin.flow.flow import Flow
from itbench.twin.flow.walk import Attempt, Served, Walker
from itbench.twin.randomness import Streams
from itbench.twin.telemetry.counts import poisson
from itbench.twin.telemetry.pods import Roster
from itbench.twin.telemetry.semantics import Operation, Semantics
from itbench.twin.telemetry.traffic import Traffic
from itbench.twin.wording import call_error, request_error

CANCELLED = "context canceled"
"""What a program says whose caller gave up before it was done."""


@dataclass(frozen=True, slots=True)
class TraceSampling:
    """How many requests are traced: at most `each` of every kind that starts by itself, in every `every` ticks."""

    each: int
    every: int


class _Window(NamedTuple):
    """A stretch of time, in microseconds from the beginning."""

    begin: int
    end: int

    def clipped(self, start: float, seconds: float) -> _Window:
        """The part of another stretch that lies inside this one; empty where it begins too late."""
        begin, end = math.floor(start * 1e6), math.ceil((start + seconds) * 1e6)
        return _Window(max(begin, self.begin), min(end, self.end))


class Tracer:
    """Turns flows into spans.

    Args:
        traffic: the flows as one set of arrays.
        roster: which pods there are.
        streams: of the scenario's seed.
        begin: time of tick 0.
        sampling: how many.
    """

    def __init__(self, traffic: Traffic, roster: Roster, streams: Streams, begin: datetime, sampling: TraceSampling) -> None:
        graph = traffic.graph
        called = set(graph.call_to.tolist())
        self._origins = [route for route in range(len(graph.routes)) if route not in called]
        self._traffic = traffic
        self._semantics = Semantics(graph)
        self._roster = roster
        self._streams = streams
        self._begin = begin
        self._sampling = sampling

    def spans(self, flows: Iterable[Flow]) -> Iterator[Span]:
        """The spans of all sampled requests, trace by trace; a child lies inside its parent."""
        moments = {route: self._moments(route) for route in self._origins}
        for flow in flows:
            first = -(self._streams.skipped + flow.first) % self._sampling.every
            if first >= len(flow):
                continue
            prepared = Walker(flow, first)
            for index in range(first, len(flow), self._sampling.every):
                walker = prepared.at(index)
                tick = flow.first + index
                for route, starts in moments.items():
                    for number, start in enumerate(starts[tick]):
                        yield from self._trace(walker, flow, tick, route, number, start)

    def _moments(self, route: int) -> list[list[float]]:
        """When, within each tick, the sampled requests to a route begin (0 to 1)."""
        name, ticks = str(self._traffic.graph.routes[route]), len(self._traffic)
        arrivals = self._traffic.arrivals[:, route] * self._traffic.seconds
        counts = poisson(arrivals, self._streams.uniforms(name, "arrivals", 0, ticks)[:, 0])
        rows = self._streams.uniforms(name, "moments", 0, ticks, self._sampling.each)
        return [row[: int(count)] for row, count in zip(rows.tolist(), counts, strict=True)]

    def _trace(self, walker: Walker, flow: Flow, tick: int, route: int, number: int, start: float) -> Sequence[Span]:
        entity = f"{self._traffic.graph.routes[route]}#{number}"
        rng = self._streams.generator(entity, "request", tick)
        served = walker.request(route, (tick + start) * flow.seconds, rng)
        key = f"{self._streams.seed}\0{entity}\0{self._streams.skipped + tick}"
        identity = blake2b(key.encode(), digest_size=16).hexdigest()
        trace = _Trace(self._semantics, self._roster, flow, tick, identity, self._begin)
        begin = math.floor(served.start * 1e6)
        trace.request(served, "", _Window(begin, begin + math.ceil(served.seconds * 1e6)))
        return trace.spans


class _Trace:
    """The spans of one request, numbered as they come.

    Attributes:
        spans: so far.
    """

    def __init__(self, semantics: Semantics, roster: Roster, flow: Flow, tick: int, identity: str, begin: datetime) -> None:
        self._semantics = semantics
        self._roster = roster
        self._flow = flow
        self._tick = tick
        self._identity = identity
        self._begin = begin
        self.spans: list[Span] = []

    def request(self, served: Served, parent: str, around: _Window) -> None:
        """Add what the service that serves a request reports, and what follows from its calls."""
        window = around.clipped(served.start, served.seconds)
        operation = self._semantics.routes[served.route]
        if operation is not None:
            error = request_error(self._flow, served) if served.outcome != SUCCESS else None
            error = error or _cancelled(served, around)
            attributes = self._semantics.route_attributes(served.route, failed=error is not None)
            parent = self._add(operation, parent, window, error, attributes)
        for attempt in served.calls:
            if attempt.start * 1e6 < window.end:
                self._attempt(attempt, parent, window)

    def _attempt(self, attempt: Attempt, parent: str, around: _Window) -> None:
        window = around.clipped(attempt.start, attempt.seconds)
        operation = self._semantics.sites[attempt.site]
        if operation is not None:
            error = call_error(self._flow, attempt) if attempt.outcome != SUCCESS else None
            error = error or _cancelled(attempt, around)
            address = self._flow.state.links[self._flow.graph.sites[attempt.site].link].address
            attributes = self._semantics.site_attributes(attempt.site, address, failed=error is not None)
            parent = self._add(operation, parent, window, error, attributes)
        if attempt.served is not None and attempt.served.start * 1e6 < window.end:
            self.request(attempt.served, parent, window)

    def _add(self, operation: Operation, parent: str, window: _Window, error: str | None, attributes: dict[str, str]) -> str:
        """Add a span; gives its identity."""
        identity = blake2b(f"{self._identity}{len(self.spans) + 1}".encode(), digest_size=8).hexdigest()
        span = Span(
            time=self._begin + timedelta(microseconds=window.begin),
            trace_id=self._identity,
            span_id=identity,
            parent_span_id=parent,
            name=operation.name,
            service=operation.service,
            duration_ns=(window.end - window.begin) * 1000,
            kind=operation.kind,
            status="Unset" if error is None else "Error",
            status_message=error or "",
            resource=self._roster.pick(operation.service, self._tick, int(identity, 16) / 2**64),
            attributes=attributes,
        )
        self.spans.append(span)
        return identity


def _cancelled(work: Served | Attempt, around: _Window) -> str | None:
    """What becomes of work that would have gone on after its surroundings ended."""
    return CANCELLED if math.floor((work.start + work.seconds) * 1e6) > around.end else None
