"""Proposals of FinOps answers, carried out on the twin; alerts, from their file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from itbench.bundled import bundled
from itbench.datasets.cost_scenario_file import read_cost_scenario
from itbench.datasets.rules import load_rules
from itbench.datasets.truth_file import load_ground_truth
from itbench.runner.bills import BillScene, alerts_of
from itbench.runner.evaluate import Evaluator
from itbench.twin.cost.simulate import simulate

SCENARIO = "invoice-jump"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("bill") / "files"
    simulate(read_cost_scenario(bundled("scenarios") / "finops" / SCENARIO / "scenario.yaml")).write(made)
    return made


def score(folder: Path, *proposals: dict[str, object]) -> dict[str, float]:
    truth = load_ground_truth(folder / "ground_truth.yaml").truth
    answer = {"resource": [one.model_dump() for one in truth.resources], "mitigations": list(proposals)}
    scene = BillScene(folder, bundled("scenarios") / "finops" / SCENARIO / "scenario.yaml")
    found = Evaluator(load_rules()).evaluate(json.dumps(answer).encode(), "finops", truth, scene)
    assert found.outcome.cause is None, found.outcome.detail
    return {key: value for each in found.scores.values() for key, value in each.values.items()}


def test_alerts_tell_when_it_could_be_known(folder: Path) -> None:
    assert 86_400 <= score(folder)["time_to_detect"] <= 10 * 86_400


def test_without_proposals_no_mitigation_is_judged(folder: Path) -> None:
    assert "mitigation_saving" not in score(folder)


def test_the_best_repair_saves_all_and_is_safe(folder: Path) -> None:
    truth = load_ground_truth(folder / "ground_truth.yaml").truth
    assert truth.cost is not None
    best = [action.model_dump(mode="json", exclude_none=True) for action in truth.cost.mitigation.actions]
    found = score(folder, *best)
    assert found["mitigation_saving"] == pytest.approx(1, abs=0.05)
    assert found["safety"] == 1


def test_a_saving_that_breaks_the_service_level_is_worth_nothing(folder: Path) -> None:
    target = {"name": "checkout", "type": "Application"}
    found = score(folder, {"action": "set_autoscaler", "target": target, "args": {"target": 0.6, "least": 1, "most": 1}})
    assert found["mitigation_saving"] == 0
    assert found["saved_monthly"] == 0


def test_rows_of_alerts_that_cannot_be_read_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "alerts.csv").write_text("rule,scope,fired_on\nA,account/7,2026-05-01\nB,account/7,soon\n")
    assert [alert.rule for alert in alerts_of(tmp_path / "alerts.csv")] == ["A"]
    assert list(alerts_of(tmp_path / "none.csv")) == []
