"""An organisation as environments/organisations/*.yaml describes it: accounts, commitments, applications and what they run.

Keys and units: docs/finops-twin.md.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from itbench.model.base import Document, Model
from itbench.model.cost import Currency

Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Hour = Annotated[int, Field(ge=0, le=24)]
Csp = Literal["AWS", "Azure", "GCP"]


class Family(Model):
    """One kind of thing that a provider charges for.

    Attributes:
        unit: `hours` of an instance, a `stock` of GB by the month of 730 hours, or a `flow` of GB.
        price: list price of a unit, in US dollars.
        vcpu, memory, gpus: of an instance; memory in GB. 0 where it is none.
    """

    csp: Csp
    service: str
    category: str
    unit: Literal["hours", "stock", "flow"]
    price: Positive
    vcpu: NotNegative = 0.0
    memory: NotNegative = 0.0
    gpus: NotNegative = 0.0


class PriceList(Document):
    """environments/prices.yaml."""

    families: dict[str, Family]


class Payer(Model):
    """Who is billed."""

    id: str
    name: str


class Account(Model):
    """One account at a provider.

    Attributes:
        currency: of its invoices.
        discount: negotiated, off the list price.
        credit: that is granted each month, in US dollars.
    """

    id: str
    csp: Csp
    region: str
    currency: Currency = "USD"
    discount: Share = 0.0
    credit: NotNegative = 0.0


class Commitment(Model):
    """Use that was paid for in advance.

    Attributes:
        hourly: worth of use that it covers, in US dollars an hour at list price.
        discount: off the list price of what it covers.
    """

    account: str
    families: Annotated[tuple[str, ...], Field(min_length=1)]
    hourly: Positive
    discount: Share


class Demand(Model):
    """What users ask of an application.

    Attributes:
        rps: requests a second, averaged over a week.
        daily, weekly: shapes of a day and of a week, see itbench.twin.cost.calendar.
        growth: by the month.
        month_end: factor on the last three days of a month.
        noise: standard deviation of the logarithm, from day to day.
    """

    rps: Positive
    daily: Literal["flat", "office", "daytime", "evening"] = "daytime"
    weekly: Literal["flat", "office", "weekend"] = "flat"
    growth: Annotated[float, Field(ge=-0.5, le=0.5)] = 0.0
    month_end: Positive = 1.0
    noise: Annotated[float, Field(ge=0, le=0.5)] = 0.03


class Pool(Model):
    """Pods that an autoscaler keeps, on nodes of a family that come and go with them.

    Attributes:
        cpu_ms: milliseconds of a core for each request.
        cpu, memory: that a pod requests; cores and GB.
        target: utilisation of the requested CPU that the autoscaler aims for.
        least, most: pods.
    """

    kind: Literal["pool"]
    family: str
    cpu_ms: Positive
    cpu: Positive
    memory: Positive
    target: Annotated[float, Field(gt=0, le=1)]
    least: Annotated[int, Field(ge=1)]
    most: Annotated[int, Field(ge=1)]

    @model_validator(mode="after")
    def _has_room(self) -> Pool:
        if self.most < self.least:
            raise ValueError("most: is less than `least`")
        return self


class Fixed(Model):
    """Instances that are always there; those with `cpu_ms` work for requests."""

    kind: Literal["fixed"]
    family: str
    instances: Annotated[int, Field(ge=1)]
    cpu_ms: NotNegative = 0.0


class Job(Model):
    """Instances that run from one hour to another on some days, at full load.

    Attributes:
        days: `month_end` is the last two days of a month and the first of the next.
    """

    kind: Literal["job"]
    family: str
    instances: Annotated[int, Field(ge=1)]
    hours: tuple[Hour, Hour]
    days: Literal["all", "weekdays", "month_end"]


class Stock(Model):
    """Data that is kept: `gb` for good, and what comes in each day, for `keep_days` (None: for good)."""

    kind: Literal["stock"]
    family: str
    gb: NotNegative = 0.0
    gb_each_day: NotNegative = 0.0
    keep_days: Annotated[int, Field(ge=1, le=3650)] | None = None


class Flow(Model):
    """Data that moves: `kb` for each request."""

    kind: Literal["flow"]
    family: str
    kb: Positive
    role: Literal["transfer", "logs", "traces"] = "transfer"


Line = Annotated[Pool | Fixed | Job | Stock | Flow, Field(discriminator="kind")]


class Application(Model):
    """What belongs together: one team's service with all that it runs on.

    Attributes:
        namespace: where its pods are; by default of its own name.
    """

    account: str
    owner: str
    environment: Literal["production", "staging", "development"] = "production"
    namespace: str | None = None
    demand: Demand
    lines: Annotated[tuple[Line, ...], Field(min_length=1)]


class Organisation(Document):
    """environments/organisations/<name>.yaml."""

    title: str
    payer: Payer
    currency: Currency = "USD"
    accounts: Annotated[dict[str, Account], Field(min_length=1)]
    commitments: dict[str, Commitment] = Field(default_factory=dict)
    applications: Annotated[dict[str, Application], Field(min_length=1)]

    def problems(self, prices: PriceList) -> list[tuple[tuple[str | int, ...], str]]:
        """What names something that does not exist, by key."""
        found: list[tuple[tuple[str | int, ...], str]] = []
        for name, commitment in self.commitments.items():
            if commitment.account not in self.accounts:
                found.append((("commitments", name, "account"), f"there is no account {commitment.account!r}"))
            for index, family in enumerate(commitment.families):
                if family not in prices.families:
                    found.append((("commitments", name, "families", index), f"no price is known for {family!r}"))
        for name, application in self.applications.items():
            account = self.accounts.get(application.account)
            if account is None:
                found.append((("applications", name, "account"), f"there is no account {application.account!r}"))
                continue
            for index, line in enumerate(application.lines):
                key = ("applications", name, "lines", index, "family")
                problem = line_problem(line, prices.families.get(line.family), account)
                if problem is not None:
                    found.append((key, problem))
        return found


_UNITS = {"pool": "hours", "fixed": "hours", "job": "hours", "stock": "stock", "flow": "flow"}


def line_problem(line: Line, family: Family | None, account: Account) -> str | None:
    """Why a line cannot be billed in an account; None if it can."""
    if family is None:
        return f"no price is known for {line.family!r}"
    if family.csp != account.csp:
        return f"{line.family!r} is of {family.csp}, the account of {account.csp}"
    if family.unit != _UNITS[line.kind]:
        return f"{line.family!r} is charged by {family.unit}, a line of kind {line.kind} needs {_UNITS[line.kind]}"
    if line.kind == "pool" and (line.cpu > family.vcpu or line.memory > family.memory):
        return f"a pod does not fit into a node of {line.family!r}"
    return None
