"""What each cause does to a plan, from a day on; and what happens besides, and should.

Each function is one mechanism. Formulas and where they come from: docs/finops-twin.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from itbench.model.cost import BenignClass, CauseClass
from itbench.model.cost_scenario import (
    BenignChange,
    Cause,
    CrossZone,
    ForgottenEnvironment,
    GpuIdle,
    LogExplosion,
    LostCommitment,
    MisTagging,
    OrphanedResources,
    PriceChange,
    RetentionChange,
    RetryStorm,
    RunawayAutoscaler,
    StorageClassChange,
    TraceExplosion,
    WrongInstanceFamily,
)
from itbench.twin.cost.autoscaler import targets_after
from itbench.twin.cost.organisation import Demand, Fixed, Flow, Line, Stock
from itbench.twin.cost.plan import LinePlan, WorldPlan

NEIGHBOUR = {"AWS": "cross-zone", "GCP": "inter-zone", "Azure": "zone-transfer"}
"""What calls into another zone are charged as."""


def cause(plan: WorldPlan, what: Cause, day: int) -> None:
    """Let a cause act from a day on.

    Raises:
        ValueError: it names something that the organisation does not have.
    """
    _CAUSES[CauseClass(what.cause)](plan, what, day)


def _lines(plan: WorldPlan, application: str, kind: str | None = None, family: str | None = None) -> list[LinePlan]:
    found = plan.of(application, kind, family)
    if not found:
        what = " ".join(part for part in (kind, "line", f"of {family}" if family else None) if part)
        raise ValueError(f"application: {application!r} has no {what}")
    return found


def _runaway_autoscaler(plan: WorldPlan, what: RunawayAutoscaler, day: int) -> None:
    for line in _lines(plan, what.application, "pool"):
        assert line.spec.kind == "pool"
        targets = targets_after(what.fault, line.spec)
        line.target[day:], line.memory_target[day:] = targets.cpu, targets.memory


def _forgotten_environment(plan: WorldPlan, what: ForgottenEnvironment, day: int) -> None:
    if what.account not in plan.organisation.accounts:
        raise ValueError(f"account: there is no account {what.account!r}")
    if what.application in plan.applications:
        raise ValueError(f"application: {what.application!r} is there already")
    original = plan.organisation.applications.get(what.copy_of)
    if original is None:
        raise ValueError(f"copy_of: there is no application {what.copy_of!r}")
    silent = original.model_copy(
        update={"account": what.account, "environment": "development", "demand": Demand(rps=1e-6), "namespace": None}
    )
    plan.add_application(what.application, silent)
    specs = [copy for spec in original.lines if (copy := _copied(plan, spec, original.demand.rps, what.share)) is not None]
    for line in plan.add_lines(what.application, what.account, specs, day):
        line.used = False


def _copied(plan: WorldPlan, spec: Line, rps: float, share: float) -> Line | None:
    """A line of a copy that nobody uses: as many instances as the original has on average; nothing moves."""
    if spec.kind == "pool":
        replicas = max(spec.least, rps * spec.cpu_ms / 1000 / (spec.cpu * spec.target))
        nodes = replicas * spec.cpu / plan.families[spec.family].vcpu
        return Fixed(kind="fixed", family=spec.family, instances=max(1, round(nodes * share)))
    if spec.kind in ("fixed", "job"):
        return Fixed(kind="fixed", family=spec.family, instances=max(1, round(spec.instances * share)))
    if spec.kind == "stock":
        return Stock(kind="stock", family=spec.family, gb=max(spec.gb, spec.gb_each_day * 7) * share)
    return None


def _wrong_instance_family(plan: WorldPlan, what: WrongInstanceFamily, day: int) -> None:
    if what.to not in plan.families:
        raise ValueError(f"to: no price is known for {what.to!r}")
    for line in _lines(plan, what.application, family=what.family):
        line.families.append((day, what.to))


def _lost_commitment(plan: WorldPlan, what: LostCommitment, day: int) -> None:
    found = [commitment for commitment in plan.commitments if commitment.name == what.commitment]
    if not found:
        raise ValueError(f"commitment: there is no commitment {what.commitment!r}")
    for commitment in found:
        commitment.ends = day


def _storage_class(plan: WorldPlan, what: StorageClassChange, day: int) -> None:
    dear = plan.of(what.application, "stock", what.to)
    (cheap, *_) = _lines(plan, what.application, "stock", what.family)
    assert cheap.spec.kind == "stock"
    if not dear:
        dear = list(plan.add_lines(what.application, cheap.account, [Stock(kind="stock", family=what.to)], day))
    moved = np.clip((np.arange(plan.days) - day + 1) / what.days, 0, 1)
    held = cheap.spec.gb + cheap.spec.gb_each_day * (cheap.spec.keep_days or 0)
    cheap.extra -= held * moved
    dear[0].extra += held * moved


def _retention(plan: WorldPlan, what: RetentionChange, day: int) -> None:
    for line in _lines(plan, what.application, "stock", what.family):
        line.keeps.append((day, what.days))
        line.ingest[day:] *= what.ingest


def _more(role: str) -> Callable[[WorldPlan, Any, int], None]:
    def act(plan: WorldPlan, what: LogExplosion | TraceExplosion, day: int) -> None:
        found = [line for line in plan.of(what.application, "flow") if getattr(line.spec, "role", None) == role]
        if not found:
            others = {
                line.application for line in plan.lines if getattr(line.spec, "role", None) == role and line.application
            }
            raise ValueError(
                f"application: {what.application!r} writes no {role}. These do: {', '.join(sorted(filter(None, others)))}"
            )
        for line in found:
            line.intensity[day:] *= what.factor

    return act


def _cross_zone(plan: WorldPlan, what: CrossZone, day: int) -> None:
    (first, *_) = _lines(plan, what.application)
    family = NEIGHBOUR[plan.account(first.account).csp]
    there = plan.of(what.application, "flow", family)
    if not there:
        tiny = Flow(kind="flow", family=family, kb=1e-6)
        there = list(plan.add_lines(what.application, first.account, [tiny], day))
    assert there[0].spec.kind == "flow"
    there[0].intensity[day:] += what.kb / there[0].spec.kb


def _retry_storm(plan: WorldPlan, what: RetryStorm, day: int) -> None:
    from itbench.faults.registry import known_faults

    if what.fault not in known_faults():
        raise ValueError(f"fault: there is no fault {what.fault!r}")
    if what.application not in plan.applications:
        raise ValueError(f"application: there is no application {what.application!r}")
    application = plan.applications[what.application]
    application.attempts[day:] *= (1 - what.errors ** (what.retries + 1)) / (1 - what.errors)
    application.failing[day:] = what.errors ** (what.retries + 1)
    application.errors[day:] = what.errors


def _orphaned_resources(plan: WorldPlan, what: OrphanedResources, day: int) -> None:
    family = plan.families.get(what.family)
    if what.account not in plan.organisation.accounts or family is None:
        raise ValueError(f"family: {what.family!r} cannot be left behind in {what.account!r}")
    if family.unit == "stock":
        spec: Line = Stock(kind="stock", family=what.family, gb_each_day=what.each_day)
    else:
        spec = Fixed(kind="fixed", family=what.family, instances=1)
    for line in plan.add_lines("", what.account, [spec], day):
        line.used = False
        if family.unit == "stock":
            line.ingest[:day] = 0.0
        else:
            line.count[:] = 0.0
            line.extra[day:] = what.each_day * (1 + np.arange(plan.days - day))


def _gpu_idle(plan: WorldPlan, what: GpuIdle, day: int) -> None:
    for line in _lines(plan, what.application, "job", what.family):
        line.always[day:] = True


def _price_change(plan: WorldPlan, what: PriceChange, day: int) -> None:
    if not any(line.spec.family == what.family for line in plan.lines):
        raise ValueError(f"family: nobody uses {what.family!r}")
    plan.price_factor(what.family)[day:] *= what.factor


def _mistagging(plan: WorldPlan, what: MisTagging, day: int) -> None:
    lines = _lines(plan, what.application)
    for line in lines[: max(1, round(what.share * len(lines)))]:
        line.labels.append((day, what.to))


_CAUSES: Mapping[CauseClass, Callable[[WorldPlan, Any, int], None]] = {
    CauseClass.RUNAWAY_AUTOSCALER: _runaway_autoscaler,
    CauseClass.FORGOTTEN_ENVIRONMENT: _forgotten_environment,
    CauseClass.WRONG_INSTANCE_FAMILY: _wrong_instance_family,
    CauseClass.LOST_COMMITMENT: _lost_commitment,
    CauseClass.STORAGE_CLASS: _storage_class,
    CauseClass.RETENTION: _retention,
    CauseClass.LOG_EXPLOSION: _more("logs"),
    CauseClass.TRACE_EXPLOSION: _more("traces"),
    CauseClass.CROSS_ZONE: _cross_zone,
    CauseClass.RETRY_STORM: _retry_storm,
    CauseClass.ORPHANED_RESOURCES: _orphaned_resources,
    CauseClass.GPU_IDLE: _gpu_idle,
    CauseClass.PRICE_CHANGE: _price_change,
    CauseClass.MISTAGGING: _mistagging,
}


def benign(plan: WorldPlan, what: BenignChange, day: int) -> None:
    """Let something happen that should.

    Raises:
        ValueError: there is no such application.
    """
    if what.application not in plan.applications:
        raise ValueError(f"application: there is no application {what.application!r}")
    users = plan.applications[what.application].users
    days = np.arange(plan.days)
    match what.cause:
        case BenignClass.GROWTH | BenignClass.LAUNCH:
            users *= 1 + (what.factor - 1) * np.clip((days - day + 1) / what.days, 0, 1)
        case BenignClass.MONTH_END:
            users *= np.where(plan.calendar.days_to_month_end < what.days, what.factor, 1.0)
        case BenignClass.SEASONAL:
            since = (days - day) % what.every if what.every else days - day
            users *= np.where((since >= 0) & (since < what.days), what.factor, 1.0)
