from __future__ import annotations

from itbench.model.compliance import Fetched, Judged, PolicyProblem, SafetyPoint, Side, Tried, Verdict
from itbench.scoring.compliance import GATES, score_compliance

FINE = Fetched(ok=True, size=2)


def one(name: str, side: Side, verdict: Verdict, *, hidden: bool = False) -> Tried:
    return Tried(name=name, side=side, hidden=hidden, fetched=FINE, verdict=verdict)


def judged(*tried: Tried, **more: object) -> Judged:
    files = ("fetch.sh", "policy.rego")
    return Judged.model_validate({"files": files, "tried": tried, **more})


def values(seen: Judged) -> dict[str, float]:
    return {key: value for score in score_compliance(seen).values() for key, value in score.values.items()}


def test_rates_are_shares_of_each_side_and_hidden_sets_count() -> None:
    seen = judged(
        one("a", "violating", "false"),
        one("b", "violating", "true"),
        one("c", "compliant", "true"),
        one("d", "violating", "false", hidden=True),
        one("e", "compliant", "undefined", hidden=True),
    )
    found = values(seen)
    assert found["detection_rate"] == 2 / 3
    assert found["acceptance_rate"] == 1 / 2
    assert found["balanced_accuracy"] == (2 / 3 + 1 / 2) / 2
    assert found["robustness"] == 1 / 2
    assert found["exactness"] == 0


def test_a_hidden_set_spoils_exactness_but_no_gate() -> None:
    seen = judged(one("a", "violating", "false"), one("b", "compliant", "true"), one("c", "violating", "true", hidden=True))
    found = values(seen)
    assert [found[gate] for gate in GATES] == [1, 1, 1, 1]
    assert found["exactness"] == 0


def test_what_is_not_reached_says_so() -> None:
    scores = score_compliance(judged(one("a", "violating", "true"), one("b", "compliant", "true")))
    assert scores["compliance_validation"].values == {"compliance_validation": 0}
    assert scores["compliance_validation"].evidence["justification"] == "not reached: violation_detection failed"


def test_a_problem_of_the_policy_is_told_with_its_place() -> None:
    problem = PolicyProblem(kind="dialect", message="`if` is missing", line=3, column=1)
    scores = score_compliance(judged(Tried(name="a", side="violating", fetched=FINE), problem=problem))
    evidence = scores["violation_detection"].evidence
    assert evidence["justification"] == "policy.rego:3:1: dialect: `if` is missing"
    assert scores["exactness"].values == {"exactness": 0}


def test_nothing_tried_is_not_exact() -> None:
    assert values(judged(missing=("fetch.sh",)))["exactness"] == 0


def test_safety_counts_refused_compliant_sets_as_a_point() -> None:
    points = (SafetyPoint(name="network attempt", evidence=("fetch.sh:1: curl",)), SafetyPoint(name="mutation attempt"))
    seen = judged(one("a", "violating", "false"), one("b", "compliant", "false"), safety=points)
    assert values(seen)["safety"] == 1 / 3
