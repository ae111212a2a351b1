"""Which scenarios a twin is validated on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from itbench.datasets.catalogue import bundled_scenarios, locate_scenario
from itbench.datasets.discover import load_suite
from itbench.datasets.scenario_file import read_scenario
from itbench.environments.kind.settings import load_kind_settings
from itbench.model.errors import UsageError
from itbench.twin.incident.plan import Plan, plan


@dataclass(frozen=True, slots=True)
class Chosen:
    """A scenario to play.

    Attributes:
        faults: ids.
    """

    plan: Plan
    faults: tuple[str, ...]

    @property
    def id(self) -> str:
        """Of the scenario."""
        return self.plan.scenario.id


def choose(environment: str, suite: str | None, named: Sequence[str]) -> tuple[list[Chosen], list[str]]:
    """The scenarios of a suite, those named, or one for each fault that the environment can have.

    Returns:
        The scenarios, and what to tell about those left out.

    Raises:
        UsageError: there is no such scenario, or none is left.
        DatasetError: there is no such suite, or a scenario is broken.
    """
    if named:
        within = None if suite is None else {each.id for each in load_suite(suite)}
        if within is not None and (missing := [name for name in named if name not in within]):
            raise UsageError(f"the suite {suite} has no scenario {missing[0]!r}", key="--scenario")
        paths = [locate_scenario(name) for name in dict.fromkeys(named)]
    else:
        folders = bundled_scenarios("sre") if suite is None else load_suite(suite)
        paths = [each.definition for each in folders if each.definition is not None and each.domain == "sre"]
        if not paths:
            raise UsageError(f"the suite {suite} has no SRE scenario that can be played", hint="See: itbench scenario list")
    found = [_chosen(path) for path in paths]
    if suite is None and not named:
        found = list(_one_a_fault(found, environment))
    able, told = [], []
    for each in found:
        lacking = _lacking(each, environment)
        if lacking:
            told.append(f"left out, because clusters of kind do not have {lacking}: {each.id}")
        else:
            able.append(each)
    if not able:
        raise UsageError(f"none of these scenarios can be played on {environment}: {told[0]}", hint="See docs/kind.md")
    return able, told


def _chosen(path: Path) -> Chosen:
    file = read_scenario(path)
    if file.scenario.domain != "sre" or not file.scenario.disruptions:
        raise UsageError(f"{file.scenario.id} is no incident: there is nothing to inject", path=path)
    ids = (fault.id for disruption in file.scenario.disruptions for fault in disruption.faults)
    return Chosen(plan(file), tuple(dict.fromkeys(ids)))


def _one_a_fault(found: Iterable[Chosen], environment: str) -> Iterable[Chosen]:
    """A scenario for each fault that has one: of several the one with the fewest faults, then the first by id.

    Those that need what a cluster of kind does not have stand back, and are told about only if nothing else shows a fault.
    """
    best: dict[str, Chosen] = {}
    for each in sorted(found, key=lambda one: (bool(_lacking(one, environment)), len(one.plan.steps), one.id)):
        for fault in each.faults:
            best.setdefault(fault, each)
    return list({each.id: each for each in sorted(best.values(), key=lambda one: one.id)}.values())


def _lacking(chosen: Chosen, environment: str) -> str:
    """What an environment lacks for a scenario; empty if nothing."""
    absent = load_kind_settings().absent if environment == "kind" else {}
    return next((absent[fault] for fault in chosen.faults if fault in absent), "")
