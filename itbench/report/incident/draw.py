"""Draws a picture of an incident as SVG or PNG, with matplotlib."""

from __future__ import annotations

import io
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from itbench.model.errors import MissingExtraError, UsageError
from itbench.report.incident.curves import METRICS
from itbench.report.incident.picture import Picture
from itbench.report.incident.style import CURVES, INK, RC, SMALL, SOFT, TITLES, bare, fit, width_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Format = Literal["svg", "png"]

# All in inches.
_WIDTH, _MARGIN = 11.0, 0.3
_INNER = _WIDTH - 2 * _MARGIN
_TITLE, _LINE, _HEADING = 0.32, 0.185, 0.3
_PANEL, _GAP = 0.5, 0.14
_NAMES, _UNITS = 1.35, 0.52
_AXIS = 0.42
_STRIP_NAMES = 3.0
_SPACE = 0.14
_DOTS = 130


def draw(picture: Picture, form: Format) -> bytes:
    """The picture's file. Equal pictures give equal bytes.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    require_matplotlib()
    from matplotlib import style

    from itbench.report.incident.svg import tidy

    with style.context(["default", RC]):  # whatever the user's matplotlibrc says
        figure = _figure(picture)
        out = io.BytesIO()
        if form == "png":
            figure.savefig(out, format="png", dpi=_DOTS, metadata={"Software": None})
            return out.getvalue()
        figure.savefig(out, format="svg", metadata={"Date": None})
    return tidy(out.getvalue().decode(), prefix=f"{picture.id}-{picture.seed}", title=picture.title).encode()


def require_matplotlib() -> None:
    """See that pictures can be drawn, before anything that takes time.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    try:
        import matplotlib as mpl  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("matplotlib", "plot", "drawing an incident") from error


def format_of(path: Path) -> Format:
    """What a file's name asks for.

    Raises:
        UsageError: neither SVG nor PNG.
    """
    match path.suffix.lower():
        case ".svg":
            return "svg"
        case ".png":
            return "png"
    raise UsageError("a picture is an SVG or a PNG file", path=path, hint="End the name in .svg or .png")


class _Sheet:
    """A figure that is filled from the top to the bottom."""

    def __init__(self, figure: Figure) -> None:
        self.figure = figure
        self.height = float(figure.get_figheight())
        self.y = 0.0

    def axes(self, left: float, width: float, height: float) -> Axes:
        """Axes of a size, where the sheet is filled to, `left` of the inner margin."""
        bottom = self.height - self.y - height
        place = ((_MARGIN + left) / _WIDTH, bottom / self.height, width / _WIDTH, height / self.height)
        return self.figure.add_axes(place)

    def write(self, text: str, left: float = 0.0, *, size: float, weight: str = "normal", color: str = INK) -> None:
        """A text whose middle is half a line below where the sheet is filled to."""
        x, y = (_MARGIN + left) / _WIDTH, 1 - (self.y + _LINE / 2) / self.height
        self.figure.text(x, y, text, size=size, weight=weight, color=color, va="center")


def _figure(picture: Picture) -> Figure:
    from matplotlib.figure import Figure

    from itbench.report.incident.draw_spread import ROW
    from itbench.report.incident.draw_timeline import height_of, sections_of

    lines = [line for cause in picture.causes for line in textwrap.wrap(cause, 132, break_on_hyphens=False)]
    notes = textwrap.wrap(_note(picture), 165, break_on_hyphens=False)
    sections = sections_of(picture)
    graph = picture.graph.rows * ROW
    panels = len(picture.curves.rows) * (_PANEL + _GAP) - _GAP
    text = _TITLE + _LINE * (len(lines) + 1) + 2 * _SPACE + 2 * _HEADING
    height = 2 * _MARGIN + text + graph + panels + height_of(sections) + 2 * _AXIS + _LINE * len(notes)
    figure = Figure(figsize=(_WIDTH, height), facecolor="#ffffff")
    sheet = _Sheet(figure)
    sheet.y = _MARGIN
    _head(sheet, picture, lines)
    _spread(sheet, picture, graph)
    _curves(sheet, picture)
    _timeline(sheet, picture)
    for line in notes:
        sheet.write(line, size=SMALL, color=SOFT)
        sheet.y += _LINE
    return figure


def _note(picture: Picture) -> str:
    note = "Grey: the same world without the fault, on the same random numbers. Dashed lines: faults."
    if picture.curves.omitted:
        note += f" Without curves here: {', '.join(picture.curves.omitted)}."
    return f"{note} Simulated by itbench, seed {picture.seed}."


def _head(sheet: _Sheet, picture: Picture, lines: list[str]) -> None:
    title, size = fit(picture.title, _INNER, 14)
    sheet.write(title, size=size, weight="bold")
    sheet.y += _TITLE
    for line in (*lines, picture.effect):
        sheet.write(line, size=8.5, color=SOFT if line == picture.effect else INK)
        sheet.y += _LINE


def _spread(sheet: _Sheet, picture: Picture, height: float) -> None:
    from itbench.report.incident.draw_spread import draw_legend, draw_spread

    sheet.y += _SPACE
    sheet.write("How it spread", size=9.5, weight="bold")
    legend = sheet.axes(0, _INNER, _LINE)
    bare(legend)
    legend.set_xlim(0, _INNER)
    legend.set_ylim(_LINE, 0)
    draw_legend(legend, picture.graph.edges, _INNER, _LINE / 2)
    sheet.y += _HEADING
    if picture.graph.nodes:
        draw_spread(sheet.axes(0, _INNER, height), picture.graph, _INNER, height)
    sheet.y += height + _SPACE


def _curves(sheet: _Sheet, picture: Picture) -> None:
    from itbench.report.incident.draw_curves import draw_curve

    width = (_INNER - _NAMES - 3 * _UNITS) / 3
    minutes = (picture.curves.times - picture.begins) / 60
    window, faults = _minutes(picture)
    for number, metric in enumerate(METRICS):
        left = _NAMES + _UNITS + number * (width + _UNITS)
        sheet.write(TITLES[metric], left, size=9.5, weight="bold", color=CURVES[metric])
    sheet.y += _HEADING
    rows = picture.curves.rows
    for row in rows:
        for number, metric in enumerate(METRICS):
            axes = sheet.axes(_NAMES + _UNITS + number * (width + _UNITS), width, _PANEL)
            draw_curve(axes, metric, row.curves[metric], minutes, faults)
            axes.set_xlim(*window)
            axes.set_xticks(_ticks(*window) if row is rows[-1] else [])
            if row is rows[-1]:
                axes.set_xlabel("minutes since the first fault", size=SMALL, color=SOFT, labelpad=2)
        middle = 1 - (sheet.y + _PANEL / 2) / sheet.height
        name, size = fit("users" if row.users else row.service, _NAMES, 9.0)
        shift = 0.075 / sheet.height if row.users else 0.0
        sheet.figure.text(_MARGIN / _WIDTH, middle + shift, name, size=size, va="center")
        if row.users:
            small, points = fit(row.service, _NAMES, SMALL, smallest=5.5)
            sheet.figure.text(_MARGIN / _WIDTH, middle - shift, small, size=points, color=SOFT, va="center")
        sheet.y += _PANEL + _GAP
    sheet.y += _AXIS - _GAP


def _timeline(sheet: _Sheet, picture: Picture) -> None:
    from itbench.report.incident.draw_timeline import draw_sections, height_of, sections_of

    sections = sections_of(picture)
    height = height_of(sections)
    widest = max((width_of(strip.name, 7.5) for section in sections for strip in section.strips), default=0.0)
    label = min(max(widest + 0.22, _NAMES + _UNITS), _STRIP_NAMES)
    axes = sheet.axes(label, _INNER - label, height)
    window, faults = _minutes(picture)
    draw_sections(axes, sections, window, faults, label)
    axes.set_xticks(_ticks(*window))
    axes.set_xlabel("minutes since the first fault", size=SMALL, color=SOFT, labelpad=2)
    sheet.y += height + _AXIS


def _minutes(picture: Picture) -> tuple[tuple[float, float], list[float]]:
    """The window, and the moments of faults, in minutes since the first fault."""
    first, last = ((time - picture.begins) / 60 for time in picture.window)
    return (first, last), [(mark.time - picture.begins) / 60 for mark in picture.marks if mark.what == "fault"]


def _ticks(first: float, last: float) -> list[float]:
    step = next(step for step in (1, 2, 5, 10, 20, 30, 60, 120, 240, 1440) if (last - first) / step <= 9)
    return [float(tick) for tick in range(-(-int(first) // step) * step, int(last) + 1, step)]
