"""A FinOps scenario as its author writes it: an organisation, what makes its bill go wrong, and what only looks so.

A cause acts on quantities, prices, behaviour or tags of the organisation; no number of the bill is ever edited. What each
class does, with formulas: docs/finops-twin.md.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator

from itbench.model.base import Document, Model
from itbench.model.cost import BenignClass, CostAction
from itbench.model.scenario import Complexity, ScenarioId

Positive = Annotated[float, Field(gt=0, le=1e6)]
Share = Annotated[float, Field(gt=0, le=1)]
Name = Annotated[str, Field(min_length=1, max_length=80)]
DaysBeforeEnd = Annotated[int, Field(ge=2, le=120)]


class _Cause(Model):
    """What every cause says.

    Attributes:
        onset: days before the end of the data on which it begins; a seed moves it by up to two days.
    """

    model_config = ConfigDict(populate_by_name=True)

    onset: DaysBeforeEnd = 10


class RunawayAutoscaler(_Cause):
    """An autoscaler gets targets that any load exceeds, as by a fault of the library.

    Attributes:
        fault: id of the fault in itbench.faults, which is injected into the workload's autoscaler to see what it sets.
    """

    cause: Literal["runaway_autoscaler"] = Field(alias="class")
    application: Name
    fault: Name = "misconfigured-kubernetes-horizontal-pod-autoscaler"


class ForgottenEnvironment(_Cause):
    """A copy of an application is put up and stays up, without any load.

    Attributes:
        copy_of: the application; its environment comes under the name `application`.
        account: where the copy runs.
        share: size of the copy.
    """

    cause: Literal["forgotten_environment"] = Field(alias="class")
    application: Name
    copy_of: Name
    account: Name
    share: Share = 0.5


class WrongInstanceFamily(_Cause):
    """A deployment moves the instances of an application to another family, one for one."""

    cause: Literal["wrong_instance_family"] = Field(alias="class")
    application: Name
    family: Name
    to: Name


class LostCommitment(_Cause):
    """A commitment ends and is not renewed: what it covered is charged on demand."""

    cause: Literal["lost_commitment"] = Field(alias="class")
    commitment: Name


class StorageClassChange(_Cause):
    """The rule that moves cold data into a cheap class is lost: what it held moves back, day by day.

    Attributes:
        family, to: the cheap class and the dear one.
        days: how long the move takes.
    """

    cause: Literal["storage_class"] = Field(alias="class")
    application: Name
    family: Name
    to: Name
    days: Annotated[int, Field(ge=1, le=60)] = 4


class RetentionChange(_Cause):
    """Data is kept longer than before: for `days`, so that stock grows by what would have expired.

    Attributes:
        ingest: factor on what comes in, such as backups that are taken more often.
    """

    cause: Literal["retention"] = Field(alias="class")
    application: Name
    family: Name
    days: Annotated[int, Field(ge=1, le=3650)]
    ingest: Positive = 1.0


class LogExplosion(_Cause):
    """An application writes `factor` times as much log for each request."""

    cause: Literal["log_explosion"] = Field(alias="class")
    application: Name
    factor: Positive = 8.0


class TraceExplosion(_Cause):
    """An application samples its traces `factor` times as often."""

    cause: Literal["trace_explosion"] = Field(alias="class")
    application: Name
    factor: Positive = 10.0


class CrossZone(_Cause):
    """A new call leaves the zone (or the cloud): `kb` for each request."""

    cause: Literal["cross_zone"] = Field(alias="class")
    application: Name
    kb: Positive


class RetryStorm(_Cause):
    """A dependency fails for a share of its calls and its callers try again: attempts = (1 − eⁿ⁺¹) / (1 − e).

    Attributes:
        application: the one that is called.
        fault: id of the fault in itbench.faults that makes calls fail.
        errors: share of the attempts that fail, e.
        retries: most that a caller makes, n.
    """

    cause: Literal["retry_storm"] = Field(alias="class")
    application: Name
    fault: Name = "corrupted-kubernetes-secret-credentials"
    errors: Annotated[float, Field(gt=0, lt=1)] = 0.7
    retries: Annotated[int, Field(ge=1, le=20)] = 5


class OrphanedResources(_Cause):
    """Something makes resources each day that nobody uses, tags or deletes, such as volumes and addresses.

    Attributes:
        account: where they are.
        families: what is left behind.
        each_day: units of each family, such as GB of volumes or addresses.
    """

    cause: Literal["orphaned_resources"] = Field(alias="class")
    account: Name
    family: Name
    each_day: Positive


class GpuIdle(_Cause):
    """Instances of a scheduled job are not let go after it: they are charged around the clock, and idle."""

    cause: Literal["gpu_idle"] = Field(alias="class")
    application: Name
    family: Name


class PriceChange(_Cause):
    """A provider changes the price of a family."""

    cause: Literal["price_change"] = Field(alias="class")
    family: Name
    factor: Positive


class MisTagging(_Cause):
    """Resources of an application carry the name of another one: the bill is the same, the showback is not.

    Attributes:
        to: whose name they get; empty: none.
        share: of the application's lines, by number; at least one moves.
    """

    cause: Literal["mistagging"] = Field(alias="class")
    application: Name
    to: str = ""
    share: Share = 1.0


Cause = Annotated[
    RunawayAutoscaler
    | ForgottenEnvironment
    | WrongInstanceFamily
    | LostCommitment
    | StorageClassChange
    | RetentionChange
    | LogExplosion
    | TraceExplosion
    | CrossZone
    | RetryStorm
    | OrphanedResources
    | GpuIdle
    | PriceChange
    | MisTagging,
    Field(discriminator="cause"),
]


class BenignChange(_Cause):
    """Something that raises cost as it should: it happens in the world without the causes too.

    Attributes:
        application: whose demand grows.
        factor: on its demand, at the peak.
        days: how long it lasts (seasonal, month_end), or takes to build up (growth, launch).
        every: seasonal: it comes back each so many days, so that history shows it.
    """

    cause: BenignClass = Field(alias="class")
    application: Name
    factor: Positive = 1.5
    days: Annotated[int, Field(ge=1, le=365)] = 4
    every: Annotated[int, Field(ge=7, le=366)] | None = None


class Ticket(Model):
    """When and where somebody noticed; without one, the first alert in an account that a cause makes dearer counts.

    Attributes:
        day: days before the end of the data.
    """

    account: Name
    day: Annotated[int, Field(ge=0, le=60)]


class CostScenario(Document):
    """scenarios/finops/<id>/scenario.yaml.

    Attributes:
        organisation: name of one of environments/organisations/, or a path to such a file.
        end: the last day of the data.
        days: how many days of data there are.
        causes: none: the scenario is benign.
        benign: what happens besides, and should.
        repair: the best one; without it, each cause's own.
        seed: of everything random, unless another is asked for.
    """

    id: ScenarioId
    domain: Literal["finops"]
    title: Annotated[str, Field(min_length=1, max_length=120)]
    description: str = ""
    complexity: Complexity = "medium"
    tags: tuple[str, ...] = ()
    organisation: Name
    end: date = date(2026, 6, 21)
    days: Annotated[int, Field(ge=42, le=800)] = 140
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    causes: tuple[Cause, ...] = ()
    benign: tuple[BenignChange, ...] = ()
    ticket: Ticket | None = None
    repair: tuple[CostAction, ...] = ()
    origin: str = ""

    @model_validator(mode="after")
    def _begins_before_its_causes(self) -> CostScenario:
        for key, changes in (("causes", self.causes), ("benign", self.benign)):
            for index, change in enumerate(changes):
                if change.onset > self.days - 35:
                    raise ValueError(f"{key}[{index}].onset: leaves less than five weeks of history before it")
        if not self.causes and self.ticket is None:
            raise ValueError("ticket: a scenario without causes says what was noticed")
        return self
