"""Ground truth: what went wrong in a scenario, how it spread, and what an answer is held against.

One normal form for the public dialects (flat, itbench.io/v1, itbench.io/v2, FinOps); unknown keys are kept.
Reading them is the work of itbench.datasets.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, Literal

from pydantic import Field

from itbench.model.base import OpenModel
from itbench.model.cost import CostTruth
from itbench.model.resource import Resource

Dialect = Literal["flat", "v1", "v2", "finops", "ciso"]


class Group(OpenModel):
    """One entity of the incident, or a family of them: `name` or the regular expressions in `filter` say which."""

    id: str
    kind: str
    namespace: str | None = None
    name: str | None = None
    filter: tuple[str, ...] = ()
    root_cause: bool = False


class Alias(OpenModel):
    """Group ids that stand for the same thing: naming one is as good as naming another."""

    groups: tuple[str, ...]


class Propagation(OpenModel):
    """One step of the chain: because of `condition` at `source`, `effect` shows at `target` (group ids)."""

    source: str
    target: str
    condition: str = ""
    effect: str = ""


class FaultRecord(OpenModel):
    """What was done to the system, in the words of its author; several may describe one root."""

    category: str = ""
    condition: str = ""
    fault_mechanism: str = ""
    entity: dict[str, Any] = Field(default_factory=dict)
    changed: Any = None


class Alert(OpenModel):
    """An alert that the incident raises, and the group that it is about."""

    id: str
    group_id: str | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)


class GroundTruth(OpenModel):
    """The normal form. Every list may be empty: no file has them all."""

    dialect: Dialect = "flat"
    groups: tuple[Group, ...] = ()
    aliases: tuple[Alias, ...] = ()
    propagations: tuple[Propagation, ...] = ()
    faults: tuple[FaultRecord, ...] = ()
    alerts: tuple[Alert, ...] = ()
    recommended_actions: tuple[dict[str, Any], ...] = ()
    resources: tuple[Resource, ...] = ()
    metadata: dict[str, Any] = Field(default_factory=dict)
    cost: CostTruth | None = Field(default=None, description="FinOps: what the anomaly came to, where that was measured")
    folder: str | None = Field(default=None, description="CISO: the task; its truth is what comes of trying an answer there")

    @cached_property
    def by_id(self) -> dict[str, Group]:
        """Groups by id; the first one wins where an id is used twice."""
        found: dict[str, Group] = {}
        for group in self.groups:
            found.setdefault(group.id, group)
        return found

    @cached_property
    def roots(self) -> tuple[Group, ...]:
        """The groups that are marked as root cause; of groups with the same id only the first counts."""
        return tuple(group for group in self.by_id.values() if group.root_cause)
