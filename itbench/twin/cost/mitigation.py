"""What comes of proposals: the weeks after the data ends, left alone, with the proposals, and with the best repair.

outcome = apply(read_cost_scenario(path), seed=7, proposals=[CostAction(...)])

All worlds share one past and, future by future, the same random numbers. Formulas: docs/finops-twin.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from itbench.datasets.cost_scenario_file import CostScenarioFile
from itbench.model.cost import CostAction, Efficiency, Guard, Measure, MitigationOutcome, MitigationTruth
from itbench.twin.cost.actions import Carried, carry_out
from itbench.twin.cost.allocation import CORE_WEIGHT, GB_WEIGHT
from itbench.twin.cost.calendar import Floats
from itbench.twin.cost.preparation import Prepared, prepare
from itbench.twin.cost.repairs import repairs_of
from itbench.twin.cost.truth import DAYS_A_MONTH
from itbench.twin.cost.world import LineCost, World, run

HORIZON = 28
"""Days after the end of the data."""
FUTURES = 6
"""Different ones, for the interval of a saving."""
_SLACK = {"latency_p95": 1.05, "error_share": 0.001, "headroom": 0.03}


def apply(file: CostScenarioFile, seed: int, proposals: Sequence[CostAction]) -> MitigationOutcome:
    """Carry out proposals on the twin.

    Args:
        file: the scenario.
        seed: of the history that the answer was given on.
        proposals: in the order in which they are carried out; those that cannot be are refused with a reason.

    Raises:
        DatasetError: the scenario names what does not exist; with path, line and key.
    """
    return outcome(prepare(file, seed), proposals)


def outcome(prepared: Prepared, proposals: Sequence[CostAction]) -> MitigationOutcome:
    """As `apply`, for a scenario that is prepared."""
    repairs = repairs_of(prepared.scenario, prepared.organisation)
    savings, carried = [], Carried()
    first = _Futures.of(prepared, 0, proposals, repairs)
    for future in range(FUTURES):
        worlds = first if future == 0 else _Futures.of(prepared, future, proposals, ())
        carried = worlds.carried if future == 0 else carried
        savings.append((_monthly(worlds.before) - _monthly(worlds.after)) if proposals else 0.0)
    concerned = _concerned(prepared, first.before) | carried.touched
    low, high = np.percentile(savings, [5, 95])
    return MitigationOutcome(
        before=_efficiency(first.before, concerned),
        after=_efficiency(first.after, concerned),
        optimal=_efficiency(first.optimal, concerned),
        saved_monthly=round(float(np.mean(savings)), 2),
        saved_low=round(float(low), 2),
        saved_high=round(float(high), 2),
        optimal_saved_monthly=round(_monthly(first.before) - _monthly(first.optimal), 2),
        guards=tuple(_guards(first)),
        violations=tuple(carried.violations),
        refused=tuple(carried.refused),
    )


def mitigation_truth(prepared: Prepared) -> MitigationTruth:
    """What the best repair does, for the ground truth."""
    repairs = repairs_of(prepared.scenario, prepared.organisation)
    if not repairs:
        return MitigationTruth()
    worlds = _Futures.of(prepared, 0, (), repairs)
    concerned = _concerned(prepared, worlds.before)
    return MitigationTruth(
        actions=repairs,
        before=_efficiency(worlds.before, concerned),
        optimal=_efficiency(worlds.optimal, concerned),
        monthly_saving=round(_monthly(worlds.before) - _monthly(worlds.optimal), 2),
    )


@dataclass(frozen=True, slots=True)
class _Futures:
    """One future in three worlds, and in a fourth in which no cause has ever acted."""

    before: World
    after: World
    optimal: World
    quiet: World
    carried: Carried

    @classmethod
    def of(cls, prepared: Prepared, future: int, proposals: Sequence[CostAction], repairs: Sequence[CostAction]) -> _Futures:
        ahead, day = prepared.looking_ahead(HORIZON, future), prepared.scenario.days
        before = run(ahead.plan(), ahead.draws)
        scope = frozenset(_concerned(prepared, before))
        changed, best = ahead.plan(), ahead.plan()
        carried = carry_out(changed, proposals, day, scope)
        carry_out(best, repairs, day, scope)
        return cls(
            before=before,
            after=run(changed, ahead.draws) if proposals else before,
            optimal=run(best, ahead.draws) if repairs else before,
            quiet=run(ahead.plan(without=range(len(prepared.scenario.causes))), ahead.draws) if future == 0 else before,
            carried=carried,
        )


def _ahead(values: Floats) -> Floats:
    return values[-HORIZON:]


def _monthly(world: World) -> float:
    return float(_ahead(world.paid()).mean()) * DAYS_A_MONTH


def _concerned(prepared: Prepared, world: World) -> set[str]:
    """The applications that the causes act on."""
    found: set[str] = set()
    for cause in prepared.scenario.causes:
        application = getattr(cause, "application", None)
        if application is not None:
            found.add(application)
        if cause.cause == "lost_commitment":
            spec = prepared.organisation.commitments[cause.commitment]
            found |= {
                line.plan.application
                for line in world.lines
                if line.plan.account == spec.account and line.plan.spec.family in spec.families
            }
        if cause.cause == "price_change":
            found |= {line.plan.application for line in world.lines if line.plan.spec.family == cause.family}
    return found


def _serving(world: World, names: set[str] | None = None) -> Iterator[LineCost]:
    for line in world.lines:
        if line.use.service is not None and (names is None or line.plan.application in names):
            yield line


def _efficiency(world: World, names: set[str]) -> Efficiency:
    """Costs and efficiencies of the workloads concerned; of all, where what is concerned is no workload."""
    lines = list(_serving(world, names)) or list(_serving(world))
    weights, cpu, memory, cpu_use, memory_use = 0.0, 0.0, 0.0, 0.0, 0.0
    for line in lines:
        service = line.use.service
        assert service is not None
        family = world.plan.families[line.family(world.calendar.days - 1)]
        hours = float(_ahead(line.use.units).sum())
        cost = float(_ahead(line.cost).sum()) / (24 * HORIZON)
        share = CORE_WEIGHT * family.vcpu / max(CORE_WEIGHT * family.vcpu + GB_WEIGHT * family.memory, 1e-9)
        cpu, memory = cpu + cost * share, memory + cost * (1 - share)
        present = _ahead(service.replicas) * (_ahead(line.use.units) > 0)
        total = max(float(present.sum()), 1e-9)
        cpu_use += hours * float((_ahead(service.utilisation) * present).sum()) / total
        memory_use += hours * float((_ahead(service.memory) * present).sum()) / total
        weights += hours
    levels = [level for line in lines if (level := _levels(world, line)) is not None]
    return Efficiency(
        monthly_cost=round(_monthly(world), 2),
        cpu_cost=round(cpu, 4),
        memory_cost=round(memory, 4),
        cpu_efficiency=round(cpu_use / weights, 4) if weights else 0.0,
        memory_efficiency=round(memory_use / weights, 4) if weights else 0.0,
        latency_p95=round(max((it.latency_p95 for it in levels), default=0.0), 5),
        error_share=round(max((it.error_share for it in levels), default=0.0), 6),
        headroom=round(min((it.headroom for it in levels), default=1.0), 4),
    )


@dataclass(frozen=True, slots=True)
class _Levels:
    latency_p95: float
    error_share: float
    headroom: float


def _levels(world: World, line: LineCost) -> _Levels | None:
    """How a workload serves its users in the days ahead; None of what serves nobody.

    Latency is that of a queue with as many servers as replicas (Sakasegawa's approximation), at its 95th percentile.
    """
    spec, service = line.plan.spec, line.use.service
    cpu_ms = getattr(spec, "cpu_ms", 0.0)
    if service is None or not cpu_ms or not line.plan.used:
        return None
    if line.plan.ends is not None:
        return _Levels(latency_p95=60.0, error_share=1.0, headroom=0.0)
    busy, replicas = _ahead(service.utilisation), np.maximum(_ahead(service.replicas), 1.0)
    each = cpu_ms / 1000
    waiting = each * busy ** (np.sqrt(2 * (replicas + 1)) - 1) / (replicas * (1 - busy))
    failing = _ahead(world.traffic[line.plan.application].failing)[:, None]
    errors = 1 - (1 - failing) * (1 - _ahead(service.dropped))
    meant = _ahead(world.traffic[line.plan.application].meant)
    return _Levels(
        latency_p95=float(np.percentile((each + waiting) * np.log(20), 95)),
        error_share=float((errors * meant).sum() / meant.sum()),
        headroom=float(1 - busy.max()),
    )


def _guards(worlds: _Futures) -> Iterator[Guard]:
    """Every service level: it may be as it was, or as it is where no cause ever acted, but not worse than both."""
    after, quiet = _all_levels(worlds.after), _all_levels(worlds.quiet)
    for workload, old in _all_levels(worlds.before).items():
        new, usual = after.get(workload, old), quiet.get(workload, old)
        latency = max(old.latency_p95, usual.latency_p95) * _SLACK["latency_p95"]
        errors = max(old.error_share, usual.error_share) + _SLACK["error_share"]
        headroom = min(old.headroom, usual.headroom) - _SLACK["headroom"]
        yield _guard("latency_p95", workload, old.latency_p95, new.latency_p95, latency, holds=new.latency_p95 <= latency)
        yield _guard("error_share", workload, old.error_share, new.error_share, errors, holds=new.error_share <= errors)
        yield _guard("headroom", workload, old.headroom, new.headroom, headroom, holds=new.headroom >= headroom)


def _all_levels(world: World) -> dict[str, _Levels]:
    return {line.plan.key: levels for line in _serving(world) if (levels := _levels(world, line)) is not None}


def _guard(measure: Measure, workload: str, before: float, after: float, limit: float, *, holds: bool) -> Guard:
    return Guard(
        measure=measure,
        workload=workload,
        before=round(before, 6),
        after=round(after, 6),
        limit=round(limit, 6),
        holds=holds,
    )
