"""From a scenario to the files of an ITBench-Lite scenario folder, ground truth included.

simulate(plan(read_scenario(path)), seed=7, sampling=LITE).write(folder)
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml

from itbench.snapshot.records import Alert
from itbench.twin.incident.measure import Measured, measure, play
from itbench.twin.incident.plan import Plan
from itbench.twin.incident.truth import Entry, ground_truth
from itbench.twin.randomness import Streams
from itbench.twin.telemetry.noise import Noise
from itbench.twin.telemetry.recording import Happened, Recording, Sampling, alerts_of, record
from itbench.twin.telemetry.rules.load import rules_for

TRUTH_FILE = "ground_truth.yaml"


@dataclass(frozen=True, slots=True, eq=False)
class Simulation:
    """A simulated scenario.

    Attributes:
        recording: what monitoring has of the world with the faults.
        quiet: the alerts of the world without them.
    """

    measured: Measured
    recording: Recording
    quiet: tuple[Alert, ...]

    def truth(self) -> Entry:
        """The ground truth."""
        return ground_truth(self.measured, self.recording.alerts, self.quiet)

    def write(self, folder: Path) -> None:
        """Write all files of the scenario's folder. Equal simulations give equal bytes."""
        self.recording.write(folder)
        text = yaml.safe_dump(self.truth(), sort_keys=False, allow_unicode=True, width=120)
        (folder / TRUTH_FILE).write_text(text, encoding="utf-8")


def simulate(plan: Plan, seed: int, sampling: Sampling) -> Simulation:
    """Play, measure and record a scenario.

    Raises:
        DatasetError: a fault cannot be injected; with path, line and key.
    """
    worlds = play(plan, seed)
    return Simulation(
        measured=measure(worlds),
        recording=observe(plan, seed, worlds.faulted, sampling),
        quiet=alerts_of(worlds.healthy, Streams(seed), rules_for(plan.application.name), sampling),
    )


def observe(plan: Plan, seed: int, happened: Happened, sampling: Sampling) -> Recording:
    """What monitoring has of one world."""
    streams, scenario = Streams(seed), plan.scenario
    noise = Noise(streams, happened.begin, scenario.timeline.seconds, scenario.noise)
    return record(happened, streams, rules_for(plan.application.name), sampling, noise)
