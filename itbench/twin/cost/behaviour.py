"""How much of a line is used: pods and nodes of an autoscaler, hours of a job, GB that are kept or moved.

Arrays have the shape (days, 24) unless they are said to be by day. Formulas: docs/finops-twin.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from itbench.twin.cost.calendar import Calendar, Floats
from itbench.twin.cost.organisation import Family, Fixed, Flow, Job, Pool, Stock
from itbench.twin.cost.plan import LinePlan

PACKING = 0.92
"""Share of a node that pods can request."""
FOOTPRINT, PER_LOAD = 0.35, 0.25
"""Memory that a pod uses, by its request: when idle, and in proportion to its utilisation."""
IDLE = 0.02
"""Utilisation of what nobody uses."""
BUSY = 0.85
"""Utilisation of the instances of a job that runs."""
_FULL = 0.98


@dataclass(frozen=True, slots=True, eq=False)
class Service:
    """How a workload serves.

    Attributes:
        replicas: pods or instances.
        utilisation: of the CPU that they request (of a pool), or have; at most 1.
        memory: use of the memory that they request.
        dropped: share of the work that there is no room for.
    """

    replicas: Floats
    utilisation: Floats
    memory: Floats
    dropped: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Use:
    """What is used of a line.

    Attributes:
        units: instances, or GB, or GB an hour.
        service: of what works; None of data.
    """

    units: Floats
    service: Service | None = None


def use_of(line: LinePlan, families: Mapping[str, Family], requests: Floats, noise: Floats, calendar: Calendar) -> Use:
    """What is used of a line.

    Args:
        line: the line.
        families: by name.
        requests: a second, as they arrive at its application.
        noise: standard normal numbers, by day.
        calendar: the days.
    """
    spec = line.spec
    if isinstance(spec, Pool):
        found = _pool(line, spec, families, requests)
    elif isinstance(spec, Fixed):
        found = _fixed(line, spec, families, requests)
    elif isinstance(spec, Job):
        found = _job(line, spec, noise, calendar)
    elif isinstance(spec, Stock):
        found = Use(np.repeat(_stock(line, spec, noise)[:, None], 24, axis=1))
    else:
        assert isinstance(spec, Flow)
        found = Use(requests * (spec.kb * line.intensity * 3600 / 1e6)[:, None] + line.extra[:, None])
    if line.begins or line.ends is not None:
        there = np.zeros(calendar.days)
        there[line.begins : line.ends] = 1.0
        return Use(found.units * there[:, None], found.service)
    return found


def per_day(changes: Sequence[tuple[int, str]], days: int, value: Callable[[str], float]) -> Floats:
    """A value by day, from what holds from a day on."""
    found = np.empty(days)
    for place, (begins, name) in enumerate(changes):
        found[begins : changes[place + 1][0] if place + 1 < len(changes) else days] = value(name)
    return found


def _pool(line: LinePlan, spec: Pool, families: Mapping[str, Family], requests: Floats) -> Use:
    load = requests * (spec.cpu_ms / 1000)
    wanted = load / (spec.cpu * line.target[:, None])
    room = line.memory_target - FOOTPRINT
    # Below its idle footprint no number of pods reaches the target: the autoscaler goes to its most.
    by_memory = np.where(room > 0, PER_LOAD / np.where(room > 0, room, 1.0), np.inf)[:, None] * load / spec.cpu
    replicas = np.clip(np.ceil(np.maximum(wanted, by_memory)), line.least[:, None], line.most[:, None])
    cores = per_day(line.sized_for, line.days, lambda name: families[name].vcpu)
    memory = per_day(line.sized_for, line.days, lambda name: families[name].memory)
    each = np.maximum(spec.cpu / cores, spec.memory / memory) / PACKING
    nodes = np.maximum(np.ceil(replicas * (each * line.count)[:, None]), 1.0)
    return Use(nodes, _service(load, replicas, replicas * spec.cpu))


def _fixed(line: LinePlan, spec: Fixed, families: Mapping[str, Family], requests: Floats) -> Use:
    instances = np.maximum(np.round(spec.instances * line.count + line.extra), 0.0)
    units = np.repeat(instances[:, None], 24, axis=1)
    if not line.used:
        idle = np.full_like(units, IDLE)
        return Use(units, Service(units, idle, idle + FOOTPRINT / 2, np.zeros_like(units)))
    if not spec.cpu_ms:
        return Use(units)
    cores = per_day(line.families, line.days, lambda name: families[name].vcpu)
    return Use(units, _service(requests * (spec.cpu_ms / 1000), units, units * cores[:, None]))


def _service(load: Floats, replicas: Floats, capacity: Floats) -> Service:
    capacity = np.maximum(capacity, 1e-9)
    raw = load / capacity
    dropped = np.where(raw > _FULL, 1 - _FULL / np.maximum(raw, _FULL), 0.0)
    utilisation = np.minimum(raw, _FULL)
    return Service(replicas, utilisation, FOOTPRINT + PER_LOAD * utilisation, dropped)


def _job(line: LinePlan, spec: Job, noise: Floats, calendar: Calendar) -> Use:
    first, last = spec.hours
    hours = np.arange(24)
    on = calendar.active(spec.days)[:, None] & ((hours >= first) & (hours < last))[None, :]
    instances = np.maximum(np.round(spec.instances * line.count + line.extra), 0.0)[:, None]
    # A run takes a little longer or shorter than another; the last instances to end make the difference.
    working = on * instances * np.exp(0.04 * noise)[:, None]
    if not line.used:
        working = np.zeros_like(working)
    units = np.where(line.always[:, None], instances, working)
    utilisation = np.where(units > 0, np.where(on & line.used, BUSY, IDLE), 0.0)
    zeros = np.zeros_like(units)
    return Use(units, Service(units, utilisation, np.minimum(utilisation + 0.1, 1.0) * (units > 0), zeros))


def _stock(line: LinePlan, spec: Stock, noise: Floats) -> Floats:
    """GB by day: what is kept for good, and what came in on the days that are still kept."""
    coming = spec.gb_each_day * line.ingest * np.exp(0.08 * noise)
    earlier = spec.keep_days or 0  # days before the first whose data is still there then, at the usual pace
    total = np.concatenate([[0.0], np.cumsum(np.concatenate([np.full(earlier, spec.gb_each_day), coming]))])
    stock = np.zeros(line.days)
    keeps = [(0, spec.keep_days), *line.keeps]
    gone = 0  # days, from the earliest on, whose data has been deleted
    for place, (begins, keep) in enumerate(keeps):
        ends = keeps[place + 1][0] if place + 1 < len(keeps) else line.days
        today = np.arange(begins, ends) + earlier
        # What was deleted does not come back when data is kept longer.
        deleted = np.full(len(today), gone) if keep is None else np.maximum(today - keep + 1, gone)
        stock[begins:ends] = total[today + 1] - total[deleted]
        gone = int(deleted[-1]) if len(deleted) else gone
    found: Floats = np.maximum(spec.gb * line.count + stock + line.extra, 0.0)
    return found
