"""A scorecard as a drawing in SVG: a dot for each mean, a line for its interval, on a scale from 0 to 1."""

from __future__ import annotations

import math
from collections.abc import Iterator
from html import escape

from itbench.model.summary import Estimate
from itbench.report.scorecard import Section

_NAMES, _SCALE, _FIGURES = 250, 420, 60
_ROW, _HEAD, _FOOT = 22, 12, 30
_INK, _SOFT, _GRID = "#1c242c", "#5b6670", "#dde2e6"
# The Okabe-Ito palette, darkened where white is behind it, and a shape for each: agents differ by more than hue.
_COLOURS = ("#0072b2", "#d55e00", "#00825f", "#a8558a", "#8a6500", "#3a3f44")
_MANY = len(_COLOURS)
_LEADING, _MARKS = 3, 14
"""The first metrics are always drawn, others only up to so many marks: the table below has them all."""


def intervals(section: Section) -> str:
    """An `<svg>` element; empty where nothing was measured."""
    figures = [figure for figure in section.figures if any(_known(estimate) for estimate in figure.estimates)]
    figures = figures[: max(_LEADING, _MARKS // len(section.agents))]
    if not figures:
        return ""
    alone = len(section.agents) == 1
    rows = list(_rows(section, [(figure.label, figure.estimates) for figure in figures], alone=alone))
    height = max((y for y, _ in rows), default=0.0) + _ROW / 2 + _FOOT
    width = _NAMES + _SCALE + _FIGURES
    parts = [
        f'<svg class="intervals" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height:.0f}" role="img">',
        f"<title>{escape(section.title)}: means and 95 % intervals</title>",
        *_scale(height - _FOOT),
        *(text for _, text in rows),
        "</svg>",
    ]
    return "\n".join(parts)


def _rows(
    section: Section, figures: list[tuple[str, tuple[Estimate | None, ...]]], *, alone: bool
) -> Iterator[tuple[float, str]]:
    y = float(_HEAD)
    for label, estimates in figures:
        if not alone:
            yield y, _text(0, y + 4, label, weight="600")
            y += _ROW
        for number, (agent, estimate) in enumerate(zip(section.agents, estimates, strict=True)):
            name = label if alone else agent
            yield y, _text(0 if alone else 14, y + 4, _cut(name, 34)) + _mark(estimate, number, y, f"{agent}, {label}")
            y += _ROW
        y += 0 if alone else _ROW * 0.35


def _scale(bottom: float) -> Iterator[str]:
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        x = _NAMES + tick * _SCALE
        yield f'<path d="M{x:.1f} 0V{bottom:.1f}" stroke="{_GRID}"/>'
        yield _text(x, bottom + 17, f"{tick:g}", anchor="middle", colour=_SOFT, size=11)


def _mark(estimate: Estimate | None, number: int, y: float, title: str) -> str:
    end = _NAMES + _SCALE + _FIGURES
    if estimate is None or not _known(estimate) or estimate.mean is None:
        return _text(end, y + 4, "–", anchor="end", colour=_SOFT)
    colour, x = _COLOURS[number % _MANY], _at(estimate.mean)
    shown = f"<g><title>{escape(title)}: {estimate.mean:.2f}</title>"
    if estimate.low is not None and estimate.high is not None and estimate.low < estimate.high:
        low, high = _at(estimate.low), _at(estimate.high)
        shown += f'<path d="M{low:.1f} {y:.1f}H{high:.1f}" stroke="{colour}" stroke-width="5" opacity="0.3"/>'
    return shown + _dot(number, x, y, colour) + "</g>" + _text(end, y + 4, f"{estimate.mean:.2f}", anchor="end")


def _dot(number: int, x: float, y: float, colour: str) -> str:
    match number % 3:
        case 0:
            return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{colour}"/>'
        case 1:
            return f'<rect x="{x - 4.5:.1f}" y="{y - 4.5:.1f}" width="9" height="9" fill="{colour}"/>'
        case _:
            return f'<path d="M{x:.1f} {y - 6:.1f}l6 6l-6 6l-6 -6z" fill="{colour}"/>'


def _at(share: float) -> float:
    return _NAMES + min(max(share, 0.0), 1.0) * _SCALE


def _known(estimate: Estimate | None) -> bool:
    return estimate is not None and estimate.mean is not None and math.isfinite(estimate.mean)


def _text(
    x: float, y: float, text: str, *, anchor: str = "start", colour: str = _INK, size: int = 13, weight: str = "400"
) -> str:
    look = f'font-size="{size}" font-weight="{weight}" text-anchor="{anchor}" fill="{colour}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {look}>{escape(text)}</text>'


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
