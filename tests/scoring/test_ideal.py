"""The ideal answer is perfect, for every truth and under every policy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itbench.datasets.ground_truth import load_ground_truth
from itbench.model.diagnosis import CostDiagnosis, Diagnosis
from itbench.model.entity import Entity
from itbench.model.resource import Resource
from itbench.model.rules import Rules
from itbench.model.truth import Alias, GroundTruth, Group, Propagation
from itbench.scoring.finops import score_finops
from itbench.scoring.ideal import ideal_cost_diagnosis, ideal_diagnosis
from itbench.scoring.sre import score_sre

APPLICATIONS = st.sampled_from(["cart", "checkout", "frontend", "frontend-proxy", "valkey-cart", "ad"])
IDIOMS = st.sampled_from(
    [
        r"{}\b",
        "{}",
        "^{}$",
        "{}-.*",
        "{}-*",
        "{}-v*",
        ".*{}",
        ".*{}.*",
        "^{}-[a-z0-9]+-[a-z0-9]+$",
        "{}-.*_Shop_Get",
        "*.*",
        "*{}*",
    ]
)
KINDS = st.sampled_from(
    "Deployment Pod Service ReplicaSet ConfigMap Namespace NetworkChaos HttpChaos Schedule HorizontalPodAutoscaler "
    "ServiceOperation".split()
)


@st.composite
def groups(draw: st.DrawFn, id_: str) -> Group:
    application = draw(APPLICATIONS)
    kind = draw(KINDS)
    named = draw(st.booleans())
    return Group(
        id=id_,
        kind=kind,
        namespace="chaos-mesh" if kind.endswith("Chaos") else draw(st.sampled_from(["otel-demo", "book-info"])),
        name=application if named else None,
        filter=() if named else (draw(IDIOMS).format(application),),
        root_cause=draw(st.integers(0, 3)) == 0,
    )


@st.composite
def truths(draw: st.DrawFn) -> GroundTruth:
    ids = [f"group-{number}" for number in range(draw(st.integers(1, 7)))]
    known = st.sampled_from([*ids, "gone-1"])
    steps = draw(st.lists(st.tuples(known, known), max_size=9))
    return GroundTruth(
        groups=tuple(draw(groups(id_)) for id_ in ids),
        aliases=tuple(Alias(groups=tuple(alias)) for alias in draw(st.lists(st.lists(known, max_size=3), max_size=3))),
        propagations=tuple(Propagation(source=source, target=target, effect="it fails") for source, target in steps),
    )


def judged(diagnosis: Diagnosis, truth: GroundTruth, rules: Rules) -> Iterator[tuple[str, str, float]]:
    """(policy, metric, value), but for those that depend on how many roots fit in k."""
    for policy in rules.policies:
        for criterion, score in score_sre(diagnosis, truth, rules, policy).items():
            if not criterion.startswith("root_cause_entity_k"):
                yield from ((policy, metric, value) for metric, value in score.values.items())


@given(truth=truths())
def test_the_ideal_answer_scores_1_under_every_policy(rules: Rules, truth: GroundTruth) -> None:
    wrong = [found for found in judged(ideal_diagnosis(truth), truth, rules) if found[2] != 1]
    assert not wrong


@given(truth=truths())
def test_no_answer_scores_0_under_every_policy(rules: Rules, truth: GroundTruth) -> None:
    assert all(value == 0 for _, _, value in judged(Diagnosis(), truth, rules))


@given(truth=truths())
def test_the_ideal_answer_survives_being_written_down(truth: GroundTruth) -> None:
    for predicted in ideal_diagnosis(truth).entities:
        assert Entity.parse(str(predicted.entity)) == predicted.entity


def truth_files(shared: Path) -> list[Path]:
    return sorted((shared / "data" / "upstream-library" / "scenarios").glob("*/groundtruth*.yaml"))


def test_published_truths_are_answered_perfectly_by_the_oracle_and_not_at_all_by_silence(shared: Path, rules: Rules) -> None:
    files = truth_files(shared)
    assert len(files) > 40
    for path in files:
        truth = load_ground_truth(path).truth
        assert not truth.roots or ideal_diagnosis(truth).root_causes, path
        for diagnosis, expected in ((ideal_diagnosis(truth), 1), (Diagnosis(), 0)):
            wrong = [found for found in judged(diagnosis, truth, rules) if found[2] != expected]
            assert not wrong, f"{path}: {wrong}"


@pytest.mark.parametrize(
    ("kind", "pattern", "name"),
    [
        ("Deployment", r"checkout\b", "checkout"),
        ("Deployment", "product-catalog-.*", "product-catalog"),
        ("Pod", "cart-.*", "cart-7f8bf5c55d-lm7z6"),
        ("NetworkChaos", ".*product-catalog", "product-catalog"),
        ("HorizontalPodAutoscaler", "*.*", "root-1"),
        ("ServiceOperation", "ad-.*_AdService_GetAds", "ad-a_AdService_GetAds"),
        ("ConfigMap", "svc-a|svc-b", "svc-a"),
        ("ConfigMap", "(checkout|cart)(-[a-z0-9]+)*", "checkout-a"),
        ("ConfigMap", "cart(-[a-z0-9]+){0,2}", "cart-a"),
    ],
)
def test_patterns_become_names_that_a_reader_would_write(kind: str, pattern: str, name: str) -> None:
    truth = GroundTruth(groups=(Group(id="root-1", kind=kind, namespace="otel-demo", filter=(pattern,), root_cause=True),))
    assert [root.text for root in ideal_diagnosis(truth).root_causes] == [f"otel-demo/{kind}/{name}"]


def test_roots_with_overlapping_alternatives_get_names_of_their_own(rules: Rules) -> None:
    patterns = ("svc-a|svc-b", "svc-a|svc-c", "svc-a")
    truth = GroundTruth(groups=tuple(Group(id=text, kind="ConfigMap", filter=(text,), root_cause=True) for text in patterns))
    assert {found[2] for found in judged(ideal_diagnosis(truth), truth, rules)} == {1}


RESOURCES = st.lists(
    st.builds(Resource, name=st.sampled_from("abc"), type=st.sampled_from(["App", "Instance Family"])), min_size=1
)


@given(resources=RESOURCES)
def test_the_ideal_cost_answer_scores_1_and_none_0(rules: Rules, resources: list[Resource]) -> None:
    truth = GroundTruth(dialect="finops", resources=tuple(resources))
    for diagnosis, expected in ((ideal_cost_diagnosis(truth), 1), (CostDiagnosis(), 0)):
        for score in score_finops(diagnosis, truth, rules).values():
            assert set(score.values.values()) == {expected}
