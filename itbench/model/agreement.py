"""Labels that raters gave, and how far they agree."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, FiniteFloat, StringConstraints

from itbench.model.base import Document, Model
from itbench.model.rubric import JudgedCriterion

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]


class Label(Model):
    """One rater's verdict on one entity of one answer."""

    rater: Name = Field(description="`judge`, `matcher`, or a person")
    criterion: JudgedCriterion
    agent: str = ""
    scenario: Name
    trial: int = Field(ge=0)
    entity: Name = Field(description="as the answer writes it")
    label: FiniteFloat = Field(ge=0, le=1, description="1, 0.5 or 0; of root_cause_entity 1 (is a root cause) or 0")

    @property
    def item(self) -> tuple[JudgedCriterion, str, str, int, str]:
        """What was rated, whoever rated it."""
        return self.criterion, self.agent, self.scenario, self.trial, self.entity


class KappaEstimate(Model):
    """Cohen's kappa with a 95 % bootstrap interval; null where it is not defined."""

    value: float | None
    low: float | None
    high: float | None


class PairAgreement(Model):
    """How two raters agree on one criterion, over the entities that both rated."""

    criterion: JudgedCriterion
    raters: tuple[str, str]
    n: int
    agreement: float = Field(description="share of equal labels")
    kappa: KappaEstimate
    kappa_linear: KappaEstimate = Field(description="a disagreement counts by its distance; as kappa with two labels")


class Disagreement(Model):
    """An entity that was rated differently: rater to label."""

    criterion: JudgedCriterion
    agent: str
    scenario: str
    trial: int
    entity: str
    labels: dict[str, float]


class Agreement(Document):
    """What `itbench judge agreement --json` prints."""

    kind: Literal["judge-agreement"] = "judge-agreement"
    labels: int
    pairs: tuple[PairAgreement, ...]
    disagreements: tuple[Disagreement, ...]
