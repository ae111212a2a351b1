"""Scenarios of the public library in our form. What cannot be told there is listed, with the reason; nothing is guessed.

imported = import_scenario(read_upstream(Path("indexes/scenarios/30.json")))
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from itbench.authoring.upstream import UpstreamApplication, UpstreamFile, UpstreamStep, read_upstream, upstream_files
from itbench.datasets.findings import Finding, Key
from itbench.faults.arguments import ArgumentsError
from itbench.faults.registry import fault
from itbench.faults.waiters import waiter
from itbench.model.errors import DatasetError, FaultError
from itbench.model.scenario import Disruption, ExpectedAlert, Load, Scenario, Step

APPLICATIONS = {"opentelemetry-demo": "otel-demo", "book-info": "book-info"}
"""Their names and ours, which are also those of the namespaces."""

_LOAD = {"users": "users", "userSpawnRate": "spawn_rate"}
_TITLE = 120
_SURGE = "kubernetes-api-server-request-surge"
_EXPERIMENT = "scheduled-chaos-mesh-experiment"


@dataclass(frozen=True, slots=True)
class Imported:
    """A scenario in our form.

    Attributes:
        file: where it comes from.
        scenario: ours.
        notes: what of it could not be represented, or means something else here.
    """

    file: UpstreamFile
    scenario: Scenario
    notes: tuple[Finding, ...]


def import_scenario(file: UpstreamFile) -> Imported:
    """A scenario in our form.

    Raises:
        DatasetError: it names an application, fault or waiter that does not exist, or gives one arguments that it cannot
            take; with path, line and key.
    """
    return _Import(file).result()


def import_all(path: Path) -> tuple[tuple[Imported, ...], tuple[Finding, ...]]:
    """Every scenario of a file or folder, and what is wrong with the files that are refused.

    Raises:
        DatasetError: there is no such file or folder, or the folder holds none.
    """
    imported: list[Imported] = []
    refused: list[Finding] = []
    places: dict[str, Path] = {}
    for file in upstream_files(path):
        try:
            found = import_scenario(read_upstream(file))
        except DatasetError as error:
            refused.append(Finding.of(error, file))
            continue
        other = places.setdefault(found.scenario.id, file)
        if other is not file:
            refused.append(found.file.source.finding("error", ("id",), f"the same id as in {other}"))
        else:
            imported.append(found)
    return tuple(imported), tuple(refused)


class _Import:
    def __init__(self, file: UpstreamFile) -> None:
        self._file = file
        self._told = file.scenario
        self._notes: list[Finding] = []

    def result(self) -> Imported:
        told = self._told
        for key in self._file.unknown_keys():
            self._note(key, "unknown key, left out")
        application = self._application()
        options = self._options(application)
        disruptions = tuple(self._disruptions())
        if not disruptions:
            self._note(("disruptions",), "no fault: a scenario without a root cause, whose two worlds are the same")
        scenario = Scenario(
            id=f"upstream-{told.id}",
            domain=told.category,
            title=_title(told.description, told.id),
            description=told.description,
            complexity=told.complexity,
            tags=told.tags,
            application=APPLICATIONS[application.id],
            disruptions=disruptions,
            expected_alerts=tuple(ExpectedAlert(name=name) for name in dict.fromkeys(told.alerts)),
            origin=f"upstream scenario {told.id}",
            **options,
        )
        return Imported(self._file, scenario, tuple(self._notes))

    def _note(self, key: Key, message: str) -> None:
        self._notes.append(self._file.source.finding("info", key, message))

    def _application(self) -> UpstreamApplication:
        found = self._told.environment.applications
        key: Key = ("environment", "applications")
        if len(found) > 1:
            raise self._file.error((*key, 1), "a second application; a scenario of ours has one")
        if found[0].id not in APPLICATIONS:
            known = ", ".join(APPLICATIONS)
            raise self._file.error((*key, 0, "id"), f"there is no application {found[0].id!r}", f"Known: {known}")
        return found[0]

    def _options(self, application: UpstreamApplication) -> dict[str, Any]:
        """The application's arguments as fields of a scenario."""
        load: dict[str, Any] = {}
        autoscaling = False
        for path, value in _leaves((), application.args):
            key: Key = ("environment", "applications", 0, "args", *path)
            if path == ("autoscaling", "kubernetes", "hpa") and isinstance(value, bool):
                autoscaling = value
            elif path[0] == "loadGeneration" and path[1:] == ("browserTraffic",):
                if value:
                    self._note(key, "nothing to switch on: the described load always fetches images, as browsers do")
            elif path[0] == "loadGeneration" and len(path) == 2 and path[1] in _LOAD and _is_positive(value):
                load[_LOAD[path[1]]] = float(value)
            else:
                self._note(key, f"unknown option (or value {value!r}), left out")
        return {"autoscaling": autoscaling, "load": Load(**load)}

    def _disruptions(self) -> Iterator[Disruption]:
        for index, disruption in enumerate(self._told.disruptions):
            key: Key = ("disruptions", index)
            if index == 1:
                self._note(key, "runs when the waiters of the one before have ended; upstream runs the two at once")
            yield Disruption(
                before=tuple(self._steps((*key, "waitFor", "preInjection"), disruption.waits.before, is_fault=False)),
                faults=tuple(self._steps((*key, "injections"), disruption.injections, is_fault=True)),
                after=tuple(self._steps((*key, "waitFor", "postInjection"), disruption.waits.after, is_fault=False)),
            )

    def _steps(self, key: Key, steps: tuple[UpstreamStep, ...], *, is_fault: bool) -> Iterator[Step]:
        for number, step in enumerate(steps):
            place: Key = (*key, number)
            try:
                made = (fault if is_fault else waiter)(step.id, step.args, unknown="ignore")
            except ArgumentsError as error:
                problem = error.problems[0]
                raise self._file.error((*place, "args", *problem.key), problem.message, problem.hint) from error
            except FaultError as error:
                raise self._file.error((*place, "id"), error.message, error.hint) from error
            for name in made.ignored:
                self._note((*place, "args", *name.split(".")), f"argument that {step.id} does not have, left out")
            self._note_what_does_nothing(place, step)
            args = made.args.model_dump(mode="json", exclude_unset=True)
            yield Step(id=step.id, args=self._with_our_container((*place, "args"), args))

    def _with_our_container(self, key: Key, args: dict[str, Any]) -> dict[str, Any]:
        """BookInfo's containers bear the app's name, such as `reviews`; ours bear the workload's, such as `reviews-v3`."""
        workload = str(((args.get("kubernetesObject") or {}).get("metadata") or {}).get("name", ""))
        container = args.get("container") or {}
        if not container or not re.fullmatch(rf"{re.escape(str(container.get('name')))}-v\d+", workload):
            return args
        self._note((*key, "container", "name"), f"the container is called {workload!r} on the twin, as its workload")
        return {**args, "container": {**container, "name": workload}}

    def _note_what_does_nothing(self, key: Key, step: UpstreamStep) -> None:
        """Faults of what the twin has only as far as applications need it."""
        if step.id == _SURGE:
            self._note((*key, "id"), "without effect on the twin, whose API server is never slow")
        if step.id != _EXPERIMENT:
            return
        namespaces = {"otel-demo", "book-info"}
        for path, value in _leaves((), step.args):
            if "namespaces" in path and path[-1] not in namespaces and value not in namespaces:
                message = f"without effect on the twin, which has no pods in the namespace {value}"
                self._note((*key, "args", *path), message)


def _leaves(path: Key, tree: Any) -> Iterator[tuple[Key, Any]]:
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from _leaves((*path, key), value)
    elif isinstance(tree, list):
        for index, value in enumerate(tree):
            yield from _leaves((*path, index), value)
    else:
        yield path, tree


def _is_positive(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0


def _title(description: str, number: int) -> str:
    first = description.strip().split(". ")[0].rstrip(".").replace("`", "")
    return first if 0 < len(first) <= _TITLE else f"Upstream scenario {number}"
