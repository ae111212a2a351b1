"""What the programs log: the lines of their routes, and the errors that they meet, at the rates of the flows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import TypeAlias

import numpy as np

from itbench.snapshot.records import LogRecord, Span
from itbench.twin.app.routes import LogLine, RouteName, Severity
from itbench.twin.flow.conditions import SUCCESS
from itbench.twin.flow.flow import Flow
from itbench.twin.flow.moments import Array
from itbench.twin.randomness import Streams
from itbench.twin.telemetry.counts import poisson
from itbench.twin.telemetry.exemplars import Exemplars, TextAt
from itbench.twin.telemetry.placeholders import filled
from itbench.twin.telemetry.pods import Roster
from itbench.twin.telemetry.semantics import Operation, Semantics
from itbench.twin.telemetry.traffic import Traffic

SEVERITY_NUMBERS: Mapping[Severity, int] = {"DEBUG": 5, "INFO": 9, "WARN": 13, "ERROR": 17, "FATAL": 21}
_TROUBLE = SEVERITY_NUMBERS["WARN"]
_Traced: TypeAlias = dict[tuple[str, str, str, bool, int], list[Span]]
# Steps of this size spread moments evenly over a tick without a rhythm.
_GOLDEN = 0.6180339887498949


@dataclass(frozen=True, slots=True)
class LogSampling:
    """What share of the lines is kept: of those below WARN, and of the others."""

    ordinary: float
    trouble: float


@dataclass(frozen=True, slots=True)
class _Source:
    """One kind of line.

    Attributes:
        service, purpose: whose random numbers decide how many there are.
        rates: (t) lines a second.
        text: of the line, at a tick.
        operation: of the spans to which such lines belong; None where those are not reported.
    """

    service: str
    purpose: str
    severity: Severity
    rates: Array
    text: TextAt
    operation: Operation | None
    failed: bool

    @property
    def key(self) -> tuple[str, str, str, bool]:
        """Which spans these are: service, name, kind, fate; nothing where they are not reported."""
        if self.operation is None:
            return "", "", "", self.failed
        return self.operation.service, self.operation.name, self.operation.kind, self.failed


class Logger:
    """Turns flows into log records.

    Args:
        flows: consecutive ones from tick 0 on.
        traffic: the same as one set of arrays.
        roster: which pods there are.
        streams: of the scenario's seed.
        begin: time of tick 0.
        sampling: which share of the lines to keep.
    """

    def __init__(
        self,
        flows: Sequence[Flow],
        traffic: Traffic,
        roster: Roster,
        streams: Streams,
        begin: datetime,
        sampling: LogSampling,
    ) -> None:
        self._traffic = traffic
        self._exemplars = Exemplars(flows, traffic)
        self._semantics = Semantics(traffic.graph)
        self._roster = roster
        self._streams = streams
        self._begin = begin
        self._sampling = sampling

    def records(self, spans: Iterable[Span]) -> list[LogRecord]:
        """All lines in the order of time; some belong to the sampled traces."""
        traced = self._by_operation(spans)
        found = [
            record
            for source in (*self._lines(), *self._call_errors(), *self._own_errors())
            for record in self._records(source, traced)
        ]
        return sorted(found, key=lambda record: record.time)

    def _lines(self) -> Iterator[_Source]:
        """What routes write of requests, as the application file has it."""
        traffic = self._traffic
        succeeded = traffic.arrivals * traffic.answers[0, ..., SUCCESS]
        failed = np.maximum(traffic.arrivals - succeeded, 0.0)
        for route, name in enumerate(traffic.graph.routes):
            operation = self._semantics.routes[route]
            for number, line in enumerate(self._lines_of(name)):
                purpose, text = f"line {number} of {name}", line.text.replace("{route}", name.route)
                if line.on != "failure":
                    rates = succeeded[:, route] * line.share
                    yield _Source(name.service, purpose, line.severity, rates, _constant(text), operation, failed=False)
                if line.on != "success" and "{error}" not in text:
                    rates = failed[:, route] * line.share
                    purpose = f"{purpose} on failure"
                    yield _Source(name.service, purpose, line.severity, rates, _constant(text), operation, failed=True)
                elif line.on != "success":
                    shares = traffic.answers[0, :, route] * line.share
                    yield from self._errors(route, shares, line.severity, text, purpose)

    def _own_errors(self) -> Iterator[_Source]:
        """What services say of requests that they fail by themselves, where the application file has no line for it."""
        for route, name in enumerate(self._traffic.graph.routes):
            if not self._tells_failures(name):
                shares = self._traffic.own_failures[:, route]
                yield from self._errors(route, shares, "ERROR", "{error}", f"request {name}")

    def _errors(self, route: int, shares: Array, severity: Severity, text: str, purpose: str) -> Iterator[_Source]:
        """A line with the error, for requests to a route of which these shares (t, o) come to nothing."""
        service, operation = self._traffic.graph.routes[route].service, self._semantics.routes[route]
        for outcome in range(1, len(self._traffic.outcomes) + 1):
            rates = self._traffic.arrivals[:, route] * shares[:, outcome]
            if rates.any():
                error = self._exemplars.request_text(route, outcome)
                own = f"{purpose} {self._traffic.outcomes[outcome - 1]}"
                yield _Source(service, own, severity, rates, _within(text, error), operation, failed=True)

    def _call_errors(self) -> Iterator[_Source]:
        """What callers say of failed calls, where they do not tell of the failed request anyhow."""
        traffic = self._traffic
        for index, site in enumerate(traffic.graph.sites):
            required = site.call.criticality == "required"
            if required and self._tells_failures(site.caller):
                continue
            severity: Severity = "ERROR" if required else "WARN"
            operation = self._semantics.sites[index]
            for outcome in range(1, len(traffic.outcomes) + 1):
                for late, shares in ((False, traffic.kept[0]), (True, traffic.late)):
                    rates = traffic.attempts[:, index] * shares[:, index, outcome]
                    if rates.any():
                        purpose = f"call {site.callee} {index} {traffic.outcomes[outcome - 1]} {late}"
                        text = self._exemplars.call_text(index, outcome, late=late)
                        yield _Source(site.caller.service, purpose, severity, rates, text, operation, failed=True)

    def _lines_of(self, name: RouteName) -> tuple[LogLine, ...]:
        return self._traffic.graph.application.services[name.service].routes[name.route].logs

    def _tells_failures(self, name: RouteName) -> bool:
        return any(line.on != "success" for line in self._lines_of(name))

    def _records(self, source: _Source, traced: _Traced) -> Iterator[LogRecord]:
        number = SEVERITY_NUMBERS[source.severity]
        kept = self._sampling.trouble if number >= _TROUBLE else self._sampling.ordinary
        draws = self._streams.uniforms(source.service, source.purpose, 0, len(self._traffic), 2)
        counts = poisson(source.rates * kept * self._traffic.seconds, draws[:, 0]).astype(int)
        before = np.cumsum(counts) - counts
        for tick in np.flatnonzero(counts).tolist():
            spans = traced.get((*source.key, tick), ())
            text = source.text(tick)
            for turn in range(counts[tick]):
                if turn < len(spans):
                    span = spans[turn]
                    time = span.time + timedelta(microseconds=span.duration_ns // 1000)
                    trace, identity, resource = span.trace_id, span.span_id, span.resource
                else:
                    moment = (draws[tick, 1] + turn * _GOLDEN) % 1
                    time = self._begin + timedelta(seconds=(tick + moment) * self._traffic.seconds)
                    trace, identity = self._identities(source, tick, turn)
                    resource = self._roster.pick(source.service, tick, int(identity, 16) / 2**64)
                body = filled(text, trace, identity, before[tick] + turn + 1)
                yield LogRecord(time, body, source.service, source.severity, number, trace, identity, resource)

    def _identities(self, source: _Source, tick: int, turn: int) -> tuple[str, str]:
        """Trace and span of a request that was not sampled."""
        key = f"{self._streams.seed}\0{source.service}\0{source.purpose}\0{self._streams.skipped + tick}\0{turn}"
        digest = blake2b(key.encode(), digest_size=24).hexdigest()
        return digest[:32], digest[32:]

    def _by_operation(self, spans: Iterable[Span]) -> _Traced:
        traced: _Traced = defaultdict(list)
        for span in spans:
            tick = int((span.time - self._begin).total_seconds() / self._traffic.seconds)
            traced[span.service, span.name, span.kind, span.status == "Error", tick].append(span)
        return traced


def _constant(text: str) -> TextAt:
    return lambda _: text


def _within(template: str, error: TextAt) -> TextAt:
    return lambda tick: template.replace("{error}", error(tick))
