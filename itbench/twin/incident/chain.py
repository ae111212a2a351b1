"""How trouble spread: from the objects that were changed to the services that suffered, one immediate step at a time.

Nothing is inferred from names or timing alone. A step from a callee to its caller needs calls between them that fail or
slow down; a step from a caller to its callee needs calls that are missing or too many; a step from a root to a service
needs a cause, named by the solver, that arises there, or pods of it that suffer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from itbench.twin.flow.conditions import SUCCESS
from itbench.twin.flow.graph import Graph
from itbench.twin.flow.moments import Array
from itbench.twin.flow.state import Kind
from itbench.twin.incident.causes import Origin
from itbench.twin.incident.impacts import TRAFFIC, Flags, Impact, Thresholds, fewer, lasting, more, slow
from itbench.twin.incident.levels import Levels

Spread = Literal["errors", "latency", "starved", "surge"]


@dataclass(frozen=True, slots=True)
class Step:
    """That trouble at one service is the immediate cause of trouble at another.

    Attributes:
        spread: `errors` and `latency` go from a callee to its caller; `starved` and `surge` from a caller to its callee.
        kind: of the errors, as most calls see them.
        share: the largest share of the calls that fail; of `starved` and `surge` the rate's factor.
        onset: seconds from the beginning of the recording.
    """

    source: str
    target: str
    spread: Spread
    onset: float
    kind: Kind | None = None
    share: float = 0.0


@dataclass(frozen=True, slots=True)
class Chain:
    """The propagation graph.

    Attributes:
        first: for each root, by its place in the list of injections, the services where it acts.
        steps: between services; without cycles, in the order of distance from the roots.
    """

    first: Mapping[int, tuple[str, ...]]
    steps: tuple[Step, ...]

    @property
    def services(self) -> tuple[str, ...]:
        """Every service on it, nearest to the roots first."""
        seen = dict.fromkeys(name for names in self.first.values() for name in names)
        return tuple(seen | dict.fromkeys(step.target for step in self.steps))


@dataclass(frozen=True, slots=True)
class Root:
    """What one fault is known to have touched.

    Attributes:
        objects: (kind, name) of the objects that it changed or made, and of what those own.
        services: services of the application that these objects belong to.
        time: of the injection, seconds from the beginning of the recording.
    """

    objects: frozenset[tuple[str, str]]
    services: frozenset[str]
    time: float


def chain(
    healthy: Levels,
    faulted: Levels,
    found: Sequence[Impact],
    origins: Sequence[Origin],
    roots: Sequence[Root],
    limits: Thresholds | None = None,
) -> Chain:
    """The propagation graph of an incident.

    Args:
        healthy: levels of the world without the faults.
        faulted: levels of the world with them.
        found: the impacts.
        origins: where trouble arises.
        roots: of the faults, in the order of injection.
        limits: what counts.
    """
    suffering = {impact.service for impact in found}
    possible = [
        step
        for step in _steps(healthy, faulted, limits or Thresholds())
        if step.target in suffering and (step.source in suffering or any(step.source == item.service for item in origins))
    ]
    first = _first(found, origins, roots)
    steps, reached = _walk(possible, first)
    # Suffering that no step leads to, such as that of a service which nobody calls any more and nobody misses.
    left = [impact for impact in found if impact.service not in reached]
    headless = _headless(left, possible)
    while headless:
        for name in headless:
            owners = [index for index, root in enumerate(roots) if name in root.services] or list(range(len(roots)))
            for index in owners:
                first[index] = (*first[index], name)
        steps, reached = _walk(possible, first)
        left = [impact for impact in left if impact.service not in reached]
        headless = _headless(left, possible)
    return Chain(first, tuple(steps))


def _first(found: Iterable[Impact], origins: Iterable[Origin], roots: Sequence[Root]) -> dict[int, tuple[str, ...]]:
    """The services where each root acts: those of the causes that blame its objects, and those whose pods suffer."""
    places: dict[int, dict[str, None]] = {index: {} for index in range(len(roots))}
    for origin in origins:
        blamed = frozenset((ref.kind, ref.name) for ref in origin.cause.objects)
        for index in _owners(roots, blamed, origin.service, origin.towards, origin.onset):
            places[index][origin.service] = None
    for impact in found:
        if impact.aspect in TRAFFIC:
            continue
        for index, root in enumerate(roots):
            if impact.service in root.services:
                places[index][impact.service] = None
    return {index: tuple(names) for index, names in places.items()}


def _owners(
    roots: Sequence[Root], blamed: frozenset[tuple[str, str]], service: str, towards: str | None, onset: float
) -> list[int]:
    tests = (
        lambda root: bool(root.objects & blamed),
        lambda root: bool(root.services & {service, towards}),
        lambda root: root.time <= onset,
    )
    for test in tests:
        chosen = [index for index, root in enumerate(roots) if test(root)]
        if chosen:
            return chosen
    return list(range(len(roots)))


def _steps(healthy: Levels, faulted: Levels, limits: Thresholds) -> Iterator[Step]:
    """Every pair of services between which trouble can have passed, by the calls (and messages) between them."""
    graph, seconds = faulted.traffic.graph, faulted.seconds
    one, two = _Pairs(healthy, graph), _Pairs(faulted, graph)
    for number, (caller, callee) in enumerate(two.pairs):
        failing = two.failing[:, number]
        flags = lasting(failing - one.failing[:, number] >= limits.errors, seconds, limits)
        if flags.any():
            tick = int(flags.argmax())
            kind = two.kind(number, flags)
            yield Step(callee, caller, "errors", tick * seconds, kind, float(failing[flags].max()))
        else:
            flags = lasting(slow(one.latency[:, number], two.latency[:, number], limits), seconds, limits)
            if flags.any():
                yield Step(callee, caller, "latency", int(flags.argmax()) * seconds)
        yield from _rates(caller, callee, one.rate[:, number], two.rate[:, number], seconds, limits)
    yield from _messages(healthy, faulted, one, two, limits)


def _messages(healthy: Levels, faulted: Levels, one: _Pairs, two: _Pairs, limits: Thresholds) -> Iterator[Step]:
    """Who publishes less, or more, starves or floods those who consume; if nobody does, it is the broker."""
    graph = faulted.traffic.graph
    for route, name in enumerate(graph.routes):
        topic = graph.application.services[name.service].routes[name.route].consumes
        if topic is None:
            continue
        rates = healthy.traffic.arrivals[:, route], faulted.traffic.arrivals[:, route]
        publishers = [caller for caller, callee in two.pairs if callee == topic.service and caller != name.service]
        own = [(who, two.pairs.index((who, topic.service))) for who in publishers]
        changed = [
            who
            for who, number in own
            if any(_rates(who, topic.service, one.rate[:, number], two.rate[:, number], faulted.seconds, limits))
        ]
        for who in changed or [topic.service]:
            yield from _rates(who, name.service, *rates, faulted.seconds, limits)


def _rates(caller: str, callee: str, one: Array, two: Array, seconds: float, limits: Thresholds) -> Iterator[Step]:
    spreads: tuple[tuple[Spread, np.ndarray], ...] = (
        ("starved", fewer(one, two, limits)),
        ("surge", more(one, two, limits)),
    )
    for spread, flags in spreads:
        held = lasting(flags, seconds, limits)
        if held.any():
            share = float(two[held].mean() / max(one[held].mean(), 1e-9))
            yield Step(caller, callee, spread, int(held.argmax()) * seconds, None, share)


class _Pairs:
    """Calls by pair of services; axes tick (t), pair. `rate` is of those that get through to the callee."""

    def __init__(self, levels: Levels, graph: Graph) -> None:
        self._levels = levels
        self._sites: dict[tuple[str, str], list[int]] = defaultdict(list)
        for number, site in enumerate(graph.sites):
            if site.caller.service != site.callee.service:
                self._sites[site.caller.service, site.callee.service].append(number)
        self.pairs = tuple(self._sites)
        shape = len(levels), len(self.pairs)
        self.rate, self.failing, self.latency = np.zeros(shape), np.zeros(shape), np.zeros(shape)
        for number, sites in enumerate(self._sites.values()):
            rates = levels.calls[:, sites]
            total = np.maximum(rates.sum(1), 1e-12)
            lost = np.where(levels.traffic.shows[:, sites] >= 0, levels.call_outcomes[:, sites], 0.0)[..., SUCCESS + 1 :]
            self.rate[:, number] = (rates * (1 - lost.sum(-1))).sum(1)
            self.failing[:, number] = (rates * levels.call_outcomes[:, sites, SUCCESS + 1 :].sum(-1)).sum(1) / total
            self.latency[:, number] = (rates * levels.call_latency[:, sites]).sum(1) / total

    def kind(self, number: int, flags: Flags) -> Kind:
        """How most of the failing calls of a pair fail, in the chosen ticks."""
        traffic, sites = self._levels.traffic, list(self._sites.values())[number]
        rates = self._levels.calls[flags][:, sites, None]
        weights: dict[Kind, float] = defaultdict(float)
        late = (rates * traffic.late[flags][:, sites]).sum((0, 1))
        kept = (rates * traffic.kept[0][flags][:, sites]).sum((0, 1))
        shows = traffic.shows[flags][:, sites].max((0, 1))
        for index in range(1, len(kept)):
            weights[Kind.TIMEOUT] += float(late[index])
            weights[Kind.STATUS if shows[index] < 0 else Kind(int(shows[index]))] += float(kept[index])
        return max(weights, key=lambda kind: weights[kind])


def _walk(possible: Sequence[Step], first: Mapping[int, tuple[str, ...]]) -> tuple[list[Step], set[str]]:
    """The steps that lead away from the roots, breadth first: each from a service to one that is farther."""
    level = {name: 0 for names in first.values() for name in names}
    frontier, depth = list(level), 0
    while frontier:
        depth += 1
        ahead = dict.fromkeys(step.target for step in possible if step.source in frontier and step.target not in level)
        level |= dict.fromkeys(ahead, depth)
        frontier = list(ahead)
    kept = [
        step
        for step in possible
        if step.source in level and step.target in level and level[step.source] < level[step.target]
    ]
    return sorted(kept, key=lambda step: (level[step.source], step.onset, step.source, step.target)), set(level)


def _headless(left: Sequence[Impact], possible: Iterable[Step]) -> list[str]:
    """Of services that no step reaches, those to which none of the others leads; the earliest one if all go round."""
    names = list(dict.fromkeys(impact.service for impact in left))
    led_to = {step.target for step in possible if step.source in names and step.source != step.target}
    return [name for name in names if name not in led_to] or names[:1]
