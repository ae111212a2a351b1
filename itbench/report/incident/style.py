"""Colours and sizes of pictures: the Okabe-Ito palette, which colour-blind people tell apart, on white."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from itbench.report.incident.curves import Metric
from itbench.report.incident.spread import Look

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK, SOFT, FAINT, STRIPE = "#1c242c", "#5b6670", "#c9d0d6", "#f4f6f8"
HEALTHY = "#8b949c"
BLUE, VERMILLION, GREEN, ORANGE = "#0072b2", "#d55e00", "#00825f", "#e69f00"

CURVES: dict[Metric, str] = {"requests": BLUE, "failures": VERMILLION, "latency": GREEN}
TITLES: dict[Metric, str] = {"requests": "Requests a second", "failures": "Failing requests", "latency": "Mean latency"}

FILLS: dict[Look, str] = {
    "root": INK,
    "errors": "#fbdcc8",
    "latency": "#cdeee2",
    "rate": "#d3e9f7",
    "pods": "#fdeec6",
    "none": "#eef1f3",
}
Dashes = str | tuple[float, tuple[float, ...]]
EDGES: dict[str, tuple[str, Dashes, float]] = {
    "acts": (INK, "-", 1.3),
    "errors": (VERMILLION, "-", 1.5),
    "latency": (GREEN, (0, (5, 2)), 1.5),
    "starved": (BLUE, (0, (1.5, 1.8)), 1.7),
    "surge": (BLUE, "-", 2.6),
}

SIZE, SMALL = 8.5, 7.0

RC = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial"],
    "font.size": SIZE,
    "text.color": INK,
    "axes.edgecolor": FAINT,
    "axes.linewidth": 0.8,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "xtick.major.size": 2.5,
    "ytick.major.size": 0,
    "path.simplify": True,
    "svg.fonttype": "none",
    "svg.hashsalt": "itbench",
    "text.parse_math": False,
}
"""Settings of matplotlib under which pictures are drawn."""


def fit(text: str, width: float, size: float, smallest: float = 6.0) -> tuple[str, float]:
    """A text and its size, shrunk and then cut so that it is at most `width` inches wide."""
    needed = width_of(text, size)
    if needed <= width:
        return text, size
    size = max(size * width / needed, smallest)
    while len(text) > 2 and width_of(text, size) > width:
        text = text.rstrip("…")[:-1].rstrip() + "…"
    return text, size


def width_of(text: str, size: float, weight: Literal["normal", "bold"] = "normal") -> float:
    """Of a text, in inches."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(family="DejaVu Sans", weight=weight, size=size)
    return float(text_to_path.get_text_width_height_descent(text, font, ismath=False)[0]) / 72


def bare(axes: Axes) -> None:
    """Axes without a frame and ticks."""
    axes.set_axis_off()
    axes.patch.set_visible(False)
