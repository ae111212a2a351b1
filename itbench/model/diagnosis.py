"""What an agent answers: a diagnosis of an incident (SRE) or of a cost anomaly (FinOps)."""

from __future__ import annotations

from datetime import date

from pydantic import FiniteFloat

from itbench.model.base import Document, Model
from itbench.model.cost import CostAction
from itbench.model.entity import Entity
from itbench.model.resource import Resource


class PredictedEntity(Model):
    """An entity of the answer, in the agent's order of importance.

    `text` is the name as the agent wrote it; `entity` is what we read in it.
    """

    text: str
    entity: Entity
    contributing_factor: bool = False
    reasoning: str = ""
    evidence: str = ""


class PredictedPropagation(Model):
    """A step of the chain as the agent sees it."""

    source: Entity
    target: Entity
    condition: str = ""
    effect: str = ""


class ExplainedAlert(Model):
    """An alert that the agent says it can, or cannot, explain."""

    alert: str
    explanation: str = ""
    explained: bool = False


class Diagnosis(Document):
    """The SRE answer; contributing factors are its root causes."""

    entities: tuple[PredictedEntity, ...] = ()
    propagations: tuple[PredictedPropagation, ...] = ()
    alerts_explained: tuple[ExplainedAlert, ...] = ()

    @property
    def root_causes(self) -> tuple[PredictedEntity, ...]:
        """The entities marked as contributing factor, in order."""
        return tuple(entity for entity in self.entities if entity.contributing_factor)


class CostClaim(Model):
    """A cause as the agent sees it.

    Attributes:
        cause: its class, in the agent's words; `class` in answers.
        resources: where it sits.
        onset: the first day on which it acts.
        amount: what it added up to, in the bill's currency.
        share: of the whole anomaly, 0 to 1.
    """

    cause: str = ""
    resources: tuple[Resource, ...] = ()
    onset: date | None = None
    amount: FiniteFloat | None = None
    share: FiniteFloat | None = None


class CostDiagnosis(Document):
    """The FinOps answer.

    Attributes:
        resources: behind the anomaly.
        anomaly: whether there is one at all, where the agent says so.
        causes: what it consists of, where the agent says so.
        mitigations: what the agent proposes to do.
    """

    resources: tuple[Resource, ...] = ()
    anomaly: bool | None = None
    causes: tuple[CostClaim, ...] = ()
    mitigations: tuple[CostAction, ...] = ()

    @property
    def says_nothing_is_wrong(self) -> bool:
        """Whether the answer is that the bill is as it should be."""
        return not self.resources and not self.causes and self.anomaly is not True
