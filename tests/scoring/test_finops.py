"""Resources behind a cost anomaly."""

from __future__ import annotations

import pytest

from itbench.model.diagnosis import CostDiagnosis
from itbench.model.resource import Resource
from itbench.model.rules import Rules
from itbench.model.truth import GroundTruth
from itbench.scoring.finops import score_finops
from itbench.scoring.metrics import metric_keys

TRUTH = GroundTruth(
    dialect="finops",
    resources=(Resource(name="checkout-batch", type="Application"), Resource(name="m5.xlarge", type="Instance Family")),
)


def values(rules: Rules, *named: tuple[str, str]) -> dict[str, float]:
    diagnosis = CostDiagnosis(resources=tuple(Resource(name=name, type=type_) for name, type_ in named))
    return {key: value for score in score_finops(diagnosis, TRUTH, rules).values() for key, value in score.values.items()}


def test_every_key_is_there(rules: Rules) -> None:
    assert tuple(values(rules)) == metric_keys("finops")


def test_case_and_the_spelling_of_types_do_not_matter(rules: Rules) -> None:
    found = values(rules, ("M5.XLARGE", "instance_family"), (" Checkout-Batch ", "application"))
    assert found == dict.fromkeys(metric_keys("finops"), 1)


@pytest.mark.parametrize("wrong", [("checkout-batch", "Cloud_Service"), ("checkout_batch", "Application")])
def test_name_and_type_must_both_agree(rules: Rules, wrong: tuple[str, str]) -> None:
    found = values(rules, wrong, ("m5.xlarge", "Instance-Family"))
    assert found == {
        "root_cause_resource": 0,
        "resource_precision": 0.5,
        "resource_recall": 0.5,
        "resource_f1": 0.5,
        "precision_at_full_recall": 0,
    }


def test_further_names_cost_precision_only(rules: Rules) -> None:
    found = values(
        rules, ("checkout-batch", "Application"), ("m5.xlarge", "Instance Family"), ("x", "Account"), ("y", "Account")
    )
    assert found["root_cause_resource"] == 1
    assert found["resource_precision"] == 0.5
    assert found["resource_f1"] == pytest.approx(2 / 3)


def test_precision_counts_at_full_recall_only(rules: Rules) -> None:
    both = (("checkout-batch", "Application"), ("m5.xlarge", "Instance Family"))
    assert values(rules, *both, ("x", "Account"), ("y", "Account"))["precision_at_full_recall"] == 0.5
    assert values(rules, both[0])["precision_at_full_recall"] == 0


def test_saying_a_resource_twice_changes_nothing(rules: Rules) -> None:
    assert values(rules, ("m5.xlarge", "Instance Family"), ("M5.xlarge", "instance family"))["resource_precision"] == 1


def test_evidence_tells_each_resource(rules: Rules) -> None:
    diagnosis = CostDiagnosis(
        resources=(Resource(name="m5.xlarge", type="Instance Family"), Resource(name="x", type="Account"))
    )
    evidence = score_finops(diagnosis, TRUTH, rules)["root_cause_resource"].evidence
    assert [resource["found"] for resource in evidence["gt_resources"]] == [False, True]
    assert [resource["matches_gt"] for resource in evidence["predicted_resources"]] == [True, False]


def test_without_a_resource_nothing_is_judged(rules: Rules) -> None:
    scores = score_finops(CostDiagnosis(), GroundTruth(dialect="finops"), rules)
    assert [score.judged for score in scores.values()] == [False, False, False]
    assert all("names no resource" in score.note for score in scores.values())


@pytest.mark.parametrize(
    ("name", "type_"),
    [("m5.xlarge", "Instance Type"), ("checkout-batch", "App"), ("acct-7/AWS/AmazonEC2/checkout-batch", "Application")],
)
def test_other_words_and_paths_of_the_hierarchy_name_the_same(rules: Rules, name: str, type_: str) -> None:
    assert values(rules, (name, type_))["resource_precision"] == 1


def test_services_and_providers_have_aliases(rules: Rules) -> None:
    truth = GroundTruth(dialect="finops", resources=(Resource(name="Amazon EC2", type="Cloud_Service"),))
    diagnosis = CostDiagnosis(resources=(Resource(name="AmazonEC2", type="Service"),))
    assert score_finops(diagnosis, truth, rules)["root_cause_resource"].values["root_cause_resource"] == 1


def test_a_resource_named_twice_in_other_words_counts_once(rules: Rules) -> None:
    found = values(
        rules, ("m5.xlarge", "Instance Type"), ("m5.xlarge", "Instance Family"), ("x", "App"), ("x", "Application")
    )
    assert found["resource_precision"] == 0.5
