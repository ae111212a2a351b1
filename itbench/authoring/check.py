"""Check a scenario: from its file to the verdict on everything that it must be.

report = check_scenario(Path("scenarios/sre/quiet-shelf/scenario.yaml"))
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from itbench.authoring.adversaries import scores
from itbench.authoring.branching import futures
from itbench.authoring.leaks import leaks
from itbench.authoring.observable import observable
from itbench.authoring.quiet import counted, healthy, manifests
from itbench.authoring.rehearsal import Exhibit, Rehearsal, exhibit, rehearse
from itbench.authoring.repairs import outlook
from itbench.authoring.seeds import Outcome, seeds_agree
from itbench.authoring.verdict import Check, ScenarioReport
from itbench.authoring.wordings import contradiction
from itbench.datasets.scenario_file import ScenarioFile, read_scenario
from itbench.model.errors import ItbenchError
from itbench.twin.changes import Change, changes_at_once
from itbench.twin.documents import Document
from itbench.twin.incident.plan import Plan, plan

SEEDS = 3


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A scenario whose file is in order."""

    plan: Plan
    fixes: tuple[Sequence[Change], ...]


def check_scenario(path: Path, seeds: int = SEEDS, at_once: int = 1) -> ScenarioReport:
    """Everything that can be proved of a scenario. What is wrong with it is in the report; nothing is written.

    Args:
        path: its scenario.yaml.
        seeds: how many to play: the scenario's own, and those that follow it.
        at_once: processes that play possible futures.
    """
    file: ScenarioFile | None = None
    try:
        file = read_scenario(path)
        prepared = _prepare(file)
        rehearsal = rehearse(prepared.plan, file.scenario.seed)
    except ItbenchError as error:
        broken = Check(name="plan", passed=False, evidence=str(error), remedy="Mend the file; the other checks come then.")
        return ScenarioReport.of(path, None if file is None else file.scenario, (), [broken], ())
    outcome = Outcome.of(rehearsal)
    found = exhibit(rehearsal, path.parent)
    playable = _playable(rehearsal, found)
    checks = [
        playable,
        healthy(rehearsal),
        manifests(rehearsal),
        scores(found),
        leaks(rehearsal, found.recording),
        observable(rehearsal, found),
    ]
    del found  # large, and the futures need it no more
    future = outlook(rehearsal, prepared.fixes, at_once)
    del rehearsal
    others = [partial(_outcome, prepared.plan, file.scenario.seed + number) for number in range(1, seeds)]
    outcomes = [outcome, *futures(others, at_once)]
    checks[4:4] = [future.undo]
    checks += [seeds_agree(outcomes), future.repair]
    seeds_played = tuple(outcome.seed for outcome in outcomes)
    return ScenarioReport.of(path, file.scenario, seeds_played, checks, future.repairs)


def _prepare(file: ScenarioFile) -> _Prepared:
    """Whatever can be wrong with a file, before anything is played.

    Raises:
        ItbenchError: something is; with path, line and key.
    """
    if not file.scenario.disruptions:
        raise file.error(("disruptions",), "without a fault there is nothing to check")
    document = Document(file.source.value, file.source, 0)
    fixes = [
        changes_at_once(fix.changes, document, ("fixes", index, "changes")) for index, fix in enumerate(file.scenario.fixes)
    ]
    return _Prepared(plan(file), tuple(fixes))


def _outcome(plan: Plan, seed: int) -> Outcome:
    return Outcome.of(rehearse(plan, seed))


def _playable(rehearsal: Rehearsal, found: Exhibit) -> Check:
    """It ends when it says, and what its author says of it was measured."""
    worlds, timeline = rehearsal.measured.worlds, rehearsal.plan.scenario.timeline
    numbers = {"steps": len(worlds.moments), "faults": len(worlds.injected), "ends_at_seconds": rehearsal.faulted.now}
    error, remedy = contradiction(rehearsal.plan.file, found), "Word a step that is measured, or leave the wording out."
    if rehearsal.faulted.now > timeline.seconds:
        remedy = "Let timeline.after be longer."
        error = rehearsal.plan.file.error(
            ("timeline", "after"),
            f"the steps take until second {rehearsal.faulted.now:.0f}, beyond the end at {timeline.seconds:.0f}",
            "Let `after` be longer.",
        )
    if error is not None:
        return Check(name="plan", passed=False, evidence=str(error), remedy=remedy, numbers=numbers)
    steps, faults = counted(len(worlds.moments), "step"), counted(len(worlds.injected), "fault")
    text = f"{steps}, {faults}, {timeline.seconds / 60:.0f} minutes"
    return Check(name="plan", passed=True, evidence=text, numbers=numbers)
