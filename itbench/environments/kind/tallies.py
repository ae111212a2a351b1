"""Requests to each service as their callers saw them: how many, how many failed, and how long they took.

The collector counts the spans of callers by caller and name; whom they called, the application file says. A mesh names it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from itbench.environments.kind.collector import CALLS, MESH_CALLS, samples_of
from itbench.twin.app.application import Application
from itbench.twin.flow.graph import compile_graph
from itbench.twin.telemetry.semantics import Semantics

PIECE = 10.0
"""Seconds of requests that are looked at together."""

_TIMES = ("traces_span_metrics_duration_milliseconds_bucket", "istio_request_duration_milliseconds_bucket")


class Callees(NamedTuple):
    """Who calls whom.

    Attributes:
        by_span: the service that is called, by the caller and the name of its span.
        callers: the services that call a service, by its name.
    """

    by_span: Mapping[tuple[str, str], str]
    callers: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, application: Application) -> Callees:
        """Those of an application."""
        graph = compile_graph(application)
        semantics = Semantics(graph)
        by_span: dict[tuple[str, str], str] = {}
        callers: dict[str, set[str]] = defaultdict(set)
        for site, operation in zip(graph.sites, semantics.sites, strict=True):
            caller, callee = site.caller.service, site.callee.service
            callers[callee].add(caller)
            if operation is not None:
                by_span[operation.service, operation.name] = callee
        return cls(by_span, {callee: frozenset(found) for callee, found in callers.items()})

    def upstream(self, services: Sequence[str]) -> frozenset[str]:
        """These services, those that call them, those that call these, and so on."""
        found: set[str] = set()
        waiting = list(services)
        while waiting:
            service = waiting.pop()
            if service not in found:
                found.add(service)
                waiting += self.callers.get(service, ())
        return frozenset(found)


@dataclass(frozen=True, slots=True)
class Tally:
    """Requests to one service.

    Attributes:
        made: how many.
        failed: how many of them failed.
        within: how many took at most so many milliseconds, by that bound.
    """

    made: float = 0.0
    failed: float = 0.0
    within: Mapping[float, float] = field(default_factory=dict)

    def __add__(self, other: Tally) -> Tally:
        bounds = {*self.within, *other.within}
        return Tally(
            self.made + other.made,
            self.failed + other.failed,
            {bound: self.within.get(bound, 0.0) + other.within.get(bound, 0.0) for bound in bounds},
        )

    def since(self, before: Tally) -> Tally:
        """What came after `before`; all of it if the counters have begun anew meanwhile."""
        if before.made > self.made:
            return self
        within = {bound: count - before.within.get(bound, 0.0) for bound, count in self.within.items()}
        return Tally(self.made - before.made, self.failed - before.failed, within)

    def slower(self, bound: float) -> float:
        """How many took longer than a bound that there is."""
        return max(self.made - self.within.get(bound, self.made), 0.0)


Tallies = Mapping[str, Tally]
"""By the service that is called."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What had been counted at a moment, `seconds` of `time.monotonic`."""

    seconds: float
    counted: Tallies


def tallies(text: str, callees: Callees) -> dict[str, Tally]:
    """What a collector has counted since it began, from its metrics in Prometheus' text format."""
    found: dict[str, Tally] = defaultdict(Tally)
    for sample in samples_of(text, CALLS, MESH_CALLS, *_TIMES):
        labels = sample.labels
        callee = labels.get("destination_workload") or callees.by_span.get(
            (labels.get("service_name", ""), labels.get("span_name", ""))
        )
        if callee is None or labels.get("span_kind", "SPAN_KIND_CLIENT") not in ("SPAN_KIND_CLIENT", "SPAN_KIND_PRODUCER"):
            continue
        if sample.name in _TIMES:
            found[callee] += Tally(within={float(labels["le"]): sample.value})
        else:
            found[callee] += Tally(sample.value, sample.value if sample.failed else 0.0)
    return dict(found)


def between(before: Tallies, now: Tallies) -> dict[str, Tally]:
    """What was counted between two moments."""
    return {service: tally.since(before.get(service, Tally())) for service, tally in now.items()}


def together(parts: Sequence[Tallies]) -> dict[str, Tally]:
    """The sum of several stretches of time."""
    found: dict[str, Tally] = defaultdict(Tally)
    for part in parts:
        for service, tally in part.items():
            found[service] += tally
    return dict(found)
