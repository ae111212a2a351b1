"""The best repair of each cause: set back what it set, nothing else."""

from __future__ import annotations

from itbench.model.cost import ActionKind, CostAction
from itbench.model.cost_scenario import (
    Cause,
    CostScenario,
    CrossZone,
    ForgottenEnvironment,
    GpuIdle,
    LogExplosion,
    LostCommitment,
    MisTagging,
    OrphanedResources,
    RetentionChange,
    RetryStorm,
    RunawayAutoscaler,
    StorageClassChange,
    TraceExplosion,
    WrongInstanceFamily,
)
from itbench.model.resource import Resource
from itbench.twin.cost.organisation import Organisation, Pool, Stock
from itbench.twin.cost.plan import MEMORY_TARGET


def repairs_of(scenario: CostScenario, organisation: Organisation) -> tuple[CostAction, ...]:
    """What the scenario says, or else the repair of each of its causes; a price is no one's to repair."""
    if scenario.repair:
        return scenario.repair
    found = (_repair(cause, organisation) for cause in scenario.causes)
    return tuple(action for action in found if action is not None)


def _repair(cause: Cause, organisation: Organisation) -> CostAction | None:  # noqa: PLR0911, PLR0912 (one for each cause)
    match cause:
        case RunawayAutoscaler():
            lines = organisation.applications[cause.application].lines
            target = next(line.target for line in lines if isinstance(line, Pool))
            return _on(ActionKind.SET_AUTOSCALER, cause.application, target=target, memory_target=MEMORY_TARGET)
        case ForgottenEnvironment():
            return _on(ActionKind.TERMINATE_ENVIRONMENT, cause.application)
        case WrongInstanceFamily():
            return _on(ActionKind.RIGHTSIZE, cause.application, **{"from": cause.to, "family": cause.family})
        case LostCommitment():
            return CostAction(action=ActionKind.BUY_COMMITMENT, target=Resource(name=cause.commitment, type="Commitment"))
        case StorageClassChange():
            return _on(ActionKind.CHANGE_STORAGE_CLASS, cause.application, **{"from": cause.to, "to": cause.family})
        case RetentionChange():
            stocks = (it for it in organisation.applications[cause.application].lines if isinstance(it, Stock))
            days = next(it.keep_days for it in stocks if it.family == cause.family)
            args: dict[str, float | str] = {"from": cause.family, "days": days or 3650, "ingest": 1.0}
            return _on(ActionKind.SET_RETENTION, cause.application, **args)
        case LogExplosion():
            return _on(ActionKind.SET_LOG_LEVEL, cause.application, factor=1.0)
        case TraceExplosion():
            return _on(ActionKind.SET_SAMPLING, cause.application, factor=1.0)
        case CrossZone():
            return _on(ActionKind.KEEP_IN_ZONE, cause.application)
        case RetryStorm():
            return _on(ActionKind.FIX_DEPENDENCY, cause.application)
        case OrphanedResources():
            family = Resource(name=cause.family, type="Instance Family")
            return CostAction(action=ActionKind.DELETE_ORPHANS, target=family, args={"account": cause.account})
        case GpuIdle():
            return _on(ActionKind.SCHEDULE, cause.application)
        case MisTagging():
            return _on(ActionKind.FIX_TAGS, cause.application)
    return None


def _on(action: ActionKind, application: str, **args: float | str) -> CostAction:
    return CostAction(action=action, target=Resource(name=application, type="Application"), args=dict(args))
