"""billing.csv: the bill in the columns of FOCUS 1.0, a row for each resource and day.

Use that a commitment covers has a row of its own, which is billed 0 and costs what was paid in advance for it; the
commitment itself is billed at the first of each month; credits are granted then. Amounts are in the currency of the account.
Rules that hold: itbench.datasets.focus, which checks them.
"""

from __future__ import annotations

import json
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

import numpy as np

from itbench.datasets.focus_columns import COLUMNS
from itbench.twin.cost.calendar import Floats
from itbench.twin.cost.organisation import Account
from itbench.twin.cost.plan import CommitmentPlan
from itbench.twin.cost.preparation import Prepared
from itbench.twin.cost.resources import resource_id, resource_name
from itbench.twin.cost.tables import Cell, Table
from itbench.twin.cost.world import LineCost, World
from itbench.twin.randomness import Streams

_PROVIDERS = {"AWS": "AWS", "GCP": "Google Cloud", "Azure": "Microsoft"}
_UNITS = {"hours": "Hours", "stock": "GB-Months", "flow": "GB"}
_COMMITMENTS = {"AWS": "Savings Plan", "GCP": "Committed Use Discount", "Azure": "Reservation"}
_EURO = 0.92
_LEAST = 0.00005
_UNTAGGED = 0.06
"""Share of the lines whose owner nobody has set."""
_MISSPELT = 0.05
"""Share of the lines with an environment that is written otherwise."""

Fields = dict[str, Cell]


@dataclass(frozen=True, slots=True)
class _Day:
    """One day and its month, as FOCUS writes them, and the exchange rate of an account's currency."""

    day: date

    @property
    def fields(self) -> Fields:
        """Charge period and billing period."""
        first = self.day.replace(day=1)
        following = first + timedelta(days=monthrange(first.year, first.month)[1])
        return {
            "BillingPeriodStart": _moment(first),
            "BillingPeriodEnd": _moment(following),
            "ChargePeriodStart": _moment(self.day),
            "ChargePeriodEnd": _moment(self.day + timedelta(days=1)),
        }


def focus_table(prepared: Prepared, world: World) -> Table:
    """The export."""
    return Table(COLUMNS, _rows(prepared, world))


def _rows(prepared: Prepared, world: World) -> Iterator[list[Cell]]:
    plan, dates = world.plan, world.calendar.dates
    streams = Streams(prepared.seed)
    lines = [(line, _of_line(prepared, world, line, streams)) for line in world.lines]
    rates = {name: _rates(account, dates, streams) for name, account in plan.organisation.accounts.items()}
    for number, day in enumerate(dates):
        period = _Day(day).fields
        for line, fixed in lines:
            yield from _usage(world, line, number, {**period, **fixed}, float(rates[line.plan.account][number]))
        for place, commitment in enumerate(plan.commitments):
            rate = float(rates[commitment.spec.account][number])
            yield from _commitment(prepared, world, place, commitment, number, period, rate)
        if day.day == 1:
            for name, account in plan.organisation.accounts.items():
                if account.credit:
                    yield _credit(prepared, name, account, period, float(rates[name][number]))


def _usage(world: World, line: LineCost, day: int, fields: Fields, rate: float) -> Iterator[list[Cell]]:
    listed, covered = float(line.listed[day]), float(line.covered[day])
    if listed < _LEAST:
        return
    family = line.family(day)
    about = world.plan.families[family]
    price = float(line.unit_price[day]) * rate
    negotiated = 1 - world.plan.account(line.plan.account).discount
    common = {
        **fields,
        **_tags(fields, line.label(day)),
        "SkuId": f"SKU-{family}",
        "ChargeDescription": f"{about.service} {family}, {_UNITS[about.unit].lower()}",
        "ListUnitPrice": _number(price),
        "ContractedUnitPrice": _number(price * negotiated),
    }
    if listed - covered >= _LEAST:
        cost = (listed - covered) * negotiated * rate
        yield _row({
            **common,
            **_quantity(line, day, (listed - covered) / listed, about.unit),
            "SkuPriceId": f"SKU-{family}-ondemand",
            "PricingCategory": "Standard",
            "ListCost": _number((listed - covered) * rate),
            "ContractedCost": _number(cost),
            "BilledCost": _number(cost),
            "EffectiveCost": _number(cost),
        })  # fmt: skip
    if covered >= _LEAST:
        commitment = world.plan.commitments[int(line.commitments[day])]
        yield _row({
            **common,
            **_quantity(line, day, covered / listed, about.unit),
            **_discount(world.plan.account(line.plan.account), commitment, "Used"),
            "SkuPriceId": f"SKU-{family}-committed",
            "PricingCategory": "Committed",
            "ListCost": _number(covered * rate),
            "ContractedCost": _number(covered * negotiated * rate),
            "BilledCost": "0",
            "EffectiveCost": _number(covered * (1 - commitment.spec.discount) * rate),
        })  # fmt: skip


def _commitment(
    prepared: Prepared, world: World, place: int, commitment: CommitmentPlan, day: int, period: Fields, rate: float
) -> Iterator[list[Cell]]:
    """What was paid in advance, on the first of a month, and what of it was not used, each day."""
    if day < commitment.begins or (commitment.ends is not None and day >= commitment.ends):
        return
    spec, dates = commitment.spec, world.calendar.dates
    account = prepared.organisation.accounts[spec.account]
    daily = spec.hourly * 24 * (1 - spec.discount) * rate
    fixed = {
        **_account(prepared, spec.account, account),
        **period,
        "ServiceCategory": "Compute",
        "ServiceName": f"{_COMMITMENTS[account.csp]}s",
        "SkuId": f"SKU-{commitment.name}",
        "SkuPriceId": f"SKU-{commitment.name}-term",
    }
    if dates[day].day == 1:
        days = monthrange(dates[day].year, dates[day].month)[1]
        if commitment.ends is not None:
            days = min(days, commitment.ends - day)
        hours, fee = 24 * days, daily * days
        yield _row({
            **fixed,
            "ChargeCategory": "Purchase",
            "ChargeFrequency": "Recurring",
            "ChargeDescription": f"{commitment.name}, fee for {days} days",
            "CommitmentDiscountId": _commitment_id(account, commitment),
            "CommitmentDiscountName": commitment.name,
            "CommitmentDiscountType": _COMMITMENTS[account.csp],
            "CommitmentDiscountCategory": "Spend",
            "PricingCategory": "Committed",
            "PricingQuantity": _number(hours),
            "PricingUnit": "Hours",
            "ListUnitPrice": _number(fee / hours),
            "ContractedUnitPrice": _number(fee / hours),
            "ListCost": _number(fee),
            "ContractedCost": _number(fee),
            "BilledCost": _number(fee),
            "EffectiveCost": "0",
        })  # fmt: skip
    used = sum(float(line.covered[day]) for line in world.lines if line.commitments[day] == place)
    unused = spec.hourly * 24 - used
    if unused > _LEAST:
        cost = unused * (1 - spec.discount) * rate
        yield _row({
            **fixed,
            **_discount(account, commitment, "Unused"),
            "ChargeCategory": "Usage",
            "ChargeFrequency": "Usage-Based",
            "ChargeDescription": f"{commitment.name}, unused",
            "PricingCategory": "Committed",
            "PricingQuantity": _number(unused / spec.hourly),
            "PricingUnit": "Hours",
            "ListUnitPrice": _number(spec.hourly * (1 - spec.discount) * rate),
            "ContractedUnitPrice": _number(spec.hourly * (1 - spec.discount) * rate),
            "ListCost": _number(cost),
            "ContractedCost": _number(cost),
            "BilledCost": "0",
            "EffectiveCost": _number(cost),
        })  # fmt: skip


def _credit(prepared: Prepared, name: str, account: Account, period: Fields, rate: float) -> list[Cell]:
    amount = _number(-account.credit * rate)
    return _row({
        **_account(prepared, name, account),
        **period,
        "ServiceCategory": "Other",
        "ServiceName": "Credits",
        "ChargeCategory": "Credit",
        "ChargeFrequency": "Recurring",
        "ChargeDescription": "Credit of a partner programme",
        "ListCost": "0",
        "ContractedCost": "0",
        "BilledCost": amount,
        "EffectiveCost": amount,
    })  # fmt: skip


def _of_line(prepared: Prepared, world: World, line: LineCost, streams: Streams) -> Fields:
    """What is the same on all days."""
    plan = line.plan
    account, family = world.plan.account(plan.account), world.plan.families[plan.spec.family]
    application = world.plan.applications.get(plan.application)
    tags = {"environment": plan.environment}
    if application is not None and streams.uniform(plan.key, "owner") > _UNTAGGED:
        tags["owner"] = application.spec.owner
    if streams.uniform(plan.key, "environment") < _MISSPELT:
        tags["environment"] = {"production": "prod", "staging": "Staging"}.get(plan.environment, "dev")
    zone = f"{account.region}{'abc'[int(3 * streams.uniform(plan.key, 'zone'))]}" if family.unit == "hours" else ""
    return {
        **_account(prepared, plan.account, account),
        "ServiceCategory": family.category,
        "ServiceName": family.service,
        "ChargeCategory": "Usage",
        "ChargeFrequency": "Usage-Based",
        "RegionId": account.region,
        "RegionName": account.region,
        "AvailabilityZone": zone,
        "ResourceId": resource_id(world.plan, plan),
        "ResourceName": resource_name(plan),
        "ResourceType": {"pool": "Node group", "fixed": "Instance", "job": "Instance", "stock": "Storage"}.get(
            plan.spec.kind, "Traffic"
        ),
        "Tags": json.dumps(tags, sort_keys=True) if plan.application else "{}",
    }


def _tags(fields: Fields, label: str) -> Fields:
    return {"Tags": _tagged(str(fields["Tags"]), label)} if label else {"Tags": fields["Tags"]}


@lru_cache(maxsize=4096)
def _tagged(tags: str, label: str) -> str:
    return json.dumps({"application": label, **json.loads(tags)}, sort_keys=True)


def _account(prepared: Prepared, name: str, account: Account) -> Fields:
    provider = _PROVIDERS[account.csp]
    payer = prepared.organisation.payer
    # Each provider bills the organisation by itself, and each billing account in one currency.
    return {
        "ProviderName": provider,
        "PublisherName": provider,
        "InvoiceIssuerName": provider,
        "BillingAccountId": f"{payer.id}-{account.csp.lower()}",
        "BillingAccountName": payer.name,
        "BillingCurrency": account.currency,
        "SubAccountId": account.id,
        "SubAccountName": name,
    }


def _discount(account: Account, commitment: CommitmentPlan, status: str) -> Fields:
    return {
        "CommitmentDiscountId": _commitment_id(account, commitment),
        "CommitmentDiscountName": commitment.name,
        "CommitmentDiscountType": _COMMITMENTS[account.csp],
        "CommitmentDiscountCategory": "Spend",
        "CommitmentDiscountStatus": status,
    }


def _commitment_id(account: Account, commitment: CommitmentPlan) -> str:
    return f"commitment/{account.id}/{commitment.name}"


def _quantity(line: LineCost, day: int, share: float, unit: str) -> Fields:
    quantity = float(line.quantity[day]) * share
    return {
        "PricingQuantity": _number(quantity),
        "PricingUnit": _UNITS[unit],
        "ConsumedQuantity": _number(quantity),
        "ConsumedUnit": _UNITS[unit],
    }


def _rates(account: Account, dates: tuple[date, ...], streams: Streams) -> Floats:
    """Units of the account's currency for a US dollar: one rate for each month."""
    if account.currency == "USD":
        return np.ones(len(dates))
    months = {(day.year, day.month) for day in dates}
    rate = {
        month: _EURO * (1 + 0.02 * (2 * streams.uniform(f"rate {account.currency} {month}", "month") - 1))
        for month in months
    }
    return np.array([round(rate[day.year, day.month], 4) for day in dates])


def _row(fields: Fields) -> list[Cell]:
    return [fields.get(column, "") for column in COLUMNS]


def _moment(day: date) -> str:
    return f"{day.isoformat()}T00:00:00Z"


def _number(value: float) -> str:
    return f"{value:.10f}".rstrip("0").rstrip(".") or "0"
