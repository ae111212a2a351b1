"""Draws the curves of one service: three small panels side by side, the healthy world in grey."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from itbench.report.incident.curves import Curve, Metric
from itbench.report.incident.spread import percent, rate, seconds
from itbench.report.incident.style import CURVES, FAINT, HEALTHY, INK, SMALL, SOFT
from itbench.twin.flow.moments import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_STEPS = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
_LEAST: dict[Metric, float] = {"requests": 0.01, "failures": 0.1, "latency": 0.001}


def draw_curve(axes: Axes, metric: Metric, curve: Curve, minutes: Array, faults: Sequence[float]) -> None:
    """Draw one figure of one service.

    Args:
        axes: of the panel.
        metric: which figure.
        curve: its values.
        minutes: (b) of the bins, 0 at the first fault.
        faults: when each fault was injected, in the same minutes.
    """
    top = ceiling(metric, curve)
    colour = CURVES[metric]
    for minute in faults:
        axes.axvline(minute, color=INK, linewidth=0.8, linestyle=(0, (2, 2)), zorder=1)
    kept = corners(curve, 0.002 * top)
    x, healthy, faulted = minutes[kept], curve.healthy[kept], curve.faulted[kept]
    axes.fill_between(x, healthy, faulted, color=colour, alpha=0.18, linewidth=0, zorder=2)
    axes.plot(x, healthy, color=HEALTHY, linewidth=1.1, zorder=3, solid_capstyle="butt")
    axes.plot(x, faulted, color=colour, linewidth=1.6, zorder=4, solid_capstyle="butt")
    axes.set_ylim(-0.04 * top, top * 1.08)
    axes.set_yticks([0, top], ["0", said(metric, top)])
    axes.tick_params(axis="y", pad=2)
    axes.patch.set_visible(False)
    axes.grid(visible=True, axis="y", color=FAINT, linewidth=0.5)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    if metric != "requests":
        _mark_idle(axes, curve, minutes, top)


def _mark_idle(axes: Axes, curve: Curve, minutes: Array, top: float) -> None:
    """Say why there is no line."""
    idle = np.flatnonzero(np.isnan(curve.faulted))
    if len(idle) > 0.25 * len(minutes):
        middle = float((minutes[idle[0]] + minutes[idle[-1]]) / 2)
        text = axes.text(middle, top / 2, "no requests", size=SMALL, color=SOFT, ha="center", va="center", style="italic")
        text.set_bbox({"boxstyle": "square,pad=0.15", "facecolor": "#ffffff", "edgecolor": "none"})
        text.set_zorder(5)


def corners(curve: Curve, least: float) -> NDArray[np.intp]:
    """The bins without those whose neighbours hold the same values, to within `least`: lines look the same without."""
    values = np.nan_to_num(np.column_stack((curve.healthy, curve.faulted)), nan=-1.0)
    kept = [0]
    for index in range(1, len(values) - 1):
        near = values[[kept[-1], index + 1]]
        if np.abs(near - values[index]).max() > least:
            kept.append(index)
    return np.array([*kept, len(values) - 1], dtype=np.intp)


def ceiling(metric: Metric, curve: Curve) -> float:
    """A round number that no value exceeds."""
    values = np.concatenate((curve.healthy, curve.faulted))
    largest = max(float(np.nanmax(values)) if np.isfinite(values).any() else 0.0, _LEAST[metric])
    power = 10.0 ** math.floor(math.log10(largest) + 1e-9)
    top = next(step * power for step in _STEPS if step * power >= largest * (1 - 1e-6))
    return min(top, 1.0) if metric == "failures" else top


def said(metric: Metric, value: float) -> str:
    """A value with its unit."""
    text = {"requests": rate, "failures": percent, "latency": seconds}[metric](value)
    return re.sub(r"(\.\d*?)0+(?= |$)", r"\1", text).replace(". ", " ").removesuffix(".")
