"""The propagation graph of a picture: roots and services in columns by their distance from the roots."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from itbench.twin.app.layout import Point, place
from itbench.twin.incident.chain import Spread, Step
from itbench.twin.incident.impacts import Aspect, Impact
from itbench.twin.incident.measure import Measured

Look = Literal["root", "errors", "latency", "rate", "pods", "none"]
"""What is wrong at a node; it decides the node's colour."""

# The aspects in the order in which they say most, and how a node with them looks.
_LOOKS: dict[Aspect, Look] = {
    "errors": "errors",
    "missing": "pods",
    "restarts": "pods",
    "unready": "pods",
    "latency": "latency",
    "surge": "rate",
    "starved": "rate",
    "calls": "errors",
    "throttled": "pods",
    "memory": "pods",
    "cpu": "pods",
    "surplus": "pods",
}


@dataclass(frozen=True, slots=True)
class Node:
    """A root or a service.

    Attributes:
        id: which no other has.
        lines: what stands in it: the name, then in few words what is wrong.
        column, row: where it lies; rows are fractional, the top is 0.
    """

    id: str
    lines: tuple[str, str]
    look: Look
    column: int
    row: float


@dataclass(frozen=True, slots=True)
class Edge:
    """That trouble passed from one node to the next; a text for each way in which it did, `spread` the first of them."""

    source: str
    target: str
    spread: Spread | Literal["acts"]
    text: str


@dataclass(frozen=True, slots=True)
class Graph:
    """The graph."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]

    @property
    def columns(self) -> int:
        """How many."""
        return max((node.column for node in self.nodes), default=-1) + 1

    @property
    def rows(self) -> float:
        """How many, from the first to the last."""
        return max((node.row for node in self.nodes), default=-1.0) + 1


def graph_of(measured: Measured) -> Graph:
    """The graph of an incident."""
    roots = [f"root {index}" for index in range(len(measured.worlds.injected))]
    column = dict.fromkeys(roots, 0)
    for names in measured.chain.first.values():
        column |= dict.fromkeys(names, 1)
    for step in measured.chain.steps:  # in the order of distance
        column.setdefault(step.target, column[step.source] + 1)
    edges = (*_actions(measured), *_edges(measured.chain.steps))
    paths = [_path(edge, column) for edge in edges]
    rows = _compact(place(column, paths), column.items())
    nodes = [Node(name, *_root_text(measured, index), column=0, row=rows[name, 0]) for index, name in enumerate(roots)]
    nodes += [
        Node(name, *service_text(name, measured.impacts), column=at, row=rows[name, at])
        for name, at in column.items()
        if name not in roots
    ]
    return Graph(tuple(nodes), edges)


def _path(edge: Edge, column: dict[str, int]) -> list[tuple[str, int]]:
    start, end = column[edge.source], column[edge.target]
    between = [(f"{edge.source}→{edge.target}", number) for number in range(start + 1, end)]
    return [(edge.source, start), *between, (edge.target, end)]


def _actions(measured: Measured) -> Iterator[Edge]:
    for index, names in measured.chain.first.items():
        for name in names:
            yield Edge(f"root {index}", name, "acts", "")


def _edges(steps: Iterable[Step]) -> Iterator[Edge]:
    """One edge for each pair of services."""
    pairs: dict[tuple[str, str], list[Step]] = {}
    for step in steps:
        pairs.setdefault((step.source, step.target), []).append(step)
    for (source, target), several in pairs.items():
        texts = dict.fromkeys(_said(step) for step in several)
        yield Edge(source, target, several[0].spread, ", ".join(texts))


def _said(step: Step) -> str:
    match step.spread:
        case "errors":
            return f"errors {percent(step.share)}"
        case "latency":
            return "latency"
        case "starved" | "surge":
            return f"{step.spread} ×{step.share:.2g}" if step.share >= 0.005 else f"{step.spread} ×0"


def _root_text(measured: Measured, index: int) -> tuple[tuple[str, str], Look]:
    injection = measured.worlds.injected[index].injection
    root = injection.roots[0]
    return (root.name, root.kind), "root"


def service_text(service: str, impacts: Iterable[Impact]) -> tuple[tuple[str, str], Look]:
    """A service's name and the most telling of what is wrong with it."""
    own = {impact.aspect: impact for impact in impacts if impact.service == service}
    for aspect, look in _LOOKS.items():
        if aspect in own:
            return (service, in_short(own[aspect])), look
    return (service, ""), "none"


def in_short(impact: Impact) -> str:
    """An impact in two or three words."""
    healthy, peak = impact.healthy, impact.peak
    texts: dict[Aspect, str] = {
        "errors": f"{percent(peak)} fail",
        "calls": f"{percent(peak)} of its calls fail",
        "latency": f"{seconds(healthy)} → {seconds(peak)}",
        "starved": f"{rate(healthy)} → {rate(peak)}/s",
        "surge": f"{rate(healthy)} → {rate(peak)}/s",
        "missing": f"{healthy:.0f} → {peak:.0f} ready",
        "surplus": f"{healthy:.0f} → {peak:.0f} ready",
        "unready": f"{peak - healthy:.0f} not ready",
        "restarts": f"{max(peak - healthy, 1):.0f} restarts" if peak - healthy >= 2 else "restarts",
        "cpu": f"{healthy:.2g} → {peak:.2g} cores",
        "memory": f"{healthy / 2**20:.0f} → {peak / 2**20:.0f} MiB",
        "throttled": f"throttled {percent(peak)}",
    }
    return texts[impact.aspect]


def percent(share: float) -> str:
    """A share of the whole, for people: `3 %`, `0.4 %`."""
    return f"{100 * share:.0f} %" if share >= 0.0095 or share < 5e-5 else f"{100 * share:.1g} %"


def seconds(value: float) -> str:
    """A duration with two digits: `1.5 s`, `12 ms`, `0.12 ms`."""
    if value >= 0.9995:
        return f"{value:.2g} s" if value < 99.5 else f"{value:.0f} s"
    return f"{_two(1000 * value)} ms"


def rate(value: float) -> str:
    """A rate with two digits."""
    return _two(value)


def _two(value: float) -> str:
    if value < 5e-3:
        return "0"
    return f"{value:.{max(1 - math.floor(math.log10(value)), 0)}f}" if value < 10 else f"{value:.0f}"


def _compact(rows: Mapping[Point, float], nodes: Iterable[Point]) -> dict[Point, float]:
    """The rows of the nodes without bands in which nothing lies."""
    kept, shift, last = {}, 0.0, 0.0
    for node in sorted(nodes, key=lambda node: (rows[node], node)):
        shift += max(rows[node] - last - 1, 0.0)
        last = rows[node]
        kept[node] = last - shift
    return kept
