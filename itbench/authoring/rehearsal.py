"""A scenario played for its checks: two worlds of one seed, held against each other, and the alerts of both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from itbench.datasets.truth_file import parse_ground_truth
from itbench.model.truth import GroundTruth
from itbench.snapshot.records import Alert
from itbench.twin.incident.incident import Incident
from itbench.twin.incident.measure import Measured, incidents, measure, worlds_of
from itbench.twin.incident.plan import Plan
from itbench.twin.incident.simulate import TRUTH_FILE, Simulation, observe
from itbench.twin.randomness import Streams
from itbench.twin.telemetry.alerts import identity
from itbench.twin.telemetry.recording import LITE, Recording, alerts_of
from itbench.twin.telemetry.rules.load import rules_for


@dataclass(frozen=True, slots=True, eq=False)
class Rehearsal:
    """A scenario, played to its end with and without its faults; both worlds can go on.

    Attributes:
        alerts: all sightings in the world with the faults, pending and firing.
        quiet: those in the other one.
    """

    plan: Plan
    seed: int
    faulted: Incident
    healthy: Incident
    measured: Measured
    alerts: tuple[Alert, ...]
    quiet: tuple[Alert, ...]

    @property
    def injected_at(self) -> float:
        """When the first fault was injected, seconds from the beginning."""
        return min(item.time for item in self.measured.worlds.injected)

    @property
    def incident_alerts(self) -> tuple[Alert, ...]:
        """The sightings of firing alerts that the faults are to blame for, in the order of time."""
        innocent = {identity(alert) for alert in self.quiet if alert.state == "firing"}
        return tuple(alert for alert in self.alerts if alert.state == "firing" and identity(alert) not in innocent)

    def seconds(self, alert: Alert) -> float:
        """When an alert was seen, seconds from the beginning."""
        return (alert.time - self.measured.worlds.faulted.begin).total_seconds()


@dataclass(frozen=True, slots=True, eq=False)
class Exhibit:
    """What an agent would be given, and what it would be held against."""

    recording: Recording
    truth: GroundTruth


def rehearse(plan: Plan, seed: int) -> Rehearsal:
    """Play a scenario.

    Raises:
        DatasetError: a fault cannot be injected, or two change one field; with path, line and key.
    """
    faulted, healthy = incidents(plan, seed)
    return Rehearsal(
        plan=plan,
        seed=seed,
        faulted=faulted,
        healthy=healthy,
        measured=measure(worlds_of(faulted, healthy)),
        alerts=alerts_in(faulted),
        quiet=alerts_in(healthy),
    )


def alerts_in(incident: Incident) -> tuple[Alert, ...]:
    """All sightings of alerts in a world so far, as a recording has them."""
    rules = rules_for(incident.plan.application.name)
    return alerts_of(incident.happened(), Streams(incident.seed), rules, LITE)


def exhibit(rehearsal: Rehearsal, folder: Path = Path()) -> Exhibit:
    """What the files of a rehearsed scenario would hold; nothing is written.

    Args:
        rehearsal: of the scenario.
        folder: what messages about the ground truth say that it is in.
    """
    worlds = rehearsal.measured.worlds
    recording = observe(rehearsal.plan, rehearsal.seed, worlds.faulted, LITE)
    truth = Simulation(rehearsal.measured, recording, rehearsal.quiet).truth()
    text = yaml.safe_dump(truth, sort_keys=False, allow_unicode=True)
    return Exhibit(recording, parse_ground_truth(text, folder / TRUTH_FILE, 1).truth)


def names_of(alerts: Sequence[Alert]) -> list[str]:
    """Alerts as `name (what about)`, each once, in the order of first sight."""
    return list(dict.fromkeys(f"{alert.name} ({alert.entity})" for alert in alerts))
