"""Draws the propagation graph: boxes in columns, arrows between them with what passed along."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from itbench.report.incident.spread import Edge, Graph, Node
from itbench.report.incident.style import EDGES, FILLS, INK, SMALL, SOFT, bare, fit, width_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ROW = 0.46
_HEIGHT = 0.36
_WIDEST, _NARROWEST, _GAP = 1.8, 1.05, 0.75
_NAME = 8.2
_FARTHEST = 2.7
_HEAD = 0.09
_LABEL = SMALL - 0.5
_ABOVE = 0.075
"""How far above its arrow a label stands."""


@dataclass(frozen=True, slots=True)
class _Box:
    """A rectangle in inches, y downwards."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: _Box) -> bool:
        return self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom

    def holds(self, point: tuple[float, float]) -> bool:
        return self.left < point[0] < self.right and self.top < point[1] < self.bottom


def draw_spread(axes: Axes, graph: Graph, width: float, height: float) -> None:
    """Draw a graph on axes of a size in inches."""
    bare(axes)
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    boxes = _boxes(graph, width)
    taken = list(boxes.values())
    ways = [_way(boxes, edge, graph.edges) for edge in graph.edges]
    for edge, way in zip(graph.edges, ways, strict=True):
        _arrow(axes, edge, way)
    for node in graph.nodes:
        _node(axes, node, boxes[node.id])
    numbered = sorted(enumerate(zip(graph.edges, ways, strict=True)), key=lambda item: item[1][0].spread == "starved")
    for number, (edge, way) in numbered:  # what merely gets less to do has its label where there is room left
        crossed = [point for other in (*ways[:number], *ways[number + 1 :]) for point in _points(other)]
        _label(axes, edge, way, taken, crossed)


def _boxes(graph: Graph, width: float) -> dict[str, _Box]:
    gaps = max(graph.columns - 1, 1)
    longest = max((width_of(node.lines[0], _NAME) for node in graph.nodes), default=0.0) + 0.2
    wide = min(max(longest, _NARROWEST), _WIDEST, (width - gaps * _GAP) / graph.columns)
    step = min((width - wide) / gaps, _FARTHEST)
    found = {}
    for node in graph.nodes:
        left, top = node.column * step, node.row * ROW + (ROW - _HEIGHT) / 2
        found[node.id] = _Box(left, top, left + wide, top + _HEIGHT)
    return found


_Point = tuple[float, float]
_Way = tuple[_Point, _Point, _Point, _Point]


def _way(boxes: Mapping[str, _Box], edge: Edge, edges: Sequence[Edge]) -> _Way:
    """A Bézier curve that leaves and enters sideways: it climbs where fewer lines run, so that its other end is level and
    there is room for what it says.
    """
    source, target = boxes[edge.source], boxes[edge.target]
    x0, y0 = source.right, (source.top + source.bottom) / 2
    x1, y1 = target.left - _HEAD, (target.top + target.bottom) / 2
    leaving, arriving = (sum(getattr(other, end) == getattr(edge, end) for other in edges) for end in ("source", "target"))
    one, two = (0.3, 0.15) if leaving >= arriving else (0.85, 0.7)
    return (x0, y0), (x0 + one * (x1 - x0), y0), (x0 + two * (x1 - x0), y1), (x1, y1)


def _points(way: _Way) -> list[_Point]:
    """Points on a curve, close to one another."""
    return [_on(way, step / 24) for step in range(25)]


def _on(way: _Way, t: float) -> _Point:
    weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3)
    x, y = (sum(weight * point[axis] for weight, point in zip(weights, way, strict=True)) for axis in (0, 1))
    return x, y


def _arrow(axes: Axes, edge: Edge, way: _Way) -> None:
    from matplotlib.patches import PathPatch, Polygon
    from matplotlib.path import Path

    colour, dashes, thick = EDGES[edge.spread]
    curve = Path(way, [Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4])
    line = PathPatch(curve, fill=False, edgecolor=colour, linewidth=thick, linestyle=dashes, capstyle="butt", zorder=1)
    axes.add_patch(line)
    x, y = way[-1]
    head = [(x + _HEAD, y), (x, y - 0.45 * _HEAD), (x, y + 0.45 * _HEAD)]
    axes.add_patch(Polygon(head, facecolor=colour, linewidth=0, zorder=3, clip_on=False))


def _node(axes: Axes, node: Node, box: _Box) -> None:
    from matplotlib.patches import FancyBboxPatch

    pad = 0.05
    corner = box.left + pad, box.top + pad
    size = box.right - box.left - 2 * pad, box.bottom - box.top - 2 * pad
    border = INK if node.look == "root" else "#6b7785"
    shape = f"round,pad={pad},rounding_size=0.07"
    patch = FancyBboxPatch(corner, *size, shape, facecolor=FILLS[node.look], edgecolor=border, linewidth=0.9, clip_on=False)
    patch.set_zorder(2)
    axes.add_patch(patch)
    inks = ("#ffffff", "#d9dfe4") if node.look == "root" else (INK, "#3c4650")
    middle = (box.top + box.bottom) / 2
    shifts = (-0.075, 0.085) if node.lines[1] else (0.0, 0.0)
    for text, ink, size_pt, shift in zip(node.lines, inks, (_NAME, 6.8), shifts, strict=True):
        if text:
            shown, points = fit(text, box.right - box.left - 0.1, size_pt)
            x = (box.left + box.right) / 2
            axes.text(x, middle + shift, shown, size=points, color=ink, ha="center", va="center", zorder=3)


def _label(axes: Axes, edge: Edge, way: _Way, taken: list[_Box], crossed: Sequence[_Point]) -> None:
    """What an arrow says, above its end or its beginning, or on it, where it covers no other; if there is room at all."""
    if not edge.text:
        return
    wide, high = width_of(edge.text, _LABEL) + 0.06, 0.115
    (x0, y0), (x1, y1) = way[0], way[-1]
    middle = _on(way, 0.5)
    ends = ((x1 - wide / 2 - 0.02, y1 - _ABOVE, False), (x0 + wide / 2 + 0.04, y0 - _ABOVE, False))
    for x, y, covers in (*ends, (*middle, True)):
        box = _Box(x - wide / 2, y - high / 2, x + wide / 2, y + high / 2)
        own = () if covers else [point for point in _points(way) if box.holds(point)]
        hides = any(map(box.holds, crossed)) and not (covers and edge.spread != "starved")
        if own or hides or any(box.meets(other) for other in taken):
            continue
        taken.append(box)
        ground = {"boxstyle": "square,pad=0.1", "facecolor": "#ffffff", "edgecolor": "none"} if covers else None
        colour = EDGES[edge.spread][0]
        axes.text(x, y, edge.text, bbox=ground, size=_LABEL, color=colour, ha="center", va="center", zorder=4)
        return


def spreads(edges: Sequence[Edge]) -> list[str]:
    """The kinds of arrows that there are, in the order of the legend."""
    there = {edge.spread for edge in edges}
    return [kind for kind in EDGES if kind in there and kind != "acts"]


def draw_legend(axes: Axes, edges: Sequence[Edge], right: float, y: float) -> None:
    """A line of the kinds of arrows, ending at `right` (inches)."""
    x = right
    for kind in reversed(spreads(edges)):
        colour, dashes, thick = EDGES[kind]
        wide = width_of(kind, SMALL)
        axes.text(x, y, kind, size=SMALL, color=SOFT, ha="right", va="center")
        axes.plot([x - wide - 0.42, x - wide - 0.08], [y, y], color=colour, linestyle=dashes, linewidth=thick)
        x -= wide + 0.6
