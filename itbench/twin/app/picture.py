"""An application's calls as a drawing in SVG: services in columns from the load on, lines from caller to callee."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

from itbench.twin.app.application import Application
from itbench.twin.app.layout import Point, place
from itbench.twin.app.topology import Line, layers, lines

_WIDTH, _HEIGHT = 132, 40
_COLUMN, _ROW = 208, 58
_MARGIN = 28

# One hue for a family of languages; colours of the Okabe-Ito palette, lightened, which colour-blind people tell apart.
_COLOURS = {
    "go": "#9fd4f0",
    "java": "#f6c9a5",
    "kotlin": "#f6c9a5",
    "python": "#a9dcc8",
    "dotnet": "#d9b6d0",
    "javascript": "#f4e9a0",
    "typescript": "#f4e9a0",
    "ruby": "#f2b5b5",
    "php": "#c4c8ee",
    "rust": "#e3c1a4",
    "cpp": "#c9d3da",
    "c": "#c9d3da",
}
_OTHER = "#e6e6e6"
_FONT = "Helvetica, Arial, sans-serif"
_TIP = (
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
    '<path d="M0,0.6 L7.6,4 L0,7.4 z" fill="#6b7785"/></marker></defs>'
)
_DASHES = {"required": "", "degraded": "7 4", "ignored": "2 4"}


def svg(application: Application) -> str:
    """The drawing. Solid lines are needed for an answer, dashed ones for a whole answer, dotted ones for none."""
    column = layers(application)
    drawn = [line for line in lines(application) if line.source != line.target]
    paths = {line: _path(line, column) for line in drawn}
    rows = place(column, list(paths.values()))
    places = {point: (_MARGIN + _COLUMN * point[1], _MARGIN + _ROW * y) for point, y in rows.items()}
    width = 2 * _MARGIN + _WIDTH + _COLUMN * max(column.values())
    height = 2 * _MARGIN + _HEIGHT + max(y for _, y in places.values()) + 22
    size = f'width="{width}" height="{height:.0f}"'
    view = f'viewBox="0 0 {width} {height:.0f}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {view} {size} font-family="{_FONT}" role="img">',
        f"<title>{escape(application.title)}</title>",
        _TIP,
        f'<rect {size} rx="10" fill="#ffffff"/>',
        *(_curve(line, [places[point] for point in path]) for line, path in paths.items()),
        *(_box(application, name, *places[name, column[name]]) for name in application.services),
        f'<text x="{_MARGIN}" y="{height - 12:.0f}" font-size="11" fill="#6b7785">{escape(_legend(application))}</text>',
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _legend(application: Application) -> str:
    return f"{application.title}. Solid: required; dashed: degraded without; dotted: ignored; blue: messages."


def _path(line: Line, column: Mapping[str, int]) -> list[Point]:
    """The points of a line: its ends, and one in each column between them."""
    start, end = column[line.source], column[line.target]
    step = 1 if end >= start else -1
    between = [(f"{line.source}→{line.target}", number) for number in range(start + step, end, step)]
    return [(line.source, start), *between, (line.target, end)]


def _curve(line: Line, corners: Sequence[tuple[float, float]]) -> str:
    """A smooth line through points; it leaves and enters boxes sideways."""
    inner = [(x + _WIDTH / 2, y + _HEIGHT / 2) for x, y in corners[1:-1]]
    start = (corners[0][0] + _WIDTH, corners[0][1] + _HEIGHT / 2)
    end = (corners[-1][0] - 2, corners[-1][1] + _HEIGHT / 2)
    points = [start, *inner, end]
    path = f"M{start[0]:.0f},{start[1]:.0f}"
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        bend = (x1 - x0) / 2
        path += f" C{x0 + bend:.0f},{y0:.0f} {x1 - bend:.0f},{y1:.0f} {x1:.0f},{y1:.0f}"
    colour = "#3b7dc4" if line.messages else "#6b7785"
    dashes = f' stroke-dasharray="{_DASHES[line.criticality]}"' if _DASHES[line.criticality] else ""
    title = f"<title>{escape(line.source)} → {escape(line.target)}</title>"
    style = f'fill="none" stroke="{colour}" stroke-width="1.4"{dashes} marker-end="url(#tip)"'
    return f'<path d="{path}" {style}>{title}</path>'


def _box(application: Application, name: str, x: float, y: float) -> str:
    service = application.services[name]
    colour = _COLOURS.get(service.language, _OTHER)
    below = service.language + (f" · {service.protocol}" if service.service_port and service.protocol != "http" else "")
    below += f" · ×{service.replicas}" if service.replicas > 1 else ""
    middle = x + _WIDTH / 2
    return (
        f'<rect x="{x:.0f}" y="{y:.0f}" width="{_WIDTH}" height="{_HEIGHT}" rx="7" fill="{colour}" stroke="#44505c"/>'
        f'<text x="{middle:.0f}" y="{y + 17:.0f}" font-size="13" text-anchor="middle" fill="#1c242c">{escape(name)}</text>'
        f'<text x="{middle:.0f}" y="{y + 31:.0f}" font-size="10" text-anchor="middle" fill="#44505c">{escape(below)}</text>'
    )
