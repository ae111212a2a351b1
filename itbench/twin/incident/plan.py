"""What a scenario will do, in the order of time: its steps as faults and waiters that are ready to act."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import ValidationError

from itbench.datasets.findings import Key
from itbench.datasets.scenario_file import ScenarioFile
from itbench.faults.arguments import ArgumentsError
from itbench.faults.registry import AnyFault, fault
from itbench.faults.waiters import AnyWaiter, waiter
from itbench.model.errors import FaultError
from itbench.model.scenario import Scenario, Step
from itbench.twin.app.application import Application
from itbench.twin.changes import Change, ChangeEntry
from itbench.twin.documents import Document
from itbench.twin.incident.preparation import application_of


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """A fault or a waiter; one of them is None.

    Attributes:
        at: seconds after the first disruption, before which it does not begin.
        key: where the scenario file says so.
    """

    at: float
    key: Key
    fault: AnyFault | None = None
    waiter: AnyWaiter | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """A scenario that is ready to be played.

    Attributes:
        steps: waiters and faults.
        distractions: `at` counts from the beginning of the recording.
    """

    file: ScenarioFile
    application: Application
    steps: tuple[PlannedStep, ...]
    distractions: tuple[Change, ...] = ()

    @property
    def scenario(self) -> Scenario:
        """As its author wrote it."""
        return self.file.scenario


def plan(file: ScenarioFile) -> Plan:
    """The plan of a scenario.

    Raises:
        DatasetError: it names an application, fault, waiter or argument that does not exist; with path, line and key.
        UsageError: the application's own file is wrong.
    """
    return Plan(file, application_of(file), tuple(_steps(file)), tuple(_distractions(file)))


def _distractions(file: ScenarioFile) -> Iterator[Change]:
    document = Document(file.source.value, file.source, 0)
    for index, distraction in enumerate(file.scenario.distractions):
        key: Key = ("distractions", index, "change")
        if "at" in distraction.change:
            raise file.error((*key, "at"), "the time of a distraction stands beside its change")
        try:
            entry = ChangeEntry.model_validate({"at": distraction.at, **distraction.change})
        except ValidationError as error:
            raise document.invalid(error, key) from error
        yield Change(entry, document, key)


def _steps(file: ScenarioFile) -> Iterator[PlannedStep]:
    disruptions = sorted(enumerate(file.scenario.disruptions), key=lambda item: item[1].at)
    for index, disruption in disruptions:
        for part in ("before", "faults", "after"):
            for number, step in enumerate(getattr(disruption, part)):
                key: Key = ("disruptions", index, part, number)
                try:
                    yield _step(step, disruption.at, key, is_fault=part == "faults")
                except ArgumentsError as error:
                    problem = error.problems[0]
                    raise file.error((*key, "args", *problem.key), problem.message, problem.hint) from error
                except FaultError as error:
                    raise file.error((*key, "id"), error.message, error.hint) from error


def _step(step: Step, at: float, key: Key, *, is_fault: bool) -> PlannedStep:
    if is_fault:
        return PlannedStep(at, key, fault=fault(step.id, step.args))
    return PlannedStep(at, key, waiter=waiter(step.id, step.args))
