"""Draws the propagation graph: boxes in columns, arrows between them with what passed along."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from itbench.report.incident.spread import Edge, Graph, Node
from itbench.report.incident.style import EDGES, FILLS, INK, SMALL, SOFT, bare, fit, width_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ROW = 0.46
_HEIGHT = 0.36
_WIDEST, _NARROWEST, _GAP = 1.45, 1.0, 0.8
_FARTHEST = 2.7
_HEAD = 0.09
_LABEL = SMALL - 0.5
_PLACES = (0.5, 0.42, 0.58, 0.34, 0.66, 0.27, 0.73)
"""Where a label may stand on its arrow, the best first."""


@dataclass(frozen=True, slots=True)
class _Box:
    """A rectangle in inches, y downwards."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: _Box) -> bool:
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )


def draw_spread(axes: Axes, graph: Graph, width: float, height: float) -> None:
    """Draw a graph on axes of a size in inches."""
    bare(axes)
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    boxes = _boxes(graph, width)
    taken = list(boxes.values())
    ways = [_way(boxes[edge.source], boxes[edge.target]) for edge in graph.edges]
    for edge, way in zip(graph.edges, ways, strict=True):
        _arrow(axes, edge, way)
    for node in graph.nodes:
        _node(axes, node, boxes[node.id])
    for edge, way in zip(graph.edges, ways, strict=True):
        _label(axes, edge, way, taken)


def _boxes(graph: Graph, width: float) -> dict[str, _Box]:
    gaps = max(graph.columns - 1, 1)
    wide = min(_WIDEST, max(_NARROWEST, (width - gaps * _GAP) / graph.columns))
    step = min((width - wide) / gaps, _FARTHEST)
    found = {}
    for node in graph.nodes:
        left, top = node.column * step, node.row * ROW + (ROW - _HEIGHT) / 2
        found[node.id] = _Box(left, top, left + wide, top + _HEIGHT)
    return found


_Point = tuple[float, float]
_Way = tuple[_Point, _Point, _Point, _Point]


def _way(source: _Box, target: _Box) -> _Way:
    """A Bézier curve that leaves and enters sideways."""
    x0, y0 = source.right, (source.top + source.bottom) / 2
    x1, y1 = target.left - _HEAD, (target.top + target.bottom) / 2
    bend = (x1 - x0) * 0.5
    return (x0, y0), (x0 + bend, y0), (x1 - bend, y1), (x1, y1)


def _on(way: _Way, t: float) -> _Point:
    weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3)
    return (
        sum(weight * point[0] for weight, point in zip(weights, way, strict=True)),
        sum(weight * point[1] for weight, point in zip(weights, way, strict=True)),
    )


def _arrow(axes: Axes, edge: Edge, way: _Way) -> None:
    from matplotlib.patches import PathPatch, Polygon
    from matplotlib.path import Path

    colour, dashes, thick = EDGES[edge.spread]
    curve = Path(way, [Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4])
    axes.add_patch(PathPatch(curve, fill=False, edgecolor=colour, linewidth=thick, linestyle=dashes, capstyle="butt", zorder=1))
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
    axes.add_patch(FancyBboxPatch(corner, *size, shape, facecolor=FILLS[node.look], edgecolor=border, linewidth=0.9, zorder=2, clip_on=False))
    inks = ("#ffffff", "#d9dfe4") if node.look == "root" else (INK, "#3c4650")
    middle = (box.top + box.bottom) / 2
    shifts = (-0.075, 0.085) if node.lines[1] else (0.0, 0.0)
    for text, ink, size_pt, shift in zip(node.lines, inks, (8.2, 6.8), shifts, strict=True):
        if text:
            shown, points = fit(text, box.right - box.left - 0.1, size_pt)
            axes.text(
                *((box.left + box.right) / 2, middle + shift, shown), size=points, color=ink, ha="center", va="center", zorder=3
            )


def _label(axes: Axes, edge: Edge, way: _Way, taken: list[_Box]) -> None:
    """What an arrow says, at the first place on it where it covers nothing; nowhere if there is none."""
    if not edge.text:
        return
    wide, high = width_of(edge.text, _LABEL) + 0.06, 0.12
    flat = abs(way[0][1] - way[-1][1]) < 0.1
    for t in _PLACES:
        x, y = _on(way, t)
        y -= 0.09 if flat else 0.0  # above a line that hardly climbs, on one that does
        box = _Box(x - wide / 2, y - high / 2, x + wide / 2, y + high / 2)
        if any(box.meets(other) for other in taken):
            continue
        taken.append(box)
        ground = None if flat else {"boxstyle": "square,pad=0.1", "facecolor": "#ffffff", "edgecolor": "none"}
        axes.text(
            *(x, y, edge.text), size=_LABEL, color=EDGES[edge.spread][0], ha="center", va="center", bbox=ground, zorder=4
        )
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
