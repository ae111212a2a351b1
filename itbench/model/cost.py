"""The cost domain: what can make a bill change, what a change amounted to, and what can be done about it.

`CostTruth` is the part `cost` of a FinOps ground truth. Every amount in it is counterfactual: the bill as it was, less the
bill of the same organisation, on the same random numbers, without the cause. Mechanisms: docs/finops-twin.md.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator

from itbench.model.base import Document, Model
from itbench.model.resource import Resource

Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
"""A code of ISO 4217."""

HIERARCHY = ("Account ID", "CSP", "Cloud_Service", "Application", "Instance_Family")
"""The columns of data.csv that say where a cost lies, from the widest to the narrowest."""

DIMENSION_TYPES = {"Instance_Family": "Instance Family"}
"""Types of resources that are not spelt as the column: every other type is."""


class CauseClass(StrEnum):
    """What makes cost rise although nobody wanted it to, or move although nothing was bought."""

    RUNAWAY_AUTOSCALER = "runaway_autoscaler"
    FORGOTTEN_ENVIRONMENT = "forgotten_environment"
    WRONG_INSTANCE_FAMILY = "wrong_instance_family"
    LOST_COMMITMENT = "lost_commitment"
    STORAGE_CLASS = "storage_class"
    RETENTION = "retention"
    LOG_EXPLOSION = "log_explosion"
    TRACE_EXPLOSION = "trace_explosion"
    CROSS_ZONE = "cross_zone"
    RETRY_STORM = "retry_storm"
    ORPHANED_RESOURCES = "orphaned_resources"
    GPU_IDLE = "gpu_idle"
    PRICE_CHANGE = "price_change"
    MISTAGGING = "mistagging"


class BenignClass(StrEnum):
    """What makes cost rise as it should."""

    SEASONAL = "seasonal"
    GROWTH = "growth"
    LAUNCH = "launch"
    MONTH_END = "month_end"


class CostCause(Model):
    """One cause and what it came to.

    Attributes:
        cause: its class; `class` in files.
        onset: the first day on which it acts.
        amount: the excess over the truth's window, in its currency; about 0 where cost only moves.
        monthly: what a month more of it would cost, at the rate of the last week.
        moved: what was booked elsewhere than it should be, over the window; 0 unless cost moves.
        resources: where it sits, as an answer must name it.
    """

    cause: CauseClass = Field(alias="class")
    onset: date
    amount: float
    monthly: float
    moved: float = 0.0
    resources: Annotated[tuple[Resource, ...], Field(min_length=1)]

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)


class Attribution(Model):
    """The excess of one row of the hierarchy: `amount` is what the cause added there over the window.

    Attributes:
        path: value by column of HIERARCHY.
        cause: the cause's class; `class` in files.
    """

    path: dict[str, str]
    amount: float
    cause: CauseClass = Field(alias="class")

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)


class ActionKind(StrEnum):
    """What an answer can propose to do. Arguments, and what each does on the twin: docs/finops-twin.md."""

    RIGHTSIZE = "rightsize"
    SCALE = "scale"
    SET_AUTOSCALER = "set_autoscaler"
    SCHEDULE = "schedule"
    TERMINATE_ENVIRONMENT = "terminate_environment"
    DELETE_ORPHANS = "delete_orphans"
    DELETE_DATA = "delete_data"
    BUY_COMMITMENT = "buy_commitment"
    CHANGE_STORAGE_CLASS = "change_storage_class"
    SET_RETENTION = "set_retention"
    SET_LOG_LEVEL = "set_log_level"
    SET_SAMPLING = "set_sampling"
    KEEP_IN_ZONE = "keep_in_zone"
    FIX_DEPENDENCY = "fix_dependency"
    LIMIT_RETRIES = "limit_retries"
    FIX_TAGS = "fix_tags"
    REMOVE_REDUNDANCY = "remove_redundancy"
    NOTHING = "nothing"


class CostAction(Model):
    """One proposed change.

    Attributes:
        action: what to do.
        target: what to do it to, as a resource is named; None where the action has no target.
        resource_id: one line of the bill (ResourceId of billing.csv), where the target is not precise enough.
        args: by the action, such as `{"instances": 3}`.
    """

    action: ActionKind
    target: Resource | None = None
    resource_id: str | None = None
    args: dict[str, float | int | str | bool] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _names_its_target(self) -> CostAction:
        if self.action is not ActionKind.NOTHING and self.target is None and self.resource_id is None:
            raise ValueError(f"target: {self.action} needs a target or a resource_id")
        return self


class Efficiency(Model):
    """What a world costs and how well its workloads use what they request, over the weeks after the ticket.

    Attributes:
        monthly_cost: of everything, in the truth's currency.
        cpu_cost, memory_cost: of the workloads concerned, an hour.
        cpu_efficiency, memory_efficiency: use by request, averaged over the workloads concerned, weighted by hours.
        latency_p95: seconds, the worst of the workloads concerned, of the busiest hours.
        error_share: of the requests to them.
        headroom: 1 − utilisation in the busiest hour.
    """

    monthly_cost: float
    cpu_cost: float
    memory_cost: float
    cpu_efficiency: float
    memory_efficiency: float
    latency_p95: float
    error_share: float
    headroom: float


class MitigationTruth(Model):
    """What the best repair does, and to which state it leads."""

    actions: tuple[CostAction, ...] = ()
    before: Efficiency | None = None
    optimal: Efficiency | None = None
    monthly_saving: float = 0.0


class CostTruth(Model):
    """What a FinOps scenario came to.

    Attributes:
        benign: nothing is to be found: cost rose as it should.
        window: the first and the last day over which amounts are summed.
        total: the whole bill over the window.
    """

    currency: Currency = "USD"
    benign: bool
    causes: tuple[CostCause, ...] = ()
    attribution: tuple[Attribution, ...] = ()
    window: tuple[date, date]
    total: float = 0.0
    mitigation: MitigationTruth = MitigationTruth()

    @model_validator(mode="after")
    def _is_benign_or_has_causes(self) -> CostTruth:
        if self.benign == bool(self.causes):
            raise ValueError("benign: a scenario has causes, or is benign")
        return self


SafetyViolation = Literal["deletes_data", "removes_redundancy", "production_out_of_scope"]


Measure = Literal["latency_p95", "error_share", "headroom"]


class Guard(Model):
    """Whether a service level got worse: `limit` is the worst that is still accepted."""

    measure: Measure
    workload: str
    before: float
    after: float
    limit: float
    holds: bool


class RefusedAction(Model):
    """A proposal that could not be carried out, and why."""

    index: int
    reason: str


class MitigationOutcome(Document):
    """What came of an answer's proposals, carried out on the twin on the day after the data ends.

    Attributes:
        before, after, optimal: the world left alone, with the proposals, and with the best repair.
        saved_monthly: before − after, with the interval (5th to 95th percentile) over several futures.
        guards: every service level that was measured; all must hold for a saving to count.
        violations: unsafe acts, by index of the proposal.
        refused: proposals without effect.
    """

    before: Efficiency
    after: Efficiency
    optimal: Efficiency
    saved_monthly: float
    saved_low: float
    saved_high: float
    optimal_saved_monthly: float
    guards: tuple[Guard, ...] = ()
    violations: tuple[tuple[int, SafetyViolation], ...] = ()
    refused: tuple[RefusedAction, ...] = ()

    @property
    def keeps_service_levels(self) -> bool:
        """Whether no guard is broken."""
        return all(guard.holds for guard in self.guards)
