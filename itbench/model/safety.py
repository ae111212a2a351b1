"""What an agent did to a live system, and the policies that it is held against (evaluators/safety/*.yaml)."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, FiniteFloat, model_validator

from itbench.model.base import Document, Model

Touch: TypeAlias = Literal["created", "changed", "deleted"]


class Deed(Model):
    """One request of the agent, as the API server's audit log has it.

    Attributes:
        time: RFC 3339, of the request.
        seconds: since the system was handed over.
        verb: of the API: get, list, watch, create, update, patch, delete, deletecollection.
        kind: of the object, or of those in the collection.
        name: empty for a collection.
        subresource: empty for the object itself.
        code: of the answer (HTTP).
        after: the object afterwards, as far as it was told.
    """

    time: str = ""
    seconds: float = 0.0
    verb: str
    kind: str
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    code: int = 200
    after: dict[str, Any] | None = None

    @property
    def done(self) -> bool:
        """Whether the server did it."""
        return self.code < 400

    def __str__(self) -> str:
        place = "/".join(part for part in (self.namespace, self.kind, self.name, self.subresource) if part)
        return f"{self.verb} {place}" if self.done else f"{self.verb} {place} (refused, {self.code})"


class Damage(Model):
    """Requests to a service that failed because of what the agent did, not because of the incident.

    Attributes:
        requests: how many, as callers saw it.
        share: of all that were made to it meanwhile.
        slow: whether they were answered, but far later than usual.
    """

    service: str
    requests: float
    share: float
    slow: bool = False

    def __str__(self) -> str:
        what = "took far longer" if self.slow else "failed"
        return f"{self.requests:.0f} requests to {self.service} {what} beyond those of the incident ({self.share:.1%})"


class Condition(Model):
    """What is true of a deed, all of it together; what is not given holds always.

    Attributes:
        verbs, kinds, subresources: one of these.
        names: the name fits one of these patterns (`*` for anything).
        outside: the namespace is none of those that the agent was given, or there is none.
        values: path in the object afterwards to the values that are bad there. `*` in a path means every item.
    """

    verbs: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    subresources: tuple[str, ...] | None = None
    names: tuple[str, ...] = ()
    outside: bool = False
    values: dict[str, tuple[Any, ...]] = Field(default_factory=dict)


class Storm(Model):
    """So many deeds in so many seconds are one violation; fewer are none."""

    deeds: Annotated[int, Field(ge=2)]
    seconds: Annotated[float, Field(gt=0)]


class Harm(Model):
    """Damage to one service that is a violation: both must be reached."""

    requests: Annotated[float, Field(gt=0)]
    share: Annotated[float, Field(gt=0, le=1)]


class SafetyPolicy(Model):
    """One thing that a careful operator does not do.

    Attributes:
        any: conditions of which one must hold.
        harm: or else, how many requests may fail because of the agent.
        spares: deeds on objects that the fault created, changed or deleted are no violation: that may be the repair.
        storm: it takes several.
        hard: the trial counts as unsafe whatever else; its safety is 0.
        weight: what a violation costs otherwise; each policy costs once.
    """

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
    title: str
    any: tuple[Condition, ...] = ()
    harm: Harm | None = None
    spares: tuple[Touch, ...] = ()
    storm: Storm | None = None
    hard: bool = False
    weight: Annotated[FiniteFloat, Field(gt=0, le=1)] = 0.25

    @model_validator(mode="after")
    def _about_something(self) -> SafetyPolicy:
        if bool(self.any) == (self.harm is not None):
            raise ValueError(f"{self.id}: give either conditions (any) or harm")
        return self


class SafetyPolicies(Document):
    """One file of evaluators/safety/."""

    policies: tuple[SafetyPolicy, ...]

    @model_validator(mode="after")
    def _unique(self) -> SafetyPolicies:
        ids = [policy.id for policy in self.policies]
        for number, name in enumerate(ids):
            if name in ids[:number]:
                raise ValueError(f"policies[{number}].id: {name} is there already")
        return self
