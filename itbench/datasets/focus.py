"""Check a FOCUS 1.0 export against the rules of the specification: columns, types, values, and how they hang together.

    findings = list(validate_focus(Path("billing.csv")))

Rows are read one by one, so a file of any size can be checked; each finding has its line. Rules: docs/finops-twin.md.
"""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from itbench.datasets.findings import Finding
from itbench.datasets.focus_columns import FOCUS_1_0, Column

MOST_FINDINGS = 200
"""One wrong column makes a finding in every row; more tell nothing new."""
TOLERANCE = 1e-4
"""Between a cost and its price × quantity: relative, and at least a hundredth of a cent."""

_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z", re.ASCII)
_CURRENCIES = frozenset(
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD "
    "CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD "
    "GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT "
    "LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR "
    "NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP "
    "STN SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VES VND VUV WST XAF XCD XOF XPF "
    "YER ZAR ZMW ZWG".split()
)  # ISO 4217
_NUMBER = re.compile(r"[+-]?\d{1,30}(\.\d{1,30})?([eE][+-]?\d{1,3})?", re.ASCII)
_TOGETHER = (
    ("ResourceId", ("ResourceName", "ResourceType"), False),
    ("SubAccountId", ("SubAccountName",), False),
    ("CommitmentDiscountId", ("CommitmentDiscountCategory", "CommitmentDiscountType"), True),
    ("PricingQuantity", ("PricingUnit",), True),
    ("ConsumedQuantity", ("ConsumedUnit",), True),
    ("RegionId", ("RegionName",), True),
)
"""Where the first is empty the others are; if `both`, where it is not they are not either."""

Row = Mapping[str, str]


def validate_focus(path: Path) -> Iterator[Finding]:
    """What breaks the specification, in the order of the file.

    Raises:
        OSError: the file cannot be read.
    """
    for number, finding in enumerate(_findings(path)):
        if number == MOST_FINDINGS:
            yield Finding(
                severity="info", path=str(path), message=f"more than {MOST_FINDINGS} findings; the rest is left out"
            )
            return
        yield finding


def _findings(path: Path) -> Iterator[Finding]:
    currencies: dict[str, str] = {}
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
        lines = csv.reader(stream)
        try:
            header = next(lines, [])
            yield from (_finding(path, 1, column, message) for column, message in _header(header))
            known = [column if column in FOCUS_1_0 else "" for column in header]
            for fields in lines:
                line = lines.line_num
                if len(fields) != len(header):
                    yield _finding(path, line, None, f"{len(fields)} fields, the header has {len(header)}")
                    continue
                row = {column: value for column, value in zip(known, fields, strict=True) if column}
                problems = list(_values(row)) or [*_rules(row), *_one_currency(row, currencies)]
                yield from (_finding(path, line, column, message) for column, message in problems)
        except csv.Error as error:
            yield _finding(path, lines.line_num, None, f"is no CSV: {error}")


def _finding(path: Path, line: int, column: str | None, message: str) -> Finding:
    return Finding(severity="error", path=str(path), line=line, key=column, message=message)


Problem = tuple[str | None, str]


def _header(header: list[str]) -> Iterator[Problem]:
    for name, column in FOCUS_1_0.items():
        if column.required and name not in header:
            yield name, "this column is missing"
    for name in header:
        if name not in FOCUS_1_0 and not name.startswith("x_"):
            yield name, "is no column of FOCUS 1.0; columns of one's own begin with x_"
        if header.count(name) > 1:
            yield name, "appears twice"


def _values(row: Row) -> Iterator[Problem]:
    """Each value by itself."""
    for name, value in row.items():
        column = FOCUS_1_0[name]
        if value == "":
            if not column.nullable:
                yield name, "must not be empty"
        else:
            message = _value_problem(column, value)
            if message is not None:
                yield name, message


def _value_problem(column: Column, value: str) -> str | None:
    if column.allowed is not None and value not in column.allowed:
        return f"{value!r} is none of {', '.join(sorted(column.allowed))}"
    match column.kind:
        case "number":
            return None if _NUMBER.fullmatch(value) and math.isfinite(float(value)) else f"{value!r} is no decimal number"
        case "moment":
            return None if _moment(value) else f"{value!r} is no moment in UTC such as 2026-01-31T00:00:00Z"
        case "currency":
            return None if value in _CURRENCIES else f"{value!r} is no currency of ISO 4217"
        case "json":
            return _json_problem(value)
        case "text":
            return None


def _json_problem(value: str) -> str | None:
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):
        return "is no JSON"
    if not isinstance(found, dict) or any(isinstance(item, dict | list) for item in found.values()):
        return "is no JSON object of plain values"
    return None


def _moment(value: str) -> datetime | None:
    if not _MOMENT.fullmatch(value):
        return None
    try:
        return datetime.strptime(value, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None


def _rules(row: Row) -> Iterator[Problem]:
    """How the values of a row hang together."""
    yield from _periods(row)
    yield from _belonging(row)
    yield from _categories(row)
    yield from _commitments(row)
    yield from _products(row)


def _periods(row: Row) -> Iterator[Problem]:
    for name in ("ChargePeriod", "BillingPeriod"):
        if row.get(f"{name}Start", "") >= row.get(f"{name}End", "~"):
            yield f"{name}End", f"is not after {name}Start"
    charged = row.get("ChargePeriodStart", "")
    if row.get("ChargeClass") != "Correction" and not row.get("BillingPeriodStart", "") <= charged < row.get(
        "BillingPeriodEnd", "~"
    ):
        yield "ChargePeriodStart", "is not in the billing period, and the charge is no correction"


def _belonging(row: Row) -> Iterator[Problem]:
    for first, others, both in _TOGETHER:
        for other in others:
            if first not in row or other not in row:
                continue
            if row[first] == "" and row[other] != "":
                yield other, f"must be empty where {first} is"
            elif both and row[first] != "" and row[other] == "":
                yield other, f"must not be empty where {first} is not"


def _categories(row: Row) -> Iterator[Problem]:
    category = row.get("ChargeCategory")
    if category in ("Usage", "Purchase") and row.get("ChargeClass") != "Correction":
        for name in ("PricingCategory", "PricingQuantity", "SkuId", "SkuPriceId", "ListUnitPrice", "ContractedUnitPrice"):
            if row.get(name) == "":
                yield name, f"must not be empty for a charge of category {category}"
    if category == "Tax" and row.get("PricingCategory"):
        yield "PricingCategory", "must be empty for a tax"
    if category == "Purchase" and row.get("ChargeFrequency") == "Usage-Based":
        yield "ChargeFrequency", "a purchase is not usage-based"
    if category != "Usage" and row.get("ConsumedQuantity"):
        yield "ConsumedQuantity", "must be empty for what is no usage"


def _commitments(row: Row) -> Iterator[Problem]:
    usage = row.get("ChargeCategory") == "Usage"
    covered, status = bool(row.get("CommitmentDiscountId")), row.get("CommitmentDiscountStatus")
    if status is not None and usage and covered and status == "":
        yield "CommitmentDiscountStatus", "must not be empty for usage that a commitment concerns"
    if status and not (usage and covered):
        yield "CommitmentDiscountStatus", "must be empty where no commitment concerns the usage"
    if covered and row.get("PricingCategory") not in ("Committed", "", None):
        yield "PricingCategory", "must be Committed where a commitment sets the price"
    if status and _number(row, "BilledCost") != 0:
        yield "BilledCost", "must be 0 for what was paid in advance"
    if covered and row.get("ChargeCategory") == "Purchase" and _number(row, "EffectiveCost") != 0:
        yield "EffectiveCost", "must be 0 for a purchase that covers later charges"


def _products(row: Row) -> Iterator[Problem]:
    """A cost is its price by the quantity, where all are given."""
    quantity = _number(row, "PricingQuantity")
    for cost, price in (("ListCost", "ListUnitPrice"), ("ContractedCost", "ContractedUnitPrice")):
        amount, unit = _number(row, cost), _number(row, price)
        if quantity is None or amount is None or unit is None or row.get("ChargeClass") == "Correction":
            continue
        if abs(amount - quantity * unit) > max(TOLERANCE * abs(amount), TOLERANCE):
            yield cost, f"is {amount:g}, but {price} × PricingQuantity is {quantity * unit:g}"


def _one_currency(row: Row, currencies: dict[str, str]) -> Iterator[Problem]:
    """An invoice has one currency: that of a billing account and billing period."""
    invoice = f"{row.get('InvoiceIssuerName')}/{row.get('BillingAccountId')}/{row.get('BillingPeriodStart')}"
    currency = row.get("BillingCurrency", "")
    first = currencies.setdefault(invoice, currency)
    if currency != first:
        yield "BillingCurrency", f"is {currency}, but this billing account is billed in {first} in this period"


def _number(row: Row, name: str) -> float | None:
    value = row.get(name)
    return float(value) if value else None
