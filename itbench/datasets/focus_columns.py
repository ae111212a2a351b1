"""The columns of FOCUS 1.0, the FinOps Open Cost and Usage Specification, and what each may hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "number", "moment", "currency", "json"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        kind: of its values.
        nullable: may be empty.
        required: must be there; all others of the specification may be.
        allowed: the only values, if they are listed.
    """

    kind: Kind = "text"
    nullable: bool = True
    required: bool = True
    allowed: frozenset[str] | None = None


def _one_of(*values: str, nullable: bool = False) -> Column:
    return Column(nullable=nullable, allowed=frozenset(values))


_ALWAYS = Column(nullable=False)
_COST = Column("number", nullable=False)
_AMOUNT = Column("number")
_MOMENT = Column("moment", nullable=False)

SERVICE_CATEGORIES = (
    *("AI and Machine Learning", "Analytics", "Business Applications", "Compute", "Databases", "Developer Tools"),
    *("Multicloud", "Identity", "Integration", "Internet of Things", "Management and Governance", "Media", "Migration"),
    *("Mobile", "Networking", "Security", "Storage", "Web", "Other"),
)

FOCUS_1_0: Mapping[str, Column] = {
    "AvailabilityZone": Column(required=False),
    "BilledCost": _COST,
    "BillingAccountId": _ALWAYS,
    "BillingAccountName": Column(),
    "BillingCurrency": Column("currency", nullable=False),
    "BillingPeriodEnd": _MOMENT,
    "BillingPeriodStart": _MOMENT,
    "ChargeCategory": _one_of("Usage", "Purchase", "Tax", "Credit", "Adjustment"),
    "ChargeClass": _one_of("Correction", nullable=True),
    "ChargeDescription": Column(),
    "ChargeFrequency": Column(nullable=False, required=False, allowed=frozenset({"One-Time", "Recurring", "Usage-Based"})),
    "ChargePeriodEnd": _MOMENT,
    "ChargePeriodStart": _MOMENT,
    "CommitmentDiscountCategory": _one_of("Spend", "Usage", nullable=True),
    "CommitmentDiscountId": Column(),
    "CommitmentDiscountName": Column(),
    "CommitmentDiscountStatus": _one_of("Used", "Unused", nullable=True),
    "CommitmentDiscountType": Column(),
    "ConsumedQuantity": _AMOUNT,
    "ConsumedUnit": Column(),
    "ContractedCost": _COST,
    "ContractedUnitPrice": _AMOUNT,
    "EffectiveCost": _COST,
    "InvoiceIssuerName": _ALWAYS,
    "ListCost": _COST,
    "ListUnitPrice": _AMOUNT,
    "PricingCategory": _one_of("Standard", "Dynamic", "Committed", "Other", nullable=True),
    "PricingQuantity": _AMOUNT,
    "PricingUnit": Column(),
    "ProviderName": _ALWAYS,
    "PublisherName": _ALWAYS,
    "RegionId": Column(),
    "RegionName": Column(),
    "ResourceId": Column(),
    "ResourceName": Column(),
    "ResourceType": Column(),
    "ServiceCategory": _one_of(*SERVICE_CATEGORIES),
    "ServiceName": _ALWAYS,
    "SkuId": Column(),
    "SkuPriceId": Column(),
    "SubAccountId": Column(),
    "SubAccountName": Column(),
    "Tags": Column("json"),
}
"""By name, in the order of the specification, which is the alphabet's."""

COLUMNS = tuple(FOCUS_1_0)
