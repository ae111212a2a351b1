"""Interim findings: the first that names a root counts, and who names everything has found nothing."""

from __future__ import annotations

import json

import pytest

from itbench.scoring.findings import MOST_FINDINGS, Finding, first_detection, read_finding


def names_cart(answer: bytes) -> bool:
    return "shop/Deployment/cart" in [entity["name"] for entity in json.loads(answer)["entities"]]


def test_the_first_right_finding_counts_and_wrong_ones_are_told() -> None:
    findings = [Finding(3.0, ("shop/Pod/x",)), Finding(7.0, ("a", "shop/Deployment/cart")), Finding(9.0, ("a",))]
    found = first_detection(findings, names_cart)
    assert (found.seconds, found.wrong, found.ignored) == (7.0, 1, 0)


def test_findings_after_the_tenth_do_not_count() -> None:
    late = [*(Finding(float(n), ("x",)) for n in range(MOST_FINDINGS)), Finding(99.0, ("shop/Deployment/cart",))]
    found = first_detection(late, names_cart)
    assert (found.seconds, found.wrong, found.ignored) == (None, 10, 1)


def test_nothing_found_is_no_detection() -> None:
    assert first_detection([], names_cart).seconds is None


def test_a_finding_is_read_as_it_was_meant() -> None:
    told = read_finding(1.5, b'{"root_causes": ["shop/Deployment/cart"], "note": "image"}')
    assert told == Finding(1.5, ("shop/Deployment/cart",), "image")
    assert read_finding(0, b'{"root_causes": "shop/Deployment/cart"}').root_causes == ("shop/Deployment/cart",)


@pytest.mark.parametrize(
    "text",
    [
        b"cart",
        b"[]",
        b"{}",
        b'{"root_causes": []}',
        b'{"root_causes": [1]}',
        b"\xff",
        b"[" * 100_000,
        b'{"root_causes": [""]}',
    ],
)
def test_what_cannot_be_read_names_nothing(text: bytes) -> None:
    found = read_finding(0, text)
    assert found.root_causes == ()
    assert found.problem


def test_who_names_everything_has_found_nothing() -> None:
    names = ["a", "b", "c", "shop/Deployment/cart"]
    assert read_finding(0, json.dumps({"root_causes": names}).encode()).root_causes == ()
    assert read_finding(0, json.dumps({"root_causes": names[1:]}).encode()).root_causes == tuple(names[1:])
