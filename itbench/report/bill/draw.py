"""Draws a picture of a bill as SVG or PNG, with matplotlib: over time, as a waterfall, by hierarchy."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from itbench.report.bill.picture import BillPicture, Tile
from itbench.report.bill.treemap import Box, squarify
from itbench.report.incident.draw import Format, require_matplotlib
from itbench.report.incident.style import BLUE, FAINT, GREEN, INK, ORANGE, RC, SMALL, SOFT, VERMILLION, bare, fit, width_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLOURS = (VERMILLION, BLUE, ORANGE, GREEN, "#cc79a7", "#56b4e9")
_USUAL, _USUAL_EDGE, _RISE, _FALL = "#e4e8ec", "#8b949c", VERMILLION, GREEN
_WIDTH, _HEIGHT = 11.0, 11.6  # inches
_MAP_WIDTH, _MAP_HEIGHT = 10.4, 3.2
_DOTS = 130


def draw(picture: BillPicture, form: Format) -> bytes:
    """The picture's file. Equal pictures give equal bytes.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    require_matplotlib()
    from matplotlib import style

    from itbench.report.incident.svg import tidy

    with style.context(["default", RC]):
        figure = _figure(picture)
        out = io.BytesIO()
        if form == "png":
            figure.savefig(out, format="png", dpi=_DOTS, metadata={"Software": None})
            return out.getvalue()
        figure.savefig(out, format="svg", metadata={"Date": None})
    prefix = re.sub(r"[^a-z0-9]+", "-", f"bill-{picture.title}-{picture.total.sum():.0f}".lower())
    return tidy(out.getvalue().decode(), prefix=prefix, title=picture.title).encode()


def _figure(picture: BillPicture) -> Figure:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(_WIDTH, _HEIGHT))
    figure.text(0.027, 0.975, picture.title, size=14, weight="bold", va="top", color=INK)
    figure.text(0.027, 0.953, picture.subtitle, size=9.5, va="top", color=SOFT)
    _heading(figure, 0.922, f"Cost of a day, {picture.currency}", "what is over the usual course, by cause")
    _over_time(figure.add_axes((0.065, 0.655, 0.908, 0.25)), picture)
    since, until = picture.window
    _heading(figure, 0.61, "What a mean day changed by", f"{since:%d %B} to {until:%d %B}, against the four weeks before")
    _waterfall(figure.add_axes((0.065, 0.385, 0.908, 0.205)), picture)
    _heading(figure, 0.318, "Where a mean day's cost is now", "account, service, application; the redder, the more it grew")
    _treemap(figure.add_axes((0.027, 0.018, 0.946, 0.282)), picture.tiles)
    return figure


def _heading(figure: Figure, y: float, title: str, note: str) -> None:
    figure.text(0.027, y, title, size=10.5, weight="bold", va="baseline", color=INK)
    beside = 0.027 + width_of(title, 10.5, "bold") / _WIDTH + 0.014
    figure.text(beside, y, note, size=SMALL + 1, va="baseline", color=SOFT)


def _over_time(axes: Axes, picture: BillPicture) -> None:
    x = np.arange(len(picture.days))
    rises = [np.maximum(layer.excess, 0.0) for layer in picture.layers]
    usual = picture.total - (np.sum(rises, axis=0) if rises else 0.0)
    axes.fill_between(x, 0, usual, step="mid", color=_USUAL, linewidth=0, label="usual course")
    below = usual
    for layer, rise, colour in zip(picture.layers, rises, _palette(len(rises)), strict=True):
        label = f"{layer.title} ({layer.excess.sum():+,.0f})"
        axes.fill_between(x, below, below + rise, step="mid", color=colour, linewidth=0, alpha=0.85, label=label)
        below = below + rise
    axes.step(x, picture.total, where="mid", color=INK, linewidth=1.0)
    if picture.anomaly in picture.days:
        at = picture.days.index(picture.anomaly)
        axes.axvline(at, color=INK, linewidth=0.8, linestyle=(0, (2, 2)))
        axes.annotate(
            f"noticed {picture.anomaly:%d %B}", (at, float(picture.total.max()) * 1.13), size=SMALL, color=SOFT,
            ha="right", va="top", xytext=(-4, 0), textcoords="offset points",
        )  # fmt: skip
    axes.set_xlim(-0.5, len(x) - 0.5)
    axes.set_ylim(0, float(picture.total.max()) * 1.15)
    mondays = [place for place, day in enumerate(picture.days) if day.weekday() == 0]
    axes.set_xticks(mondays, [f"{picture.days[place].day} {picture.days[place]:%b}" for place in mondays])
    _plain(axes)
    axes.legend(loc="upper left", fontsize=SMALL + 0.5, frameon=False, ncols=2, handlelength=1.2, borderaxespad=0.2)


def _waterfall(axes: Axes, picture: BillPicture) -> None:
    level = picture.before
    axes.bar(0, picture.before, color=_USUAL_EDGE, width=0.62)
    for place, step in enumerate(picture.steps, start=1):
        colour = _RISE if step.change > 0 else _FALL
        axes.bar(place, step.change, bottom=level, color=colour, width=0.62, alpha=1.0 if step.caused else 0.45)
        axes.plot([place - 1 + 0.31, place + 0.31], [level, level], color=SOFT, linewidth=0.6)
        level += step.change
        top = max(level, level - step.change)
        axes.annotate(
            f"{step.change:+,.1f}", (place, top), size=SMALL + 0.5, ha="center", va="bottom", color=INK,
            xytext=(0, 2), textcoords="offset points",
        )  # fmt: skip
    last = len(picture.steps) + 1
    axes.plot([last - 1 + 0.31, last + 0.31], [level, level], color=SOFT, linewidth=0.6)
    axes.bar(last, picture.after, color=_USUAL_EDGE, width=0.62)
    for place, value in ((0, picture.before), (last, picture.after)):
        axes.annotate(
            f"{value:,.0f}", (place, value), size=SMALL + 0.5, ha="center", va="bottom", color=INK,
            xytext=(0, 2), textcoords="offset points",
        )  # fmt: skip
    names = ["before", *(_broken(step.title) for step in picture.steps), "after"]
    axes.set_xticks(range(len(names)), names)
    low, high = _range(picture)
    axes.set_ylim(low, high)
    axes.set_xlim(-0.6, last + 0.6)
    _plain(axes)
    if low > 0:  # what is not drawn from zero must say so
        axes.annotate(
            "the axis does not begin at 0", (0.0, 1.0), xycoords="axes fraction", size=SMALL, color=SOFT, va="top",
            xytext=(4, 0), textcoords="offset points",
        )  # fmt: skip


def _range(picture: BillPicture) -> tuple[float, float]:
    """From below the lowest level to above the highest one, so that steps can be seen."""
    levels = np.cumsum([picture.before, *(step.change for step in picture.steps)])
    low, high = float(levels.min()), float(levels.max())
    room = max(high - low, 0.02 * abs(high), 1e-9)
    begin = low - 0.6 * room
    return (0.0 if begin < 0.35 * low else begin), high + 0.25 * room


def _broken(title: str) -> str:
    """A name on lines that fit under a bar."""
    return "\n".join(part if len(part) <= 18 else f"{part[:17]}…" for part in title.split(" · "))


def _treemap(axes: Axes, tiles: Sequence[Tile]) -> None:
    bare(axes)
    axes.set_xlim(0, _MAP_WIDTH)
    axes.set_ylim(_MAP_HEIGHT, 0)
    for (account,), box, inner in _nested(tiles, ("account",), Box(0, 0, _MAP_WIDTH, _MAP_HEIGHT), 0.17):
        _box(axes, box, fill="#f4f6f8", edge="#ffffff", width=3.0)
        _label(axes, account or "-", Box(box.x + 0.05, box.y, box.width - 0.1, 0.17), weight="bold")
        for (_, service), service_box, rest in _nested(inner, ("account", "service"), _shrunk(box, 0.17), 0.14):
            _label(
                axes, service or "-", Box(service_box.x + 0.04, service_box.y, service_box.width - 0.08, 0.14), colour=SOFT
            )
            ranked = sorted(rest, key=lambda tile: -tile.cost)
            for tile, place in zip(
                ranked, squarify([tile.cost for tile in ranked], _shrunk(service_box, 0.14)), strict=True
            ):
                _box(axes, place, fill=_shade(tile), edge="#ffffff", width=0.9)
                if place.height > 0.16 and place.width > 0.45:
                    text = f"{tile.application or 'untagged'} {tile.cost:,.0f}"
                    _label(axes, text, Box(place.x + 0.03, place.y, place.width - 0.06, min(place.height, 0.2)))


def _nested(
    tiles: Sequence[Tile], keys: tuple[str, ...], box: Box, head: float
) -> list[tuple[tuple[str, ...], Box, list[Tile]]]:
    """Groups of tiles by keys, the largest first, each with its box."""
    groups: dict[tuple[str, ...], list[Tile]] = {}
    for tile in tiles:
        groups.setdefault(tuple(getattr(tile, key) for key in keys), []).append(tile)
    ranked = sorted(groups.items(), key=lambda pair: (-sum(tile.cost for tile in pair[1]), pair[0]))
    boxes = squarify([sum(tile.cost for tile in own) for _, own in ranked], box)
    return [(key, place, own) for (key, own), place in zip(ranked, boxes, strict=True) if place.height > head]


def _shrunk(box: Box, head: float) -> Box:
    """Without a line for the name."""
    return Box(box.x, box.y + head, box.width, max(box.height - head, 1e-6))


def _shade(tile: Tile) -> str:
    """From grey to red by growth; green where it fell. What is new has no growth to speak of, and is red."""
    growth = (tile.cost - tile.before) / max(tile.before, 0.02 * tile.cost)
    share = min(abs(growth) / 1.0, 1.0) if abs(growth) > 0.08 else 0.0
    colour = (213, 94, 0) if growth > 0 else (0, 130, 95)
    plain = (222, 227, 231)
    mixed = [round(base + (target - base) * share * 0.85) for base, target in zip(plain, colour, strict=True)]
    return "#{:02x}{:02x}{:02x}".format(*mixed)


def _box(axes: Axes, box: Box, *, fill: str, edge: str, width: float) -> None:
    from matplotlib.patches import Rectangle

    axes.add_patch(Rectangle((box.x, box.y), box.width, box.height, facecolor=fill, edgecolor=edge, linewidth=width))


def _label(axes: Axes, text: str, box: Box, *, colour: str = INK, weight: Any = "normal") -> None:
    if box.width < 0.25:
        return
    shown, size = fit(text, box.width * (0.83 if weight == "bold" else 0.95), SMALL, smallest=5.5)
    if len(shown.rstrip("…")) > 2:
        axes.text(box.x, box.y + box.height / 2, shown, size=size, color=colour, weight=weight, va="center", clip_on=True)


def _palette(count: int) -> list[str]:
    return [_COLOURS[number % len(_COLOURS)] for number in range(count)]


def _plain(axes: Axes) -> None:
    axes.grid(visible=True, axis="y", color=FAINT, linewidth=0.5)
    axes.set_axisbelow(True)
    axes.patch.set_visible(False)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
