"""Comparisons of recordings on a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from itbench.twin.compare.traffic import TrafficComparison
from itbench.twin.compare.watch import WatchComparison

_NONE = "–"


def print_watch(comparison: WatchComparison, console: Console | None = None) -> None:
    """Events side by side, spans of time in which the states differ, and the agreement."""
    out = console or Console(highlight=False)
    events = Table("object", "event", "first", "at", "second", "at", header_style="bold")
    for row in comparison.rows:
        cells = (row.first, row.first_seconds, row.second, row.second_seconds)
        style = None if row.first is not None and row.second is not None else "yellow"
        events.add_row(row.kind, row.reason, *(_NONE if cell is None else f"{cell}" for cell in cells), style=style)
    out.print(events)
    if comparison.differences:
        states = Table("seconds", "first", "second", header_style="bold")
        for span in comparison.differences:
            states.add_row(f"{span.start:g} to {span.end:g}", span.first, span.second)
        out.print(states)
    figures = (("events", comparison.events), ("states", comparison.states), ("endpoints", comparison.endpoints))
    out.print("Agreement: " + ", ".join(f"{name} {value:.2f}" for name, value in figures))


def print_traffic(comparison: TrafficComparison, console: Console | None = None) -> None:
    """Failures and latency side by side, and the agreement."""
    out = console or Console(highlight=False)
    table = Table("service", "side", "failure", "first", "seconds", "second", "seconds", "", header_style="bold")
    for row in comparison.rows:
        pairs = ((row.first, row.first_when), (row.second, row.second_when))
        cells = (cell for value, when in pairs for cell in (_figure(value, latency=row.kind is None), _seconds(when)))
        table.add_row(row.service, row.side, row.kind or "latency", *cells, row.note, style=None if row.agrees else "yellow")
    out.print(table)
    figures = comparison.model_dump(exclude={"rows"})
    out.print("Agreement: " + ", ".join(f"{name} {value:.2f}" for name, value in figures.items()))


def _seconds(when: tuple[float, float] | None) -> str:
    """From when to when."""
    return "" if when is None else f"{when[0]:.0f}–{when[1]:.0f}"


def _figure(value: float | None, *, latency: bool) -> str:
    if value is None:
        return _NONE
    return f"×{value:.1f}" if latency else f"{value:.0%}"
