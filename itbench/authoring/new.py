"""A new scenario: from a few answers to a scenario.yaml that runs, with what else it may say as comments."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from itbench.authoring.writing import scenario_text
from itbench.datasets.scenario_file import ScenarioFile, read_scenario
from itbench.faults.registry import AnyFault, known_faults
from itbench.model.errors import FaultError, UnwritableError, UsageError
from itbench.model.scenario import Complexity, Disruption, Scenario, Step, Timeline
from itbench.twin.incident.incident import Incident
from itbench.twin.incident.plan import plan

_WORKLOADS = ("Deployment", "StatefulSet")

_HEAD = """\
Made by `itbench scenario new`. docs/scenarios.md describes every key.
  itbench scenario simulate {path} --out DIR     writes what monitoring sees, and the measured truth
  itbench scenario check {path}                  proves that it is solvable, not trivial and gives nothing away"""

_MORE = """\

# More that may be said here:
#
# load: {users: 80}                       # or `rate: 12`, requests a second, whatever happens
# autoscaling: true                       # a HorizontalPodAutoscaler for every workload
# expected_alerts:                        # the least that must fire; `check` shows what does
#   - {name: HighRequestErrorRate, labels: {service_name: frontend}}
# distractions:                           # what happens in the healthy world too; `at` counts from the beginning
#   - at: 9m
#     text: An innocent scale-up
#     change: {verb: scale, object: deployment/NAME, replicas: 2}
# fixes:                                  # repairs beside those that the faults know, as in a play file (docs/twin.md)
#   - text: Restart it
#     changes: [{verb: rollout-restart, object: deployment/NAME}]
"""


@dataclass(slots=True)
class Draft:
    """What has been answered so far.

    Attributes:
        fault: the id of a fault.
        args: its arguments.
        replace_pods: take the old pods of the workload away afterwards, which a roll-out that does not succeed keeps.
    """

    id: str
    title: str
    application: str
    fault: str
    args: dict[str, Any] = field(default_factory=dict)
    complexity: Complexity = "medium"
    replace_pods: bool = False

    def scenario(self) -> Scenario:
        """The scenario.

        Raises:
            UsageError: an answer does not fit.
        """
        after: tuple[Step, ...] = ()
        if self.replace_pods:
            workload = self.args.get("kubernetesObject", {})
            if workload.get("kind") not in _WORKLOADS:
                raise UsageError("there are no pods to replace: the fault is not about a workload")
            after = (Step(id="delete-workload-pods", args={"kubernetesObject": workload}),)
        try:
            return Scenario(
                id=self.id,
                title=self.title,
                complexity=self.complexity,
                application=self.application,
                timeline=Timeline(before=600, after=900),
                disruptions=(Disruption(faults=(Step(id=self.fault, args=self.args),), after=after),),
            )
        except ValidationError as error:
            problem = error.errors(include_url=False)[0]
            if problem["loc"] == ("id",):
                rule = "Lower-case letters, digits and hyphens, such as no-stars"
                raise UsageError(f"{self.id!r} is no id of a scenario", hint=rule) from error
            raise UsageError(f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}") from error


def kind_of(fault: str) -> type[AnyFault]:
    """The fault of an id, or of a number in the public library.

    Raises:
        UsageError: there is none.
    """
    from itbench.faults.arguments import near

    known = known_faults()
    kind = known.get(fault) or next((each for each in known.values() if str(each.number) == fault), None)
    if kind is None:
        raise UsageError(f"there is no fault {fault!r}", hint=near(fault, known) + " See: itbench fault list")
    return kind


def write_draft(draft: Draft, folder: Path) -> Path:
    """Write `folder`/<id>/scenario.yaml, and see whether it can be played; gives its path.

    Raises:
        UsageError: an answer does not fit, or there is such a scenario already.
        DatasetError: it cannot be played; with path, line and key. The file stays, to be mended.
        UnwritableError: it cannot be written.
    """
    scenario = draft.scenario()
    path = folder / scenario.id / "scenario.yaml"
    if path.exists():
        raise UsageError("this is there already", path=path, hint="Choose another id, or edit it")
    text = scenario_text(scenario, _HEAD.format(path=path.parent).splitlines()) + _MORE
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UnwritableError(f"cannot write this file ({error.strerror})", path=path) from error
    try_out(read_scenario(path))
    return path


def try_out(file: ScenarioFile) -> None:
    """Start the application, and ask every fault whether it can be injected there.

    Raises:
        DatasetError: it cannot; with path, line and key.
    """
    ready = plan(file)
    cluster = Incident(ready, file.scenario.seed).running.twin.cluster
    for step in ready.steps:
        acting = step.fault or step.waiter
        assert acting is not None
        try:
            acting.check(cluster)
        except FaultError as error:
            key = (*step.key, "args", *(error.key.split(".") if error.key else ()))
            raise file.error(key, error.message, error.hint) from error
