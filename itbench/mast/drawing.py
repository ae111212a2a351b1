"""Pictures of an analysis in SVG: a heat map, a forest plot of fatality, and a cascade of modes. No scripts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from itbench.mast.analysis import Analysis, Group
from itbench.model.mast import Taxonomy

_INK, _SOFT, _GRID = "#1c242c", "#5b6670", "#dde2e6"
COLOURS = {
    "fatal": "#b3372f",
    "recoverable": "#00825f",
    "undecided": "#5b6670",
    "not seen": "#5b6670",
    "not applicable": "#5b6670",
}
_NAMES, _ROW, _CELL = 270, 22, 92


def heat_map(analysis: Analysis, taxonomy: Taxonomy) -> str:
    """Shares of flagged traces: a row a mode, and for each agent a cell for failed and one for successful traces.

    A question mark stands where nothing was flagged because rules cannot tell, a dash where a mode does not apply.
    """
    agents = [group for group in analysis.groups if group.kind == "agent"]
    width, height = _NAMES + 2 * _CELL * len(agents), _ROW * (len(taxonomy.codes) + 2) + 8
    parts = []
    for column, group in enumerate(agents):
        x = _NAMES + 2 * _CELL * column
        parts.append(_text(x + _CELL, 14, _cut(group.name, 28), anchor="middle", weight="600"))
        parts += [
            _text(x + _CELL * (n + 0.5), 14 + _ROW, word, anchor="middle") for n, word in enumerate(("failed", "successful"))
        ]
        for row, each in enumerate(group.modes):
            y = _ROW * (row + 2)
            blind = each.effect.blind and not each.effect.seen
            for number, of in enumerate((each.effect.failed, each.effect.succeeded)):
                parts.append(_cell(x + _CELL * number, y, of.value, "?" if blind else ""))
    for row, code in enumerate(taxonomy.codes):
        parts.append(_text(0, _ROW * (row + 2) + 15, f"{code} {taxonomy.mode(code).name}"))
    return _svg("Shares of traces in which each mode was flagged", width, height, parts)


@dataclass(frozen=True, slots=True)
class ForestRow:
    """One difference with its interval, and a word about it."""

    name: str
    low: float | None
    difference: float
    high: float | None
    word: str
    colour: str


def forest(group: Group, taxonomy: Taxonomy) -> str:
    """Differences of shares, failed minus successful, with intervals; empty where nothing can be compared."""
    rows = [
        ForestRow(
            f"{each.code} {taxonomy.mode(each.code).name}",
            each.effect.low,
            each.effect.difference,
            each.effect.high,
            each.effect.verdict,
            COLOURS[each.effect.verdict],
        )
        for each in group.modes
        if each.effect.difference is not None and each.effect.seen
    ]
    return forest_of(rows, f"{group.name}: share in failed minus share in successful traces")


def forest_of(rows: Sequence[ForestRow], title: str) -> str:
    """Differences between -1 and 1, a row each; empty without rows."""
    if not rows:
        return ""
    scale, height = 420, _ROW * len(rows) + 40

    def x(value: float) -> float:
        return _NAMES + scale * (value + 1) / 2

    parts = []
    for value in (-1.0, -0.5, 0.0, 0.5, 1.0):
        colour = _INK if value == 0 else _GRID
        parts.append(f'<line x1="{x(value):.1f}" y1="4" x2="{x(value):.1f}" y2="{height - 32}" stroke="{colour}"/>')
        parts.append(_text(x(value), height - 14, f"{value:+.0%}" if value else "0", anchor="middle"))
    for number, row in enumerate(rows):
        y = 16 + _ROW * number
        parts.append(_text(0, y + 4, _cut(row.name, 40)))
        if row.low is not None and row.high is not None:
            ends = f'x1="{x(row.low):.1f}" y1="{y}" x2="{x(row.high):.1f}" y2="{y}"'
            parts.append(f'<line {ends} stroke="{row.colour}" stroke-width="2"/>')
        told = f"<title>{escape(row.word)}</title>"
        parts.append(f'<circle cx="{x(row.difference):.1f}" cy="{y}" r="4.5" fill="{row.colour}">{told}</circle>')
        parts.append(_text(_NAMES + scale + 8, y + 4, row.word, colour=row.colour))
    return _svg(title, _NAMES + scale + 230, height, parts)


def cascade(analysis: Analysis) -> str:
    """An arc for each pair of modes that come together: from the one that mostly shows first, as thick as it is often."""
    pairs = [each for each in analysis.together if each.one_first != each.other_first][:12]
    if not pairs:
        return ""
    leads = {code: 0 for each in pairs for code in (each.one, each.other)}
    for each in pairs:
        leads[each.one] += each.one_first - each.other_first
        leads[each.other] += each.other_first - each.one_first
    order = sorted(leads, key=lambda code: -leads[code])
    step, most = 80, max(each.traces for each in pairs)
    places = {code: 40 + step * number for number, code in enumerate(order)}
    top = 30 + step * (len(order) - 1) / 2
    tip = '<marker id="tip" markerWidth="8" markerHeight="8" refX="6" refY="3" orient="auto" markerUnits="userSpaceOnUse">'
    parts = [f'<defs>{tip}<path d="M0,0 L7,3 L0,6 z" fill="{_SOFT}"/></marker></defs>']
    for each in pairs:
        ahead = each.one_first > each.other_first
        start, end = (places[each.one], places[each.other]) if ahead else (places[each.other], places[each.one])
        radius, sweep = abs(end - start) / 2, 1 if end > start else 0
        thick = 1 + 3 * math.sqrt(each.traces / most)
        told = f"{each.traces} traces: {each.one} first in {each.one_first}, {each.other} first in {each.other_first}"
        parts.append(
            f'<path d="M{start},{top:.0f} A{radius:.0f},{radius:.0f} 0 0 {sweep} {end},{top:.0f}" fill="none" '
            f'stroke="{_SOFT}" stroke-width="{thick:.1f}" stroke-opacity=".6" marker-end="url(#tip)">'
            f"<title>{escape(told)}</title></path>"
        )
    parts += [_text(place, top + 22, code, anchor="middle", weight="600") for code, place in places.items()]
    return _svg("Which mode shows first", 80 + step * (len(order) - 1), top + 40, parts)


def _cell(x: float, y: float, value: float | None, instead: str = "") -> str:
    if value is None or instead:
        return _text(x + _CELL / 2, y + 15, instead or "–", anchor="middle", colour=_SOFT)
    dark = value > 0.55
    place = f'x="{x + 1:.0f}" y="{y + 1}" width="{_CELL - 2}" height="{_ROW - 2}"'
    box = f'<rect {place} fill="#b3372f" fill-opacity="{value:.2f}"/>'
    return box + _text(x + _CELL / 2, y + 15, f"{value:.0%}", anchor="middle", colour="#ffffff" if dark else _INK)


def _svg(title: str, width: float, height: float, parts: Sequence[str]) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" role="img" width="{width:.0f}">'
    return "\n".join([head, f"<title>{escape(title)}</title>", *parts, "</svg>"])


def _text(x: float, y: float, text: str, *, anchor: str = "start", weight: str = "400", colour: str = _INK) -> str:
    style = (
        f'font-family="system-ui, sans-serif" font-size="13" font-weight="{weight}" text-anchor="{anchor}" fill="{colour}"'
    )
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{escape(text)}</text>'


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
