"""Draws the strips: what was done, the alerts as bars, and Kubernetes events as ticks, on one axis of time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from itbench.report.incident.picture import Picture
from itbench.report.incident.style import BLUE, HEALTHY, INK, ORANGE, SMALL, SOFT, STRIPE, VERMILLION, fit
from itbench.report.incident.timeline import Bar, Mark, Reports, folded, ordinary

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ROW = 0.19
HEADING = 0.27
_MOST_BARS, _MOST_REPORTS, _MOST_INNOCENT = 12, 8, 3
_MARKERS = {"fault": ("v", INK, 52.0), "step": (">", BLUE, 30.0), "innocent": ("D", "#ffffff", 20.0)}

Minutes = Callable[[float], float]


@dataclass(frozen=True, slots=True)
class Strip:
    """A row: its name at the left, and what draws it at a height."""

    name: str
    draw: Callable[[Axes, float], None]


@dataclass(frozen=True, slots=True)
class Section:
    """Rows under a heading, and a remark beside that."""

    heading: str
    remark: str
    strips: tuple[Strip, ...]


def sections_of(picture: Picture) -> tuple[Section, ...]:
    """The sections of a picture that have rows."""

    def minutes(time: float) -> float:
        return (time - picture.begins) / 60

    bars = [replace(bar, until=min(bar.until, picture.window[1])) for bar in picture.bars]
    reports = [item for item in ordinary(picture.reports) if any(time >= picture.window[0] for time in item.times)]
    left = f"; {len(reports) - _MOST_REPORTS} more rows are left out" if len(reports) > _MOST_REPORTS else ""
    pale = "pale: active, full: firing" + ("; grey: fires without the fault too" if any(b.innocent for b in bars) else "")
    found = (
        Section("What was done", "", tuple(_done(picture.marks, minutes))),
        Section("Alerts", pale, tuple(_bar(bar, minutes) for bar, _ in folded(bars, _MOST_BARS))),
        Section(
            "Kubernetes events",
            f"that the world without the fault does not have{left}",
            tuple(_reports(item, minutes, picture.window) for item in reports[:_MOST_REPORTS]),
        ),
    )
    return tuple(section for section in found if section.strips)


def height_of(sections: Sequence[Section]) -> float:
    """Inches that sections take."""
    return sum(HEADING + ROW * len(section.strips) for section in sections)


def draw_sections(
    axes: Axes, sections: Sequence[Section], window: tuple[float, float], faults: Sequence[float], label: float
) -> None:
    """Draw sections on axes whose y is inches downwards and whose x is minutes.

    Args:
        axes: where.
        sections: what.
        window: first and last minute.
        faults: minutes.
        label: inches at the left of the axes that names may take.
    """
    height = height_of(sections)
    axes.set_xlim(*window)
    axes.set_ylim(height, 0)
    axes.set_yticks([])
    axes.patch.set_visible(False)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    aside = axes.get_yaxis_transform()  # x as a share of the axes, y in inches
    inch = 1 / (axes.get_position().width * axes.get_figure(root=True).get_figwidth())  # type: ignore[union-attr]  # drawn axes have one
    y = 0.0
    for section in sections:
        first = y + HEADING
        axes.text(-label * inch, y + 0.62 * HEADING, section.heading, size=8.5, weight="bold", va="center", transform=aside)
        axes.text(0, y + 0.62 * HEADING, section.remark, size=SMALL, color=SOFT, va="center", transform=aside)
        for number, strip in enumerate(section.strips):
            middle = first + (number + 0.5) * ROW
            if number % 2 == 0:
                axes.axhspan(middle - ROW / 2, middle + ROW / 2, color=STRIPE, linewidth=0, zorder=0)
            text, size = fit(strip.name, label - 0.12, 7.5)
            axes.text(-0.08 * inch, middle, text, size=size, ha="right", va="center", transform=aside)
            strip.draw(axes, middle)
        y = first + ROW * len(section.strips)
        for minute in faults:
            axes.plot([minute, minute], [first, y], color=INK, linewidth=0.8, linestyle=(0, (2, 2)), zorder=1)


def _done(marks: Sequence[Mark], minutes: Minutes) -> Iterator[Strip]:
    innocent = [mark for mark in marks if mark.what == "innocent"]
    few = len(innocent) <= _MOST_INNOCENT
    names = {"fault": "fault", "step": "step", "innocent": "harmless change"}
    for mark in marks:
        if mark.what != "innocent" or few:
            yield _mark(f"{names[mark.what]} · {mark.text}", [mark], minutes)
    if not few:
        yield _mark(f"{len(innocent)} harmless changes", innocent, minutes)


def _mark(name: str, marks: Sequence[Mark], minutes: Minutes) -> Strip:
    shape, colour, size = _MARKERS[marks[0].what]
    times = [minutes(mark.time) for mark in marks]

    def draw(axes: Axes, y: float) -> None:
        edge = SOFT if marks[0].what == "innocent" else colour
        look = axes.scatter(times, [y] * len(times), marker=shape, s=size, facecolor=colour, edgecolor=edge, linewidth=1)
        look.set(zorder=3, clip_on=False)

    return Strip(name, draw)


def _bar(bar: Bar, minutes: Minutes) -> Strip:
    since, fires, until = (minutes(time) for time in (bar.since, bar.fires, bar.until))
    colour = HEALTHY if bar.innocent else ORANGE

    def draw(axes: Axes, y: float) -> None:
        high = 0.58 * ROW
        axes.barh(y, until - since, left=since, height=high, color=colour, alpha=0.35, linewidth=0, zorder=2)
        axes.barh(y, until - fires, left=fires, height=high, color=colour, linewidth=0, zorder=3)

    return Strip(f"{bar.name} · {bar.about}", draw)


def _reports(item: Reports, minutes: Minutes, window: tuple[float, float]) -> Strip:
    times = [minutes(time) for time in item.times if window[0] <= time <= window[1]]
    colour = VERMILLION if item.warning else SOFT

    def draw(axes: Axes, y: float) -> None:
        axes.scatter(times, [y] * len(times), marker="|", s=46, color=colour, linewidth=1.2, zorder=3)

    return Strip(f"{item.reason} · {item.about}", draw)
