"""Check a FinOps scenario: its bill is solvable, not trivial, gives nothing away, and is one problem for all seeds.

report = check_cost_scenario(Path("scenarios/finops/invoice-jump/scenario.yaml"))
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from itbench.authoring.leaks import HARNESS, find_leaks, said_by_the_author
from itbench.authoring.verdict import Check, Repair, ScenarioReport
from itbench.datasets.cost_scenario_file import CostScenarioFile, read_cost_scenario
from itbench.datasets.focus import validate_focus
from itbench.datasets.rules import load_rules
from itbench.model.cost import DIMENSION_TYPES, HIERARCHY, CauseClass
from itbench.model.diagnosis import CostDiagnosis
from itbench.model.errors import ItbenchError
from itbench.model.resource import Resource
from itbench.model.truth import GroundTruth
from itbench.scoring.finops import score_finops
from itbench.twin.cost.mitigation import outcome
from itbench.twin.cost.simulate import TRUTH_FILE, CostSimulation, simulate
from itbench.twin.cost.truth import union

EVERYTHING_BOUND = 0.3
"""resource_f1 of an answer that names every value of every column: it must stay below."""
LEAST_EXCESS = 0.05
"""Of what a row would have cost in the last week, that a cause must add to the row that it hits most."""
LEAST_SAVING = 0.8
"""Of what the causes cost a month, that the best repair must save."""

_ORDINARY = (CauseClass.CROSS_ZONE, CauseClass.RETENTION, CauseClass.STORAGE_CLASS, CauseClass.PRICE_CHANGE)
"""Classes whose names every bill may hold."""


def check_cost_scenario(path: Path, seeds: int = 3) -> ScenarioReport:
    """Everything that can be proved of a FinOps scenario. What is wrong with it is in the report; nothing is kept.

    Args:
        path: its scenario.yaml.
        seeds: how many to simulate: the scenario's own, and those that follow it.
    """
    file: CostScenarioFile | None = None
    try:
        file = read_cost_scenario(path)
        own = file.scenario.seed
        simulations = [simulate(file, own + number) for number in range(seeds)]
        first = simulations[0]
        with tempfile.TemporaryDirectory() as kept:
            checks = [_plan(first), *_of_files(first, file, Path(kept))]
        checks += [_manifests(first), _scores(first), _observable(first), _seeds(simulations)]
        repair, repairs = _repair(first)
        checks.append(repair)
    except ItbenchError as error:
        broken = Check(name="plan", passed=False, evidence=str(error), remedy="Mend the file; the other checks come then.")
        return ScenarioReport.of(path, None if file is None else file.scenario, (), [broken], ())
    seeds_played = tuple(it.prepared.seed for it in simulations)
    return ScenarioReport.of(path, file.scenario, seeds_played, checks, repairs)


def _plan(simulation: CostSimulation) -> Check:
    scenario, rows = simulation.prepared.scenario, len(simulation.rows)
    text = f"{scenario.days} days, {rows} rows a day, {len(scenario.causes)} causes, {len(scenario.benign)} benign changes"
    return Check(name="plan", passed=True, evidence=text, numbers={"days": scenario.days, "rows": rows})


def _of_files(simulation: CostSimulation, file: CostScenarioFile, kept: Path) -> Iterator[Check]:
    """What is written: twice the same, by the rules of FOCUS, and without telling words."""
    simulation.write(kept / "once")
    simulate(file, simulation.prepared.seed).write(kept / "again")
    differ = [
        path.name
        for path in sorted((kept / "once").iterdir())
        if path.read_bytes() != (kept / "again" / path.name).read_bytes()
    ]
    broken = [str(finding) for finding in validate_focus(kept / "once" / "billing.csv")]
    evidence = f"{differ[0]} differs" if differ else broken[0] if broken else "all files are the same to the byte"
    yield Check(
        name="repeats",
        passed=not differ and not broken,
        evidence=evidence,
        remedy="Please report it: this is a defect of itbench." if differ or broken else "",
    )
    scenario = file.scenario
    wanted = {
        **dict.fromkeys(HARNESS, "a word of the harness"),
        **{cause.replace("_", " "): "the name of a class of causes" for cause in CauseClass if cause not in _ORDINARY},
        **said_by_the_author(scenario.id, scenario.title, scenario.description),
    }
    visible = [path for path in sorted((kept / "once").iterdir()) if path.name != TRUTH_FILE]
    texts = [(path.name, path.read_text(encoding="utf-8")) for path in visible]
    leaks = find_leaks(texts, wanted)
    yield Check(
        name="leaks",
        passed=not leaks,
        evidence=f'{leaks[0].where} says "{leaks[0].around}": {leaks[0].whose}'
        if leaks
        else f"none of {len(wanted)} telling texts is in the files",
        remedy="Choose neutral names, and an id and a title that stand in no file." if leaks else "",
        numbers={"leaks": [f"{leak.where}: {leak.words}" for leak in leaks]},
    )


def _manifests(simulation: CostSimulation) -> Check:
    """Each cause stands out of the row that it hits most; and of what is benign, somebody was told."""
    remedy = "Make the cause stronger, or let it begin earlier."
    day, account = simulation.ticket
    for effect in simulation.effects:
        largest = max(effect.amounts, key=lambda path: effect.amounts[path])
        excess = float(effect.excess[largest][-7:].mean())
        usual = float(simulation.rows[largest].cost[-7:].mean()) - excess
        if excess < LEAST_EXCESS * usual:
            text = f"{effect.cause} adds only {excess / usual:.1%} to {'/'.join(largest)}"
            return Check(name="manifests", passed=False, evidence=text, remedy=remedy)
    told = [it for it in simulation.alerts if account in it.scope and 0 <= (day - it.fired_on).days <= 7]
    if not simulation.effects and not told:
        text = f"nothing fired in {account} in the week before {day}, so nobody would ask"
        return Check(name="manifests", passed=False, evidence=text, remedy="Move the ticket, or make the change larger.")
    text = f"ticket of {day} in {account}; {len(told)} alerts there in the week before"
    return Check(name="manifests", passed=True, evidence=text, numbers={"alerts": len(told)})


def _scores(simulation: CostSimulation) -> Check:
    """The truth scores 1; naming everything, or what costs most, does not pay."""
    wanted = union(simulation.truth.causes)
    if not wanted:
        return Check(name="scores", passed=True, evidence="benign: the right answer names nothing")
    named = _everything(simulation)
    ideal, everything = _f1(wanted, wanted), _f1(named, wanted)
    naive = {what: _f1([resource], wanted) for what, resource in _dearest(simulation).items()}
    best = max(naive, key=naive.__getitem__)
    numbers = {"ideal": ideal, "everything": everything, **{f"dearest {what}": value for what, value in naive.items()}}
    problem = None
    if ideal < 1:
        problem = f"the truth itself scores {ideal:.2f}"
    elif everything >= EVERYTHING_BOUND:
        problem = f"naming all {len(named)} values of the bill scores {everything:.2f}"
    elif naive[best] >= 1:
        problem = f"naming the dearest {best} of the account is the whole answer"
    return Check(
        name="scores",
        passed=problem is None,
        evidence=problem
        or f"the truth scores 1, all {len(named)} names {everything:.2f}, the dearest {best} {naive[best]:.2f}",
        remedy="Let the cause hit something else, or several things." if problem else "",
        numbers=dict(numbers),
    )


def _f1(named: Sequence[Resource], wanted: Sequence[Resource]) -> float:
    truth = GroundTruth(dialect="finops", resources=tuple(wanted))
    return score_finops(CostDiagnosis(resources=tuple(named)), truth, load_rules())["resource_f1"].values["resource_f1"]


def _everything(simulation: CostSimulation) -> list[Resource]:
    found = {(column, value) for path in simulation.rows for column, value in path.columns().items() if value}
    return [Resource(name=value, type=DIMENSION_TYPES.get(column, column)) for column, value in sorted(found)]


def _dearest(simulation: CostSimulation) -> dict[str, Resource]:
    """By column, what costs most in the account of the ticket in the last week."""
    account, sums = simulation.ticket[1], dict[tuple[str, str], float]()
    for path, row in simulation.rows.items():
        for column, value in path.columns().items():
            if path.account == account and value and column in HIERARCHY[2:]:
                sums[column, value] = sums.get((column, value), 0.0) + float(row.cost[-7:].sum())
    found = {}
    for column in HIERARCHY[2:]:
        mine = {value: amount for (name, value), amount in sums.items() if name == column}
        found[column] = Resource(name=max(mine, key=mine.__getitem__), type=DIMENSION_TYPES.get(column, column))
    return found


def _observable(simulation: CostSimulation) -> Check:
    names = {(column, value) for path in simulation.rows for column, value in path.columns().items()}
    missing = [
        item.name
        for item in union(simulation.truth.causes)
        if (item.type.replace("Instance Family", "Instance_Family"), item.name) not in names
    ]
    return Check(
        name="observable",
        passed=not missing,
        evidence=f"{missing[0]} is in no column of the bill" if missing else "every name stands in its column",
        remedy="Let the cause act before the end of the data." if missing else "",
    )


def _seeds(simulations: Sequence[CostSimulation]) -> Check:
    answers = {it.prepared.seed: {(item.type, item.name) for item in union(it.truth.causes)} for it in simulations}
    first, *others = answers.items()
    for seed, answer in others:
        if answer != first[1]:
            text = f"seeds {first[0]} and {seed} want other answers: {sorted(answer ^ first[1])}"
            return Check(
                name="seeds", passed=False, evidence=text, remedy="A row is near 5 % of the excess: change its size."
            )
    return Check(name="seeds", passed=True, evidence=f"seeds {', '.join(map(str, answers))} want the same answer")


def _repair(simulation: CostSimulation) -> tuple[Check, tuple[Repair, ...]]:
    """The best repair saves what the causes cost, breaks no service level and is safe; doing nothing saves nothing."""
    truth = simulation.truth
    actions = truth.mitigation.actions
    if not actions:
        return Check(name="repair", passed=True, evidence="nothing is to be repaired"), ()
    found = outcome(simulation.prepared, actions)
    monthly = sum(cause.monthly for cause in truth.causes if cause.cause is not CauseClass.PRICE_CHANGE)
    problem = None
    if found.saved_monthly < LEAST_SAVING * monthly - 1:
        problem = f"it saves {found.saved_monthly:,.0f} a month of {monthly:,.0f}"
    elif not found.keeps_service_levels:
        guard = next(guard for guard in found.guards if not guard.holds)
        problem = f"{guard.measure} of {guard.workload} goes from {guard.before:g} to {guard.after:g}"
    elif found.violations or found.refused:
        problem = f"unsafe or refused: {[*found.violations, *(it.reason for it in found.refused)]}"
    text = problem or f"saves {found.saved_monthly:,.0f} a month [{found.saved_low:,.0f}, {found.saved_high:,.0f}]"
    told = "; ".join(f"{it.action} {it.target.name if it.target else ''}" for it in actions)
    repair = Repair(trial="fix", text=told, resolved=problem is None, passed=problem is None, evidence=text)
    remedy = "Say a better one under `repair`." if problem else ""
    return Check(name="repair", passed=problem is None, evidence=text, remedy=remedy), (repair,)
