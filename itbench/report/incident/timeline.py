"""The strips under the curves: what was done and when, the alerts, and what Kubernetes reported."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from itbench.snapshot.records import Alert, Event
from itbench.twin.incident.measure import Worlds
from itbench.twin.randomness import Streams
from itbench.twin.telemetry.alerts import INTERVAL
from itbench.twin.telemetry.history import History
from itbench.twin.telemetry.noise import Noise
from itbench.twin.telemetry.recording import Happened


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that was done at one moment, seconds from the beginning of the recording."""

    time: float
    what: Literal["fault", "step", "innocent"]
    text: str


@dataclass(frozen=True, slots=True)
class Bar:
    """One alert about one thing.

    Attributes:
        since, fires, until: when it became active, when it fired, and when it was over or the recording was;
            seconds from the beginning of the recording.
        innocent: whether it fires without the faults as well.
    """

    name: str
    about: str
    since: float
    fires: float
    until: float
    innocent: bool


@dataclass(frozen=True, slots=True)
class Reports:
    """Kubernetes events of one reason about one service, or about another object; `times` as those of bars."""

    reason: str
    about: str
    warning: bool
    times: tuple[float, ...]


def marks_of(worlds: Worlds) -> tuple[Mark, ...]:
    """What was done to the application: faults, the scenario's other steps, and changes that mean nothing; by time."""
    plan = worlds.plan
    found = [
        Mark(item.time, "fault", ", ".join(f"{ref.kind}/{ref.name}" for ref in item.injection.roots[:2]))
        for item in worlds.injected
    ]
    for step, moment in zip(plan.steps, worlds.moments, strict=True):
        if step.waiter is not None:
            target = getattr(step.waiter.args, "kubernetesObject", None)
            about = f": {target.ref.name}" if target is not None else ""
            found.append(Mark(moment, "step", f"{step.waiter.title}{about}"))
    seconds = plan.scenario.timeline.seconds
    noise = Noise(Streams(worlds.seed), worlds.faulted.begin, seconds, plan.scenario.noise)
    found += [Mark(it.time, "innocent", f"{it.ref.kind}/{it.ref.name}") for it in noise.changes(plan.application)]
    return tuple(sorted(found, key=lambda mark: mark.time))


def bars_of(alerts: Iterable[Alert], quiet: Iterable[Alert], begin: datetime, owners: Mapping[str, str]) -> tuple[Bar, ...]:
    """The alerts that fire, in the order in which they became active.

    Args:
        alerts: sightings in the order of time, pending ones included.
        quiet: those of the world without the faults.
        begin: of the recording.
        owners: the services of pods.
    """
    innocent = {_identity(alert) for alert in quiet if alert.state == "firing"}
    episodes: dict[tuple[object, ...], list[Alert]] = defaultdict(list)
    for alert in alerts:
        episodes[*_identity(alert), alert.active_since].append(alert)
    found = []
    for seen in episodes.values():
        firing = [alert for alert in seen if alert.state == "firing"]
        if firing:
            since, fires, last = (
                (moment - begin).total_seconds()
                for moment in (firing[0].active_since or firing[0].time, firing[0].time, seen[-1].time)
            )
            known = _identity(firing[0]) in innocent
            found.append(Bar(firing[0].name, _about(firing[0], owners), since, fires, last + INTERVAL, known))
    return tuple(sorted(found, key=lambda bar: (bar.since, bar.fires, bar.name, bar.about)))


def _identity(alert: Alert) -> tuple[str, ...]:
    return (alert.name, *(f"{key}={value}" for key, value in sorted(alert.labels.items())))


def _about(alert: Alert, owners: Mapping[str, str]) -> str:
    """The one thing that people would say it is about; of a pod its service."""
    for label in ("service_name", "destination_workload", "horizontalpodautoscaler", "deployment", "statefulset"):
        if alert.labels.get(label):
            return alert.labels[label]
    return owners.get(alert.labels.get("pod", ""), alert.entity)


def owners_of(worlds: Worlds) -> dict[str, str]:
    """The services of all pods that there ever were."""
    return {usage.name: usage.service for world in (worlds.faulted, worlds.healthy) for usage in world.usages}


def reports_of(worlds: Worlds) -> tuple[Reports, ...]:
    """The events that the world without the faults does not have as often, warnings first, then by time."""
    owners = owners_of(worlds)
    seconds = worlds.plan.scenario.timeline.seconds
    ours, theirs = (_reports(world, seconds, owners) for world in (worlds.faulted, worlds.healthy))
    found = [
        Reports(reason, about, warning, tuple(times))
        for (reason, about, warning), times in ours.items()
        if len(times) > len(theirs.get((reason, about, warning), ()))
    ]
    return tuple(sorted(found, key=lambda item: (not item.warning, item.times[0], item.reason, item.about)))


_Key = tuple[str, str, bool]


def _reports(world: Happened, seconds: float, owners: Mapping[str, str]) -> dict[_Key, list[float]]:
    found: dict[_Key, list[float]] = defaultdict(list)
    for event in History(world.observations).events(world.begin, seconds):
        time = ((event.recorded_at or event.time) - world.begin).total_seconds()
        found[event.reason, _subject(event, owners), event.type == "Warning"].append(time)
    return found


def _subject(event: Event, owners: Mapping[str, str]) -> str:
    """The service whose pod, workload or replica set it is; otherwise the object's own name."""
    name = event.involved.name
    if name in owners:
        return owners[name]
    services = sorted(set(owners.values()), key=len, reverse=True)
    return next((service for service in services if name == service or name.startswith(f"{service}-")), name)


def ordinary(reports: Sequence[Reports]) -> Iterator[Reports]:
    """The reports, those that are no warnings as one for each thing that they are about."""
    yield from (item for item in reports if item.warning)
    groups: dict[str, list[Reports]] = defaultdict(list)
    for item in reports:
        if not item.warning:
            groups[item.about].append(item)
    for about, group in groups.items():
        yield Reports("ordinary events", about, False, tuple(sorted(time for item in group for time in item.times)))


def folded(bars: Sequence[Bar], most: int) -> Iterator[tuple[Bar, int]]:
    """The bars, each with how many it stands for: one alert about many things becomes one bar where they are too many."""
    if len(bars) <= most:
        yield from ((bar, 1) for bar in bars)
        return
    groups: dict[tuple[str, bool], list[Bar]] = defaultdict(list)
    for bar in bars:
        groups[bar.name, bar.innocent].append(bar)
    for (name, innocent), group in groups.items():
        abouts = list(dict.fromkeys(bar.about for bar in group))
        about = abouts[0] if len(abouts) == 1 else f"{len(abouts)} services"
        since, fires, until = min(b.since for b in group), min(b.fires for b in group), max(b.until for b in group)
        yield Bar(name, about, since, fires, until, innocent), len(group)
