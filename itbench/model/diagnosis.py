"""What an agent answers: a diagnosis of an incident (SRE) or of a cost anomaly (FinOps)."""

from __future__ import annotations

from itbench.model.base import Document, Model
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


class CostDiagnosis(Document):
    """The FinOps answer: the resources behind the anomaly."""

    resources: tuple[Resource, ...] = ()
