"""What a language model is asked when it judges, as data: one file per criterion in evaluators/judge/."""

from __future__ import annotations

from typing import Literal, Self, get_args

from pydantic import Field, model_validator

from itbench.model.base import Document, Model

JudgedCriterion = Literal["root_cause_reasoning", "root_cause_reasoning_partial", "root_cause_entity"]
JUDGED_CRITERIA: tuple[JudgedCriterion, ...] = get_args(JudgedCriterion)


class Grade(Model):
    """One of the verdicts that a judge can give."""

    label: str = Field(pattern=r"^[a-z_]{1,30}$", description="what the judge writes")
    value: float = Field(ge=0, le=1, description="what it counts")
    when: str = Field(min_length=1, description="when it applies, in words for the judge")


class Rubric(Document):
    """How one criterion is judged."""

    criterion: JudgedCriterion
    version: str = Field(min_length=1, description="raise it with every change that may change a verdict")
    task: str = Field(min_length=1, description="what is to be judged")
    grades: tuple[Grade, ...] = Field(min_length=2)
    guidance: dict[str, str] = Field(default_factory=dict, description="scenario id to what else to know about it")

    @model_validator(mode="after")
    def _grades_differ(self) -> Self:
        if len({grade.label for grade in self.grades}) < len(self.grades):
            raise ValueError("two grades have the same label")
        if len({grade.value for grade in self.grades}) < len(self.grades):
            raise ValueError("two grades have the same value")
        if 0 not in self.values.values():
            raise ValueError("no grade has the value 0")
        return self

    @property
    def values(self) -> dict[str, float]:
        """Label to value."""
        return {grade.label: grade.value for grade in self.grades}


Rubrics = dict[JudgedCriterion, Rubric]
