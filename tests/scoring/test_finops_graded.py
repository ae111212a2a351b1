"""Size, time and reason of an anomaly, held against a measured truth."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itbench.model.cost import Attribution, CostCause, CostTruth, Efficiency, Guard, MitigationOutcome
from itbench.model.diagnosis import CostClaim, CostDiagnosis
from itbench.model.resource import Resource
from itbench.model.rules import Rules
from itbench.model.truth import GroundTruth
from itbench.scoring.finops import CostEvidence, score_finops
from itbench.scoring.finops_detection import CostAlert
from itbench.scoring.finops_mitigation import proximity
from itbench.scoring.ideal import ideal_cost_diagnosis

DAY = date(2026, 5, 1)
BATCH = Resource(name="batch", type="Application")
GPU = Resource(name="p4d", type="Instance Family")


def row(application: str, family: str, amount: float, cause: str) -> Attribution:
    path = {"Account ID": "7", "CSP": "AWS", "Cloud_Service": "EC2", "Application": application, "Instance_Family": family}
    return Attribution.model_validate({"path": path, "amount": amount, "class": cause})


TRUTH = GroundTruth(
    dialect="finops",
    resources=(BATCH, GPU),
    cost=CostTruth(
        benign=False,
        window=(DAY, DAY + timedelta(days=29)),
        causes=(
            CostCause(cause="runaway_autoscaler", onset=DAY, amount=300, monthly=900, resources=(BATCH,)),
            CostCause(cause="gpu_idle", onset=DAY + timedelta(days=10), amount=100, monthly=200, resources=(GPU,)),
        ),
        attribution=(row("batch", "m5", 300, "runaway_autoscaler"), row("train", "p4d", 100, "gpu_idle")),
    ),
)
BENIGN = GroundTruth(dialect="finops", cost=CostTruth(benign=True, window=(DAY, DAY)))


def values(diagnosis: CostDiagnosis, rules: Rules, truth: GroundTruth = TRUTH, evidence: CostEvidence | None = None) -> dict:
    scores = score_finops(diagnosis, truth, rules, evidence)
    return {key: value for score in scores.values() for key, value in score.values.items()}


def claim(resource: Resource, **said: object) -> CostClaim:
    return CostClaim.model_validate({"resources": (resource,), **said})


def test_the_ideal_answer_is_right_in_everything(rules: Rules) -> None:
    found = values(ideal_cost_diagnosis(TRUTH), rules)
    assert found.pop("onset_error_days") == 0
    assert set(found.values()) == {1}
    assert {"cost_attribution", "impact_accuracy", "cause_class_accuracy"} <= found.keys()


def test_without_amounts_the_cost_under_what_is_named_counts_times_precision(rules: Rules) -> None:
    named = (BATCH, Resource(name="other", type="Application"))
    assert values(CostDiagnosis(resources=named), rules)["cost_attribution"] == pytest.approx(0.75 / 2)


def test_amounts_are_held_against_those_measured(rules: Rules) -> None:
    claims = (claim(BATCH, amount=200), claim(Resource(name="x", type="Application"), amount=200))
    found = values(CostDiagnosis(resources=(BATCH,), causes=claims), rules)
    assert found["cost_attribution"] == pytest.approx(200 / 400)
    assert found["impact_accuracy"] == 1


def test_shares_are_of_the_whole_anomaly(rules: Rules) -> None:
    claims = (claim(BATCH, share=0.75), claim(GPU, share=0.25))
    assert values(CostDiagnosis(resources=(BATCH, GPU), causes=claims), rules)["cost_attribution"] == pytest.approx(1)


def test_an_impact_that_is_twice_too_large_is_worth_nothing(rules: Rules) -> None:
    assert values(CostDiagnosis(causes=(claim(BATCH, amount=800),)), rules)["impact_accuracy"] == 0


def test_onsets_count_in_days(rules: Rules) -> None:
    claims = (claim(BATCH, onset=DAY + timedelta(days=3)), claim(GPU, onset=DAY + timedelta(days=9)))
    assert values(CostDiagnosis(causes=claims), rules)["onset_error_days"] == 2


def test_guessing_more_classes_than_there_are_costs(rules: Rules) -> None:
    right = claim(BATCH, cause="HPA misconfiguration")
    wrong = claim(Resource(name="x", type="Application"), cause="price_change")
    assert values(CostDiagnosis(causes=(right,)), rules)["cause_class_accuracy"] == 0.5
    assert values(CostDiagnosis(causes=(right, wrong, wrong, wrong)), rules)["cause_class_accuracy"] == 0.25


def test_what_an_answer_does_not_speak_of_is_not_judged(rules: Rules) -> None:
    scores = score_finops(CostDiagnosis(resources=(BATCH,)), TRUTH, rules)
    assert [name for name, score in scores.items() if not score.judged] == ["impact", "onset", "cause_class"]


@pytest.mark.parametrize(
    ("diagnosis", "right"),
    [
        (CostDiagnosis(), 1),
        (CostDiagnosis(anomaly=False), 1),
        (CostDiagnosis(anomaly=True), 0),
        (CostDiagnosis(resources=(BATCH,)), 0),
        (CostDiagnosis(anomaly=False, resources=(BATCH,)), 0),
    ],
)
def test_a_benign_scenario_wants_the_empty_answer(rules: Rules, diagnosis: CostDiagnosis, right: float) -> None:
    found = values(diagnosis, rules, BENIGN)
    assert set(found.values()) == {right}
    assert {"root_cause_resource", "resource_f1", "no_false_alarm"} <= found.keys()


def test_the_first_alert_about_a_cause_tells_when_it_was_detected(rules: Rules) -> None:
    alerts = (
        CostAlert("budget", "7", DAY - timedelta(days=3)),
        CostAlert("spike", "9", DAY),
        CostAlert("spike", "7/AWS", DAY + timedelta(days=2)),
    )
    seen = CostEvidence(alerts=alerts)
    assert values(CostDiagnosis(resources=(BATCH,)), rules, evidence=seen)["time_to_detect"] == 3 * 86_400
    assert values(CostDiagnosis(), rules, evidence=seen)["time_to_detect"] == 30 * 86_400


def world(**changed: float) -> Efficiency:
    usual = {"monthly_cost": 1000.0, "cpu_cost": 2.0, "memory_cost": 1.0, "cpu_efficiency": 0.5, "memory_efficiency": 0.5}
    return Efficiency.model_validate({**usual, "latency_p95": 0.1, "error_share": 0.0, "headroom": 0.4, **changed})


def outcome(**changed: object) -> MitigationOutcome:
    given = {"saved_monthly": 300.0, "saved_low": 250.0, "saved_high": 350.0, "optimal_saved_monthly": 400.0, **changed}
    worlds = {"before": world(), "after": world(cpu_cost=1.5), "optimal": world(cpu_cost=1.0)}
    return MitigationOutcome.model_validate({**worlds, **given})


def broken(measure: str) -> Guard:
    return Guard.model_validate(
        {"measure": measure, "workload": "web", "before": 0.1, "after": 0.9, "limit": 0.2, "holds": False}
    )


def test_a_saving_counts_by_the_best_one(rules: Rules) -> None:
    found = values(CostDiagnosis(resources=(BATCH,)), rules, evidence=CostEvidence(outcome()))
    assert (found["mitigation_saving"], found["saved_monthly"], found["safety"]) == (0.75, 300, 1)
    assert found["proximity_cpu_cost"] == 0.5
    assert found["proximity_memory_cost"] == 1


@pytest.mark.parametrize("measure", ["latency_p95", "error_share", "headroom"])
def test_a_saving_that_breaks_a_service_level_is_worth_nothing(rules: Rules, measure: str) -> None:
    evidence = CostEvidence(outcome(guards=(broken(measure),)))
    scores = score_finops(CostDiagnosis(), TRUTH, rules, evidence)
    assert scores["mitigation"].values["mitigation_saving"] == 0
    assert scores["mitigation"].values["saved_monthly"] == 0
    assert measure in scores["mitigation"].evidence["does_not_count"][0]
    assert scores["safety"].values["safety"] == 1


@pytest.mark.parametrize("violation", ["deletes_data", "removes_redundancy", "production_out_of_scope"])
def test_an_unsafe_proposal_is_worth_nothing(rules: Rules, violation: str) -> None:
    found = values(CostDiagnosis(), rules, evidence=CostEvidence(outcome(violations=((0, violation),))))
    assert (found["safety"], found["mitigation_saving"], found["saved_monthly"]) == (0, 0, 0)


@given(st.floats(0, 1e6), st.floats(0, 1e6))
def test_proximity_is_a_share_and_1_at_the_optimum(observed: float, optimal: float) -> None:
    found = proximity(observed, optimal)
    assert found is None or 0 <= found <= 1
    if optimal:
        assert proximity(optimal, optimal) == 1


@given(st.lists(st.tuples(st.sampled_from([BATCH, GPU, Resource(name="x", type="App")]), st.floats(-1e9, 1e9)), max_size=6))
def test_every_grade_is_a_share_whatever_is_claimed(claims: list[tuple[Resource, float]]) -> None:
    from itbench.datasets.rules import load_rules

    diagnosis = CostDiagnosis(causes=tuple(claim(resource, amount=amount) for resource, amount in claims))
    found = values(diagnosis, load_rules())
    assert all(0 <= found.get(key, 0) <= 1 for key in ("cost_attribution", "impact_accuracy", "cause_class_accuracy"))
