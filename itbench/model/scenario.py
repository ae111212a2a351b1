"""A scenario as its author writes it: what runs, what is done to it and when, and what should come of it.

Names and meanings follow the upstream library where it has them (disruptions, faults, waiters). What a fault or waiter
takes as arguments is its own affair; here they are plain values.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from itbench.model.base import Document, Model
from itbench.model.units import Seconds

Complexity = Literal["low", "medium", "high"]
ScenarioId = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", max_length=60)]


class Step(Model):
    """A fault or a waiter, by its id, with its arguments."""

    id: str
    args: dict[str, Any] = Field(default_factory=dict)


class Disruption(Model):
    """One thing that goes wrong.

    Attributes:
        at: after the first disruption's time, `Timeline.before`.
        before: waiters that run first, one after the other.
        faults: injected one after the other.
        after: waiters that run then.
    """

    at: Seconds = 0.0
    before: tuple[Step, ...] = ()
    faults: Annotated[tuple[Step, ...], Field(min_length=1)]
    after: tuple[Step, ...] = ()


class Timeline(Model):
    """How long is recorded: `before` the first disruption, while all is well, and `after` it.

    A waiter that is still at work at the end is waited for, and recorded.
    """

    before: Annotated[Seconds, Field(ge=60)] = 900.0
    after: Annotated[Seconds, Field(ge=60)] = 1500.0

    @property
    def seconds(self) -> float:
        """The whole."""
        return self.before + self.after


class Load(Model):
    """What the load generator does, where that differs from the application's description."""

    users: Annotated[float, Field(gt=0, le=1e7)] | None = None
    spawn_rate: Annotated[float, Field(gt=0)] | None = None
    rate: Annotated[float, Field(gt=0, le=1e7)] | None = None


class ExpectedAlert(Model):
    """An alert that the incident should raise, about whatever has these labels."""

    name: str
    labels: dict[str, str] = Field(default_factory=dict)


class Distraction(Model):
    """Something that looks like a cause and is none: it happens in the world without the faults too.

    Attributes:
        at: from the beginning of the recording on.
        text: for people: what it looks like, and why it is harmless.
        change: in the form of a play file (docs/twin.md), without `at`.
    """

    at: Seconds
    text: str = ""
    change: dict[str, Any]


class AcceptedFix(Model):
    """A way to repair the incident besides those that the faults name.

    Attributes:
        text: for people.
        changes: in the form of a play file (docs/twin.md), without `at`.
    """

    text: str
    changes: Annotated[tuple[dict[str, Any], ...], Field(min_length=1)]


ObjectName = Annotated[str, Field(pattern=r"^[A-Z][A-Za-z0-9]*/[a-z0-9]([-.a-z0-9]*[a-z0-9])?$", max_length=300)]
"""`Kind/name`."""


class Wording(Model):
    """The author's words for a step of the propagation chain; which steps there are is measured.

    Attributes:
        source, target: `Kind/name`.
    """

    source: ObjectName
    target: ObjectName
    condition: str | None = None
    effect: str | None = None


class Scenario(Document):
    """scenarios/<domain>/<id>/scenario.yaml.

    Attributes:
        application: name of one of environments/applications/, or a path to such a file.
        autoscaling: give every workload but the load generator a HorizontalPodAutoscaler.
        noise: level of harmless background noise; 0 is none, 1 what is usual.
        seed: of everything random, unless another is asked for.
        distractions: what else happens, and is innocent.
        expected_alerts: the least that must fire.
        innocent_alerts: those that may fire without the faults, such as for what the distractions do.
        wording: the author's words for measured steps.
        origin: where the scenario comes from, such as `upstream scenario 30`.
    """

    id: ScenarioId
    domain: Literal["sre", "finops"] = "sre"
    title: Annotated[str, Field(min_length=1, max_length=120)]
    description: str = ""
    complexity: Complexity = "medium"
    tags: tuple[str, ...] = ()
    application: str
    autoscaling: bool = False
    load: Load = Load()
    noise: Annotated[float, Field(ge=0, le=10)] = 1.0
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    timeline: Timeline = Timeline()
    disruptions: tuple[Disruption, ...] = ()
    distractions: tuple[Distraction, ...] = ()
    expected_alerts: tuple[ExpectedAlert, ...] = ()
    innocent_alerts: tuple[ExpectedAlert, ...] = ()
    fixes: tuple[AcceptedFix, ...] = ()
    wording: tuple[Wording, ...] = ()
    origin: str = ""

    @model_validator(mode="after")
    def _has_a_root(self) -> Scenario:
        if self.domain == "sre" and not self.disruptions:
            raise ValueError("disruptions: an SRE scenario needs at least one fault, else it has no root cause")
        return self

    @model_validator(mode="after")
    def _words_each_step_once(self) -> Scenario:
        first: dict[tuple[str, str], int] = {}
        for index, wording in enumerate(self.wording):
            known = first.setdefault((wording.source, wording.target), index)
            if known != index:
                raise ValueError(f"wording[{index}]: words the same step as wording[{known}]")
        return self

    @model_validator(mode="after")
    def _ends_after_all_that_happens(self) -> Scenario:
        for index, disruption in enumerate(self.disruptions):
            if disruption.at >= self.timeline.after:
                raise ValueError(
                    f"disruptions[{index}].at: {disruption.at:g} s is beyond the end, "
                    f"{self.timeline.after:g} s after the first disruption"
                )
        for index, distraction in enumerate(self.distractions):
            if distraction.at >= self.timeline.seconds:
                raise ValueError(
                    f"distractions[{index}].at: {distraction.at:g} s is beyond the end, {self.timeline.seconds:g} s after "
                    "the beginning of the recording"
                )
        return self
