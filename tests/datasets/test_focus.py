"""The rules of FOCUS: our export keeps them, and each broken one is found in its line."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from itbench.bundled import bundled
from itbench.datasets.cost_scenario_file import read_cost_scenario
from itbench.datasets.focus import MOST_FINDINGS, validate_focus
from itbench.datasets.focus_columns import COLUMNS
from itbench.datasets.validate import validate
from itbench.twin.cost.focus import focus_table
from itbench.twin.cost.preparation import prepare
from itbench.twin.cost.world import run

GOOD = {
    "BilledCost": "2", "BillingAccountId": "1", "BillingAccountName": "One", "BillingCurrency": "USD",
    "BillingPeriodStart": "2026-01-01T00:00:00Z", "BillingPeriodEnd": "2026-02-01T00:00:00Z", "ChargeCategory": "Usage",
    "ChargePeriodStart": "2026-01-05T00:00:00Z", "ChargePeriodEnd": "2026-01-06T00:00:00Z", "ChargeFrequency": "Usage-Based",
    "ContractedCost": "2", "ContractedUnitPrice": "1", "EffectiveCost": "2", "InvoiceIssuerName": "AWS", "ListCost": "2",
    "ListUnitPrice": "1", "PricingCategory": "Standard", "PricingQuantity": "2", "PricingUnit": "Hours",
    "ProviderName": "AWS", "PublisherName": "AWS", "ServiceCategory": "Compute", "ServiceName": "EC2", "SkuId": "S",
    "SkuPriceId": "P", "Tags": '{"owner": "web"}',
}  # fmt: skip


def written(path: Path, *rows: dict[str, str], columns: tuple[str, ...] = COLUMNS) -> Path:
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, columns, restval="", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "billing.csv"


def test_a_good_row_has_no_finding(file: Path) -> None:
    assert list(validate_focus(written(file, GOOD))) == []


@pytest.mark.parametrize(
    ("changed", "column"),
    [
        ({"BilledCost": ""}, "BilledCost"),
        ({"EffectiveCost": "1,000.00"}, "EffectiveCost"),
        ({"EffectiveCost": "NaN"}, "EffectiveCost"),
        ({"BillingCurrency": "USX"}, "BillingCurrency"),
        ({"ChargePeriodStart": "2026-01-05"}, "ChargePeriodStart"),
        ({"ChargePeriodStart": "2026-13-05T00:00:00Z"}, "ChargePeriodStart"),
        ({"ChargePeriodEnd": "2026-01-05T00:00:00Z"}, "ChargePeriodEnd"),
        ({"ChargePeriodStart": "2025-12-05T00:00:00Z"}, "ChargePeriodStart"),
        ({"ChargeCategory": "usage"}, "ChargeCategory"),
        ({"ChargeClass": "Refund"}, "ChargeClass"),
        ({"ServiceCategory": "Computing"}, "ServiceCategory"),
        ({"Tags": "owner=web"}, "Tags"),
        ({"Tags": '{"owner": {"a": 1}}'}, "Tags"),
        ({"ListCost": "3"}, "ListCost"),
        ({"PricingUnit": ""}, "PricingUnit"),
        ({"PricingCategory": ""}, "PricingCategory"),
        ({"ResourceName": "web-1"}, "ResourceName"),
        ({"CommitmentDiscountStatus": "Used"}, "CommitmentDiscountStatus"),
        ({"CommitmentDiscountId": "c"}, "CommitmentDiscountCategory"),
        ({"ChargeCategory": "Purchase"}, "ChargeFrequency"),
    ],
)
def test_a_broken_rule_is_found_with_line_and_column(file: Path, changed: dict[str, str], column: str) -> None:
    findings = list(validate_focus(written(file, GOOD, {**GOOD, **changed})))
    assert (column, 3) in {(finding.key, finding.line) for finding in findings}


def test_missing_and_foreign_columns_are_found(file: Path) -> None:
    columns = (*(name for name in COLUMNS if name != "ListCost"), "Team", "x_team")
    assert {(found.key, found.line) for found in validate_focus(written(file, GOOD, columns=columns))} == {
        ("ListCost", 1),
        ("Team", 1),
    }


def test_one_billing_account_has_one_currency(file: Path) -> None:
    (finding,) = validate_focus(written(file, GOOD, {**GOOD, "BillingCurrency": "EUR"}))
    assert (finding.key, finding.line) == ("BillingCurrency", 3)


def test_a_file_that_is_wrong_everywhere_is_told_a_bounded_number_of_times(file: Path) -> None:
    findings = list(validate_focus(written(file, *[{**GOOD, "ChargeCategory": "?"}] * 1000)))
    assert len(findings) == MOST_FINDINGS + 1


def test_the_export_of_the_twin_keeps_every_rule_and_pays_for_its_commitments(file: Path) -> None:
    scenario = read_cost_scenario(bundled("scenarios") / "finops" / "term-is-over")
    prepared = prepare(scenario, 3)
    world = run(prepared.plan(), prepared.draws)
    focus_table(prepared, world).write(file)
    assert list(validate_focus(file)) == []
    with file.open(newline="") as stream:
        everything = list(csv.DictReader(stream))
    rows = [row for row in everything if row["CommitmentDiscountName"] == "playback-plan"]
    april = [row for row in rows if row["ChargePeriodStart"].startswith("2026-04")]
    fee = sum(float(row["BilledCost"]) for row in april)
    assert fee > 0
    # What was paid for a month is spread over what was used of it, and what was not.
    assert sum(float(row["EffectiveCost"]) for row in april) == pytest.approx(fee, rel=1e-6)
    assert {row["BillingCurrency"] for row in everything} == {"USD", "EUR"}


def test_a_dataset_is_held_to_the_specification(tmp_path: Path) -> None:
    folder = tmp_path / "Scenario-1"
    folder.mkdir()
    (folder / "ground_truth.yaml").write_text("resource: [{name: a, type: Application}]")
    written(folder / "billing.csv", GOOD, {**GOOD, "BillingCurrency": "Taler"}, {**GOOD, "BilledCost": "much"})
    found = [(it.line, it.key, it.message) for it in validate(tmp_path) if it.severity == "error"]
    # What cannot be read at all is said once, by the reader.
    assert found == [
        (3, "BillingCurrency", "'Taler' is no currency of ISO 4217"),
        (4, None, "BilledCost is no number: much"),
    ]
