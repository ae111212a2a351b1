"""A scenario whose faults are injected through a real API server, with the twin behind it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from itbench.cluster.server import ServerCluster
from itbench.environments.live.face import prepared_plane
from itbench.environments.validation.lockstep import lockstep
from itbench.environments.validation.observed import Observed
from itbench.environments.validation.simulated import seen_in, warmed_up
from itbench.twin.incident.incident import Incident
from itbench.twin.incident.plan import Plan


def epoch_of(plan: Plan) -> datetime:
    """When a world must begin so that its fault is injected about now, by the API server's clock."""
    return datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=plan.scenario.timeline.before)


def on_hybrid(plan: Plan, seed: int, epoch: datetime) -> Observed:
    """Play a scenario as its timeline says; its faults and waiters are clients of an API server, and so is who watches.

    Raises:
        ClusterError: the control plane cannot be had, or fails.
        StageError: the application does not get healthy.
        DatasetError: a fault cannot be injected; with path, line and key.
    """
    incident = Incident(plan, seed, epoch=epoch)
    warmed_up(incident)
    with (
        prepared_plane([]) as plane,
        lockstep(incident, plane) as step,
        ServerCluster.connect(plane.kubeconfig) as server,
    ):
        incident.cluster = server
        incident.play()
        observations = step.observations()
    return seen_in(incident, observations, alerts=True)
