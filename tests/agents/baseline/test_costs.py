"""The baseline on bills that are made here: where a cause sits, and when there is none."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from itbench.agents.baseline.cost_agent import diagnose_costs
from itbench.model.diagnosis import CostDiagnosis

FIRST, DAYS, ONSET = date(2026, 2, 2), 120, 108
HEADER = "date,Account ID,CSP,Cloud_Service,Application,Instance_Family,Price ($/hr),Num_Instances,unblended_cost"
BASE = (
    ("EC2", "web", "m5", 0.2, 20),
    ("EC2", "search", "r5", 0.3, 12), ("EC2", "batch", "m5", 0.2, 9), ("EC2", "stock", "c5", 0.2, 9),
    ("S3", "web", "standard", 0.001, 9000), ("CloudWatch", "web", "log-ingestion", 0.02, 90),
)  # fmt: skip
Change = Callable[[int, str, str, float, float], tuple[float, float]]


@pytest.fixture(autouse=True)
def private_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def diagnose(tmp_path: Path, change: Change, *extra: tuple[str, str, str, float, float]) -> CostDiagnosis:
    """The answer to a bill where `change` gives price and units of a row on a day; `extra` rows are there from ONSET on."""
    rng = np.random.default_rng(3)
    folder = tmp_path / "s"
    folder.mkdir()
    lines = [HEADER]
    for number in range(DAYS):
        day = FIRST + timedelta(days=number)
        for service, application, family, price, units in (*BASE, *(extra if number >= ONSET else ())):
            weekly = 0.8 if day.weekday() >= 5 else 1.0
            each, count = change(number, application, family, price, units * weekly * (1 + 0.01 * rng.standard_normal()))
            if count > 0:
                lines.append(f"{day},7,AWS,{service},{application},{family},{each:.6g},{count:.3f},{each * count * 24:.2f}")
    (folder / "data.csv").write_text("\n".join(lines) + "\n")
    (folder / "anomaly.json").write_text(f'{{"date": "{FIRST + timedelta(days=ONSET + 2)}", "account_id": "7"}}')
    return diagnose_costs(folder, "explain it")[0]


def named(answer: CostDiagnosis) -> list[tuple[str, str]]:
    return [(resource.name, resource.type) for resource in answer.resources]


def same(number: int, application: str, family: str, price: float, units: float) -> tuple[float, float]:
    return price, units


def test_a_bill_that_keeps_to_its_course_is_no_anomaly(tmp_path: Path) -> None:
    answer = diagnose(tmp_path, same)
    assert (named(answer), answer.anomaly) == ([], False)


def test_more_units_sit_at_the_application(tmp_path: Path) -> None:
    def grown(number: int, application: str, family: str, price: float, units: float) -> tuple[float, float]:
        return price, units * (1.6 if application == "search" and number >= ONSET else 1)

    answer = diagnose(tmp_path, grown)
    assert named(answer) == [("search", "Application")]
    (claim,) = answer.causes
    assert claim.onset == FIRST + timedelta(days=ONSET)
    assert claim.amount == pytest.approx(0.6 * 12 * 0.3 * 24 * (DAYS - ONSET) * 0.94, rel=0.1)
    assert claim.cause == "runaway_autoscaler"


def test_a_dearer_family_sits_at_the_family(tmp_path: Path) -> None:
    def dearer(number: int, application: str, family: str, price: float, units: float) -> tuple[float, float]:
        return price * (1.3 if family == "m5" and number >= ONSET else 1), units

    answer = diagnose(tmp_path, dearer)
    assert named(answer) == [("m5", "Instance Family")]
    assert answer.causes[0].cause == "price_change"


def test_another_family_sits_at_the_application(tmp_path: Path) -> None:
    def swapped(number: int, application: str, family: str, price: float, units: float) -> tuple[float, float]:
        gone = application == "stock" and family == "c5" and number >= ONSET
        return price, 0.0 if gone else units

    answer = diagnose(tmp_path, swapped, ("EC2", "stock", "x2", 0.9, 9))
    assert named(answer) == [("stock", "Application")]
    assert answer.causes[0].cause == "wrong_instance_family"


def test_what_only_moves_names_both_sides(tmp_path: Path) -> None:
    def renamed(number: int, application: str, family: str, price: float, units: float) -> tuple[float, float]:
        moved = family == "m5" and number >= ONSET
        return price, 0.0 if moved and application == "batch" else units * (29 / 20 if moved else 1)

    assert sorted(named(diagnose(tmp_path, renamed))) == [("batch", "Application"), ("web", "Application")]


def test_untagged_resources_sit_at_their_family(tmp_path: Path) -> None:
    answer = diagnose(tmp_path, same, ("VPC", "", "public-ipv4", 0.4, 30))
    assert named(answer) == [("public-ipv4", "Instance Family")]
    assert answer.causes[0].cause == "orphaned_resources"


def test_two_causes_are_both_named(tmp_path: Path) -> None:
    def both(number: int, application: str, family: str, price: float, units: float) -> tuple[float, float]:
        factor = 5.0 if family == "log-ingestion" else 1.7 if application == "batch" else 1.0
        return price, units * (factor if number >= ONSET + (family == "log-ingestion") * 3 else 1)

    answer = diagnose(tmp_path, both)
    assert sorted(named(answer)) == [("batch", "Application"), ("web", "Application")]
    assert {claim.cause for claim in answer.causes} == {"log_explosion", "runaway_autoscaler"}


def test_a_single_day_is_found(tmp_path: Path) -> None:
    def spike(number: int, application: str, family: str, price: float, units: float) -> tuple[float, float]:
        return price, units * (5 if application == "batch" and number == ONSET + 2 else 1)

    assert named(diagnose(tmp_path, spike)) == [("batch", "Application")]
