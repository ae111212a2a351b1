"""Everything that a picture of an incident shows, as numbers and words; nothing here draws."""

from __future__ import annotations

from dataclasses import dataclass

from itbench.report.incident.curves import Curves, curves_of
from itbench.report.incident.spread import Graph, graph_of, percent
from itbench.report.incident.timeline import Bar, Mark, Reports, bars_of, marks_of, owners_of, reports_of
from itbench.twin.incident.measure import Measured
from itbench.twin.incident.simulate import Simulation
from itbench.twin.incident.words import condition_of_root

_LEAD = 600.0
"""Seconds before the first fault that are shown: enough to see what is usual."""


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """What a picture shows.

    Attributes:
        id: of the scenario.
        title: of the scenario.
        causes: what was changed, a line for each fault.
        effect: how far it went, in a sentence.
        begins: the first fault, seconds from the beginning of the recording: minute 0 of the picture.
        window: begin and end of what is shown, seconds from the beginning of the recording.
    """

    id: str
    title: str
    seed: int
    causes: tuple[str, ...]
    effect: str
    begins: float
    window: tuple[float, float]
    curves: Curves
    graph: Graph
    marks: tuple[Mark, ...]
    bars: tuple[Bar, ...]
    reports: tuple[Reports, ...]


def picture_of(simulation: Simulation) -> Picture:
    """The picture of a simulated scenario."""
    measured = simulation.measured
    worlds, timeline = measured.worlds, measured.worlds.plan.scenario.timeline
    begins = min((item.time for item in worlds.injected), default=timeline.before)
    window = max(begins - _LEAD, 0.0), timeline.seconds
    bars = bars_of(simulation.recording.alerts, simulation.quiet, worlds.faulted.begin, owners_of(worlds))
    return Picture(
        id=worlds.plan.scenario.id,
        title=worlds.plan.scenario.title,
        seed=worlds.seed,
        causes=tuple(f"{item.fault.title}. {condition_of_root(item.injection)}" for item in worlds.injected),
        effect=effect_in_words(measured, begins),
        begins=begins,
        window=window,
        curves=curves_of(measured, window),
        graph=graph_of(measured),
        marks=tuple(mark for mark in marks_of(worlds) if window[0] <= mark.time <= window[1]),
        bars=tuple(bar for bar in bars if window[0] <= bar.until and bar.since <= window[1]),
        reports=reports_of(worlds),
    )


def effect_in_words(measured: Measured, begins: float) -> str:
    """What came of it: how soon, how far, and what users noticed."""
    if measured.onset is None:
        return "Nothing that counts differs from the same world without the fault."
    touched = {impact.service for impact in measured.impacts}
    of = len(measured.worlds.plan.application.services)
    burned = measured.burned
    share = burned.failed / burned.requests if burned.requests > 0 else 0.0
    users = f"{percent(share)} of users’ requests fail" if share >= 5e-5 else "users see no more errors than usual"
    delay = measured.onset - begins
    soon = "First impact at once" if delay < 1 else f"First impact after {delay:.0f} s"
    suffer = "suffers" if len(touched) == 1 else "suffer"
    return f"{soon}; {len(touched)} of {of} services {suffer}; {users}."
