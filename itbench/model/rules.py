"""What a score means, as data: the content of evaluators/metrics.yaml.

Domain experts edit the file; this is its checked form, handed to the pure functions of itbench.scoring.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from itbench.model.base import Document, Domain, Model
from itbench.model.outcome import CAUSES, Cause


class MatchPolicy(Model):
    """How freely a predicted entity may differ from the ground truth's group and still count."""

    description: str
    families: tuple[tuple[str, ...], ...] = Field(
        default=(), description="kinds that stand for one application when their names agree, e.g. Deployment and Pod"
    )
    aliases: bool = Field(default=True, description="an alias of a root counts as the root")
    chaos_schedules: bool = Field(default=True, description="a chaos Schedule counts as the experiments it spawns, and back")
    chaos_namespaces: bool = Field(
        default=True, description="a chaos resource may be said to live in the injector's or in the application's namespace"
    )
    generated_names: bool = Field(
        default=True, description="generated suffixes of Pods, ReplicaSets, Jobs and chaos experiments are ignored"
    )
    kind_required: bool = Field(default=False, description="a prediction without a kind never matches")
    namespace_required: bool = Field(default=False, description="a prediction without a namespace never matches")


class NtamWeights(Model):
    """Parameters of the topology-aware match; formula in docs/metrics.md."""

    decay: float = Field(default=0.5, gt=0, lt=1, description="factor per hop of distance")
    position: float = Field(default=0.5, ge=0, le=1, description="how much faster importance falls along the chain")
    length_penalty: float = Field(default=0.5, gt=0, le=1, description="exponent of the length mismatch factor")
    application_edge: float = Field(default=0.5, gt=0, description="length of an edge within an application or an alias")
    containment_edge: float = Field(default=1.0, gt=0, description="length of the edge from a Namespace to what is in it")
    propagation_edge: float = Field(default=1.0, gt=0, description="length of one step of the propagation chain")


class CostNames(Model):
    """Other words for what FinOps answers name. Case, spaces and punctuation of types and classes never matter."""

    types: dict[str, tuple[str, ...]] = Field(default_factory=dict, description="type of a resource to other words for it")
    names: tuple[tuple[str, ...], ...] = Field(default=(), description="names that stand for the same thing")
    classes: dict[str, tuple[str, ...]] = Field(default_factory=dict, description="class of a cause to other words for it")


class Rules(Document):
    """evaluators/metrics.yaml."""

    version: str
    policies: dict[str, MatchPolicy]
    excluded_namespaces: tuple[str, ...] = Field(default=(), description="for the reference's namespace filter")
    ntam: NtamWeights = NtamWeights()
    finops: CostNames = CostNames()
    outcomes: dict[Cause, Literal["zero", "excluded"]]
    headline: dict[Domain, str] = Field(description="domain to the metric that pass@k and comparisons use")

    @model_validator(mode="after")
    def _every_cause_is_ruled(self) -> Rules:
        if missing := [cause for cause in CAUSES if cause not in self.outcomes]:
            raise ValueError(f"outcomes lacks {', '.join(missing)}")
        return self
