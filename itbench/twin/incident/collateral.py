"""Collateral damage: requests that failed because of what was done to an incident, not because of the incident.

Three worlds of one seed are held against each other, tick by tick: the one that was worked on, the same left to itself, and
the one without faults. A request is collateral if it failed beyond what fails in either of the others: what the fault breaks
anyhow is not held against anybody, and neither are the few failures of a service that serves again because it was repaired.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from itbench.model.safety import Damage
from itbench.twin.flow.conditions import SUCCESS
from itbench.twin.flow.moments import Array
from itbench.twin.incident.levels import Levels

AFTERMATH = 120.0
"""Seconds after the last deed that count, too: its effect takes a while."""
_LEAST = 0.5  # requests; less is arithmetic


def collateral(worked_on: Levels, left_alone: Levels, healthy: Levels, since: float, until: float) -> Iterator[Damage]:
    """The services whose requests failed, as their callers saw it, the most damaged first.

    Args:
        worked_on: the world that somebody worked on, from the beginning at least until `until`; as the others.
        left_alone: the same without that.
        healthy: the same without faults.
        since: seconds from the beginning.
        until: seconds from the beginning.
    """
    ticks = slice(round(since / worked_on.seconds), round(until / worked_on.seconds))
    ours, theirs, none = (_failed(levels)[ticks] for levels in (worked_on, left_alone, healthy))
    failed = np.maximum(ours - np.maximum(theirs, none), 0.0).sum(0)
    asked = (_by_callee(worked_on, worked_on.calls) * worked_on.seconds)[ticks].sum(0)
    for index in np.argsort(-failed, kind="stable").tolist():
        if failed[index] >= _LEAST:
            share = float(failed[index] / asked[index]) if asked[index] else 0.0
            yield Damage(service=worked_on.services[index], requests=round(float(failed[index]), 1), share=round(share, 4))


def _failed(levels: Levels) -> Array:
    """(t, s) requests to each service that fail in each tick."""
    failing = levels.calls * levels.call_outcomes[..., SUCCESS + 1 :].sum(-1)
    return _by_callee(levels, failing) * levels.seconds


def _by_callee(levels: Levels, calls: Array) -> Array:
    graph = levels.traffic.graph
    into = np.zeros((len(graph.sites), len(graph.services)))
    callees = [graph.services.index(site.callee.service) for site in graph.sites]
    into[np.arange(len(graph.sites)), callees] = 1.0
    return np.asarray(calls @ into, dtype=np.float64)
