"""A scenario on the twin, and what was seen of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np

from itbench.environments.kind.monitoring import SECONDS as MONITORING_SECONDS
from itbench.environments.live.gates import alerts_in, unhealthy
from itbench.environments.live.stage import StageError
from itbench.environments.validation.observed import Observed
from itbench.snapshot.records import Alert
from itbench.twin.compare.service_levels import Level, Shift
from itbench.twin.incident.incident import Incident
from itbench.twin.incident.levels import Levels
from itbench.twin.incident.plan import Plan
from itbench.twin.randomness import Streams
from itbench.twin.telemetry.history import Observation
from itbench.twin.telemetry.recording import LITE, alerts_of
from itbench.twin.telemetry.rules.load import rules_for

BEFORE = 60.0
"""Seconds before a fault over which service levels are taken."""
SETTLING = 10.0
"""Seconds after the last step that belong to neither side: levels are on their way."""


def undisturbed(plan: Plan) -> Plan:
    """A plan without background noise and distractions: what happens is the fault's doing."""
    scenario = plan.scenario.model_copy(update={"noise": 0.0, "distractions": ()})
    return replace(plan, file=replace(plan.file, scenario=scenario), distractions=())


def warmed_up(incident: Incident) -> None:
    """Let the healthy time pass.

    Raises:
        StageError: the application does not get healthy.
    """
    incident.wait_until(incident.plan.scenario.timeline.before)
    if problems := unhealthy(incident):
        raise StageError(f"the application does not get healthy: {'; '.join(problems[:5])}")


def simulated(plan: Plan, seed: int, epoch: datetime | None = None) -> Observed:
    """Play a scenario as its timeline says.

    Raises:
        StageError: the application does not get healthy.
        DatasetError: a fault cannot be injected; with path, line and key.
    """
    incident = Incident(plan, seed, epoch=epoch)
    warmed_up(incident)
    incident.play()
    return seen_in(incident, incident.happened().observations, alerts_in(incident))


def simulated_like(plan: Plan, seed: int, real: Observed, patience: float) -> Observed:
    """Play a scenario as it was played on kind: on such nodes, each step at the same time, for as long, as closely watched.

    Args:
        plan: of the scenario.
        seed: of everything random.
        real: what was seen there.
        patience: seconds that was waited for one thing at most.

    Raises:
        StageError: the application does not get healthy.
        DatasetError: a fault cannot be injected; with path, line and key.
    """
    after = math.ceil(real.seconds)
    timeline = plan.scenario.timeline.model_copy(update={"before": 2 * BEFORE, "after": float(after)})
    scenario = plan.scenario.model_copy(update={"timeline": timeline})
    plan = replace(plan, file=replace(plan.file, scenario=scenario))
    first = min(real.moments, default=0.0)
    moments = [timeline.before + moment - first for moment in real.moments]
    incident = Incident(plan, seed, moments=moments, nodes=real.nodes or None, tick=1.0, patience=patience)
    warmed_up(incident)
    incident.play()
    begin = incident.injected[0].time
    if incident.now < begin + real.seconds:
        incident.wait_until(math.ceil(begin + real.seconds))
    happened, alerts = incident.happened(), None
    if real.alerts is not None:
        often = replace(LITE, scrape_seconds=MONITORING_SECONDS)
        alerts = alerts_of(happened, Streams(seed), rules_for(plan.application.name), often, MONITORING_SECONDS)
    seen = seen_in(incident, happened.observations, alerts)
    return replace(seen, seconds=real.seconds)


def seen_in(incident: Incident, observations: Sequence[Observation], alerts: Sequence[Alert] | None) -> Observed:
    """What was seen of an incident on a twin.

    Args:
        incident: that was played.
        observations: a watch, with seconds from the beginning.
        alerts: all sightings, in the order of time; None where alerts are not told.
    """
    begin = incident.injected[0].time
    return Observed(
        namespace=incident.plan.application.namespace,
        observations=[replace(seen, time=seen.time - begin) for seen in observations],
        seconds=incident.now - begin,
        moments=tuple(moment - begin for moment in incident.moments),
        shifts=_shifts(incident, begin),
        alerts=None if alerts is None else _onsets(incident, begin, alerts),
    )


def alert_key(alert: Alert) -> str:
    """An alert's rule and what it is about."""
    return f"{alert.name} ({alert.entity})"


def _onsets(incident: Incident, begin: float, alerts: Sequence[Alert]) -> dict[str, float]:
    """When each alert first fired that did not fire before."""
    epoch = incident.running.twin.clock.epoch
    found: dict[str, float] = {}
    before = set()
    for alert in alerts:
        second = (alert.time - epoch).total_seconds() - begin
        if alert.state != "firing":
            continue
        if second <= 0:
            before.add(alert_key(alert))
        else:
            found.setdefault(alert_key(alert), second)
    return {key: second for key, second in found.items() if key not in before}


def _shifts(incident: Incident, begin: float) -> Mapping[str, Shift]:
    levels = Levels.of(incident.happened())
    since = max(incident.moments) + SETTLING
    sides = [_levels(levels, max(begin - BEFORE, 0.0), begin), _levels(levels, since, math.inf)]
    return {name: Shift(before=sides[0][name], under=sides[1][name]) for name in levels.services}


def _levels(levels: Levels, since: float, until: float) -> dict[str, Level]:
    ticks = np.arange(len(levels)) * levels.seconds
    chosen = (ticks >= since) & (ticks + levels.seconds <= until)
    requests = levels.requests[chosen] * levels.seconds
    failed, seconds = (requests * np.nan_to_num(each[chosen]) for each in (levels.failures, levels.latency))
    return {
        name: Level(
            requests=float(requests[:, index].sum()),
            failed=float(failed[:, index].sum()),
            seconds=float(seconds[:, index].sum()),
        )
        for index, name in enumerate(levels.services)
    }
