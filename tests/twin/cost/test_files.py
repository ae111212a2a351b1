"""The files of a scenario agree with each other, and are the same for the same seed."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from pathlib import Path

import pytest
import yaml

from itbench.datasets.truth_file import load_ground_truth
from itbench.twin.cost.simulate import simulate
from tests.twin.cost.conftest import Write

CAUSE = {"class": "runaway_autoscaler", "application": "checkout"}
FILES = {
    *("anomaly.json", "data.csv", "billing.csv", "allocation.csv", "usage.csv", "events.csv", "budgets.csv", "alerts.csv"),
    "ground_truth.yaml",
}


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture
def folder(scenario: Write, tmp_path: Path) -> Path:
    simulate(scenario(CAUSE), 5).write(tmp_path / "out")
    return tmp_path / "out"


def test_equal_seeds_give_equal_bytes(folder: Path, scenario: Write, tmp_path: Path) -> None:
    simulate(scenario(CAUSE), 5).write(tmp_path / "again")
    assert {path.name for path in folder.iterdir()} == FILES
    for name in FILES:
        assert (folder / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


def test_price_times_instances_times_hours_is_the_cost(folder: Path) -> None:
    rows = table(folder / "data.csv")
    assert list(rows[0]) == [
        *("date", "Account ID", "CSP", "Cloud_Service", "Application", "Instance_Family", "Price ($/hr)", "Num_Instances"),
        "unblended_cost",
    ]
    for row in rows:
        cost = float(row["Price ($/hr)"]) * float(row["Num_Instances"]) * 24
        # Instances are written with two decimals.
        assert cost == pytest.approx(
            float(row["unblended_cost"]), rel=0.02, abs=0.02 + float(row["Price ($/hr)"]) * 24 * 0.005
        )


def test_the_public_bill_is_the_effective_cost_of_the_export(folder: Path) -> None:
    public: dict[tuple[str, str], float] = defaultdict(float)
    for row in table(folder / "data.csv"):
        public[row["date"], row["Account ID"]] += float(row["unblended_cost"])
    export: dict[tuple[str, str], float] = defaultdict(float)
    for row in table(folder / "billing.csv"):
        if row["ChargeCategory"] == "Usage" and row["CommitmentDiscountStatus"] != "Unused":
            export[row["ChargePeriodStart"][:10], row["SubAccountId"]] += float(row["EffectiveCost"])
    assert export.keys() == public.keys()
    for key, cost in public.items():
        assert export[key] == pytest.approx(cost, abs=0.2)


def test_what_pods_cost_and_what_is_idle_is_the_price_of_the_nodes(folder: Path) -> None:
    day = "2026-06-15"
    billed = sum(
        float(row["unblended_cost"])
        for row in table(folder / "data.csv")
        if row["date"] == day and row["Account ID"] == "562047719034" and row["Application"] == "lake-ingest"
        and row["Cloud_Service"] == "AmazonEC2"
    )  # fmt: skip
    rows = [
        row for row in table(folder / "allocation.csv") if row["start"][:10] == day and row["cluster"] == "data-platform-1"
    ]
    assert sum(float(row["cpuCost"]) + float(row["ramCost"]) for row in rows) == pytest.approx(billed, abs=0.05)
    assert {row["name"] for row in rows} >= {"__idle__", "kube-system"}


def test_the_ticket_is_an_alert_that_the_cause_has_raised(folder: Path) -> None:
    ticket = json.loads((folder / "anomaly.json").read_text())
    truth = yaml.safe_load((folder / "ground_truth.yaml").read_text())
    assert ticket["account_id"] == "418830027715"
    assert ticket["date"] >= truth["cost"]["causes"][0]["onset"]
    fired = {(row["fired_on"], row["scope"].split("/")[1]) for row in table(folder / "alerts.csv")}
    assert (ticket["date"], ticket["account_id"]) in fired


def test_the_truth_is_read_without_findings(folder: Path) -> None:
    loaded = load_ground_truth(folder / "ground_truth.yaml")
    assert loaded.findings == ()
    assert loaded.truth.cost is not None
    assert loaded.truth.cost.causes[0].resources == loaded.truth.resources
