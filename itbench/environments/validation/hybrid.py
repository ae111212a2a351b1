"""A scenario whose faults are injected through a real API server, with the twin behind it."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from itbench.cluster.server import ServerCluster
from itbench.environments.live.face import prepared_plane
from itbench.environments.live.gates import alerts_in
from itbench.environments.validation.lockstep import lockstep
from itbench.environments.validation.observed import Observed
from itbench.environments.validation.simulated import seen_in, warmed_up
from itbench.twin.incident.incident import Incident
from itbench.twin.incident.plan import Plan

_WARM_UP_SECONDS = 10.0  # in which the healthy time can be simulated
_TRIES = 3


def on_hybrid(plan: Plan, seed: int) -> Observed:
    """Play a scenario as its timeline says; its faults and waiters are clients of an API server, and so is who watches.

    Raises:
        ClusterError: the control plane cannot be had, or fails.
        StageError: the application does not get healthy.
        DatasetError: a fault cannot be injected; with path, line and key.
    """
    before = timedelta(seconds=plan.scenario.timeline.before)
    with prepared_plane([]) as plane, ServerCluster.connect(plane.kubeconfig) as server:
        incident, injection = _on_time(plan, seed, before)
        with lockstep(incident, plane) as step:
            incident.cluster = server
            time.sleep(max((injection - datetime.now(UTC)).total_seconds(), 0.0))
            incident.play()
            observations = step.observations()
    return replace(seen_in(incident, observations, alerts_in(incident)), epoch=injection - before)


def _on_time(plan: Plan, seed: int, before: timedelta) -> tuple[Incident, datetime]:
    """A world at the end of its healthy time, and when that is by the wall clock: soon.

    What the API server stamps by its own clock is then as the twin would: schedules count from when they were created.
    On a busy machine the healthy time may take longer than was allowed for; then it is simulated anew, with more time.
    """
    allowed = _WARM_UP_SECONDS
    for _ in range(_TRIES):
        began = datetime.now(UTC)
        injection = began.replace(microsecond=0) + timedelta(seconds=allowed)
        incident = Incident(plan, seed, epoch=injection - before)
        warmed_up(incident)
        took = (datetime.now(UTC) - began).total_seconds()
        if took <= allowed - 1:
            break
        allowed = 2 * took + 2
    return incident, injection
