"""What a judge is asked about an answer."""

from __future__ import annotations

import json
from typing import Any

from itbench.datasets.rules import load_rules
from itbench.model.truth import GroundTruth
from itbench.runner.evaluate import Evaluator
from itbench.scoring.judge.question import MOST_ITEMS, Subjects

GROUPS = [
    {"id": "cart", "kind": "Deployment", "namespace": "shop", "filter": ["cart\\b"], "root_cause": True},
    {"id": "db", "kind": "StatefulSet", "namespace": "shop", "filter": ["db\\b"], "root_cause": True},
    {"id": "front", "kind": "Service", "namespace": "shop", "filter": ["front\\b"]},
    {"id": "edge", "kind": "Service", "namespace": "shop", "filter": ["edge\\b"]},
]
STEPS = [
    {"source": "cart", "target": "front", "condition": "cart is down", "effect": "front answers 500"},
    {"source": "front", "target": "edge", "condition": "front fails", "effect": "users see errors"},
]
FAULTS = [
    {"condition": "cart has no image", "entity": {"group_id": "cart"}},
    {"condition": "db has no disk", "entity": {"group_id": "db"}},
]


def truth(**change: Any) -> GroundTruth:
    return GroundTruth.model_validate({"groups": GROUPS, "propagations": STEPS, "faults": FAULTS} | change)


def subjects(*named: str | dict[str, Any], of: GroundTruth | None = None, steps: Any = ()) -> Subjects:
    entities = [
        {"contributing_factor": True, **(each if isinstance(each, dict) else {"name": each, "reasoning": f"{each} fails"})}
        for each in named
    ]
    raw = json.dumps({"entities": entities, "propagations": list(steps), "alerts_explained": []}).encode()
    found = Evaluator(load_rules()).subjects(raw, of or truth())
    assert found is not None
    return found


def test_each_root_cause_is_held_against_its_own_fault() -> None:
    found = subjects("shop/Deployment/cart", "shop/StatefulSet/db")
    told = [" ".join(item.truth) for item in found.causes]
    assert "no image" in told[0]
    assert "no disk" not in told[0]
    assert "no disk" in told[1]


def test_what_the_chain_says_of_an_entity_counts_as_said() -> None:
    step = {"source": "shop/Deployment/cart", "target": "shop/Service/front", "condition": "no image", "effect": "errors"}
    (cause,) = subjects({"name": "shop/Deployment/cart"}, steps=[step]).causes
    assert cause.said == ("no image", "errors")


def test_an_entity_weighs_by_its_hops_and_is_held_against_its_own_symptom() -> None:
    front, edge = subjects("shop/Service/front", "shop/Service/edge").symptoms
    assert (front.weight, edge.weight) == (1 / 2, 1 / 3)
    assert front.truth == ("front answers 500", "front fails")
    assert edge.truth == ("users see errors",)


def test_what_lies_off_the_way_is_not_asked_about() -> None:
    found = subjects("shop/Service/ads")
    assert (found.causes, found.symptoms) == ((), ())


def test_an_entity_named_twice_is_asked_about_once() -> None:
    assert len(subjects("shop/Deployment/cart", "shop/Deployment/cart").causes) == 1


def test_a_flood_of_entities_and_words_is_bounded() -> None:
    flood = [{"name": f"shop/Pod/cart-7f8bf5c55d-{a}{b}7m6", "reasoning": "x" * 100_000} for a in "bcdfghj" for b in "bcdfg"]
    found = subjects(*flood)
    assert len(found.causes) == MOST_ITEMS
    assert found.unread == 15
    assert sum(len(text) for item in found.causes for text in item.said) <= MOST_ITEMS * 6_000


def test_a_truth_without_words_judges_no_reasons_whatever_was_answered() -> None:
    silent = truth(faults=[], propagations=[{"source": "cart", "target": "front"}])
    assert "does not say what is wrong with cart" in subjects("shop/Service/ads", of=silent).unexplained


def test_a_truth_without_root_judges_no_reasons() -> None:
    assert subjects("shop/Service/front", of=truth(groups=GROUPS[2:])).unexplained == "the ground truth marks no root cause"
