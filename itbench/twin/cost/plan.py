"""What an organisation will run, day by day: everything that a cause, a benign change or a repair can act on.

A plan is made from the organisation, changed, and then run (itbench.twin.cost.world). Whatever acts on it sets quantities,
prices, behaviour or tags from a day on; nobody touches a cost.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from itbench.twin.cost.calendar import Calendar, Flags, Floats
from itbench.twin.cost.organisation import Account, Application, Commitment, Family, Line, Organisation, PriceList

MEMORY_TARGET = 0.8
"""Utilisation of the requested memory that autoscalers aim for."""


@dataclass(slots=True, eq=False)
class ApplicationPlan:
    """An application: what is asked of it.

    Attributes:
        users: factor on what users ask, by day.
        attempts: calls for each call that is meant; more than 1 where callers try again.
        failing: share of the calls that are meant and fail in the end.
        errors: share of the attempts that fail.
    """

    name: str
    spec: Application
    users: Floats
    attempts: Floats
    failing: Floats
    errors: Floats


@dataclass(slots=True, eq=False)
class LinePlan:
    """One line of the bill. Arrays have a value for each day.

    Attributes:
        application: that owns it; what its tag says is another matter, see `labels`.
        number: among the lines of its application.
        begins, ends: days from which on it is there, and no more.
        count: factor on instances, or on the GB that are kept for good.
        least, most, target, memory_target: of the autoscaler.
        always: a job runs around the clock.
        intensity: factor on the KB of each request.
        ingest: factor on what comes in.
        extra: GB or instances besides.
        families, labels: from a day on, another family, another tag.
        sized_for: the family that the number of nodes is reckoned for; a wrong template changes the family alone.
        keeps: from a day on, another retention (None: for good).
        used: whether anybody uses it.
    """

    application: str
    account: str
    spec: Line
    number: int
    days: int
    begins: int = 0
    ends: int | None = None
    environment: str = "production"
    used: bool = True
    count: Floats = field(init=False)
    least: Floats = field(init=False)
    most: Floats = field(init=False)
    target: Floats = field(init=False)
    memory_target: Floats = field(init=False)
    always: Flags = field(init=False)
    intensity: Floats = field(init=False)
    ingest: Floats = field(init=False)
    extra: Floats = field(init=False)
    families: list[tuple[int, str]] = field(default_factory=list)
    labels: list[tuple[int, str]] = field(default_factory=list)
    sized_for: list[tuple[int, str]] = field(default_factory=list)
    keeps: list[tuple[int, int | None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        ones = np.ones(self.days)
        self.count, self.intensity, self.ingest = ones.copy(), ones.copy(), ones.copy()
        self.extra = np.zeros(self.days)
        self.always = np.zeros(self.days, dtype=bool)
        spec = self.spec
        least, most, target = (spec.least, spec.most, spec.target) if spec.kind == "pool" else (1, 1, 1.0)
        self.least, self.most, self.target = ones * least, ones * most, ones * target
        self.memory_target = ones * MEMORY_TARGET
        if not self.families:
            self.families = [(0, spec.family)]
        if not self.labels:
            self.labels = [(0, self.application)]
        if not self.sized_for:
            self.sized_for = [(0, spec.family)]

    @property
    def key(self) -> str:
        """Names it, whatever its tag says."""
        return f"{self.account}/{self.application}/{self.spec.family}/{self.number}"

    @property
    def identifier(self) -> str:
        """As a provider would name it: tells nothing."""
        return hashlib.blake2b(self.key.encode(), digest_size=8).hexdigest()


@dataclass(slots=True, eq=False)
class CommitmentPlan:
    """A commitment, and the day from which on it covers nothing; `begins` for those that are bought."""

    name: str
    spec: Commitment
    begins: int = 0
    ends: int | None = None


@dataclass(slots=True, eq=False)
class WorldPlan:
    """All that is run. `prices` are factors on list prices, by family and day."""

    calendar: Calendar
    organisation: Organisation
    families: Mapping[str, Family]
    applications: dict[str, ApplicationPlan]
    lines: list[LinePlan]
    commitments: list[CommitmentPlan]
    prices: dict[str, Floats] = field(default_factory=dict)

    @property
    def days(self) -> int:
        """How many."""
        return self.calendar.days

    def account(self, name: str) -> Account:
        """The account of a name."""
        return self.organisation.accounts[name]

    def of(self, application: str, kind: str | None = None, family: str | None = None) -> list[LinePlan]:
        """The lines of an application, of a kind, of a family."""
        return [
            line
            for line in self.lines
            if line.application == application
            and kind in (None, line.spec.kind)
            and family in (None, line.spec.family, line.families[-1][1])
        ]

    def add_application(self, name: str, spec: Application) -> ApplicationPlan:
        """A new application, without lines."""
        ones = np.ones(self.days)
        found = ApplicationPlan(name, spec, ones.copy(), ones.copy(), np.zeros(self.days), np.zeros(self.days))
        self.applications[name] = found
        return found

    def add_lines(self, application: str, account: str, specs: Sequence[Line], begins: int) -> Iterator[LinePlan]:
        """New lines from a day on."""
        environment = self.applications[application].spec.environment if application in self.applications else "production"
        for spec in specs:
            number = sum(line.application == application for line in self.lines)
            line = LinePlan(application, account, spec, number, self.days, begins=begins, environment=environment)
            self.lines.append(line)
            yield line

    def price_factor(self, family: str) -> Floats:
        """The factor on a family's list price, to be changed in place."""
        return self.prices.setdefault(family, np.ones(self.days))


def plan_of(organisation: Organisation, prices: PriceList, calendar: Calendar) -> WorldPlan:
    """What an organisation runs if nothing happens."""
    plan = WorldPlan(calendar, organisation, prices.families, {}, [], [])
    for name, spec in organisation.applications.items():
        plan.add_application(name, spec)
        for number, line in enumerate(spec.lines):
            plan.lines.append(LinePlan(name, spec.account, line, number, calendar.days, environment=spec.environment))
    plan.commitments = [CommitmentPlan(name, spec) for name, spec in organisation.commitments.items()]
    return plan
