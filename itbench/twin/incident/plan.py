"""What a scenario will do, in the order of time: its steps as faults and waiters that are ready to act."""

from __future__ import annotations

from dataclasses import dataclass

from itbench.datasets.findings import Key
from itbench.datasets.scenario_file import ScenarioFile
from itbench.faults.protocol import Fault
from itbench.faults.registry import fault
from itbench.faults.waiters import Waiter, waiter
from itbench.model.errors import DatasetError, ItbenchError
from itbench.model.scenario import Scenario, Step
from itbench.twin.app.application import Application
from itbench.twin.incident.preparation import application_of
