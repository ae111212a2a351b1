"""Measured and published roots are one if naming the one answers the other."""

from __future__ import annotations

from pathlib import Path

import pytest

from itbench.authoring.published import V1, compare_roots, published_truth
from itbench.model.errors import GroundTruthError
from itbench.model.truth import Alias, GroundTruth, Group


def group(kind: str, name: str, *, root: bool = True) -> Group:
    """Of a Deployment `cart`, the id is `cart-deployment`."""
    pattern = f"{name}-.*" if kind == "Pod" else f"{name}\\b"
    return Group(id=f"{name}-{kind.lower()}", kind=kind, namespace="otel-demo", filter=(pattern,), root_cause=root)


def truth(*groups: Group, same: tuple[str, ...] = ()) -> GroundTruth:
    return GroundTruth(groups=groups, aliases=(Alias(groups=same),) if same else ())


CART = truth(group("Deployment", "cart"), group("Pod", "cart", root=False), same=("cart-deployment", "cart-pod"))
FLAGS = truth(group("ConfigMap", "flagd-config"))


def test_equal_roots_are_the_same_and_are_told_by_kind_and_name() -> None:
    found = compare_roots(FLAGS, FLAGS)
    assert found.verdict == "same"
    assert found.measured == ("ConfigMap/flagd-config",)
    assert found.published == ("ConfigMap/flagd-config\\b",)


def test_a_workload_and_its_pods_are_one_thing_in_either_direction() -> None:
    pods = truth(group("Pod", "cart"))
    assert compare_roots(CART, pods).verdict == "same"
    assert compare_roots(pods, CART).verdict == "same"


def test_one_direction_is_enough() -> None:
    """As in upstream 59, whose published root is another name for the pods."""
    features = group("ConfigMap", "features")
    published = truth(features, group("Pod", "cart", root=False), same=("features-configmap", "cart-pod"))
    assert compare_roots(CART, published).verdict == "same"


def test_another_object_differs() -> None:
    assert compare_roots(CART, truth(group("Deployment", "checkout"))).verdict == "differs"
    assert compare_roots(CART, truth(group("Service", "payment"))).verdict == "differs"


def test_one_of_two_is_a_part() -> None:
    both = truth(group("Deployment", "cart"), group("ConfigMap", "flagd-config"))
    for one, other in ((both, FLAGS), (FLAGS, both)):
        assert compare_roots(one, other).verdict == "in part"


def test_where_there_is_nothing_to_compare_that_is_said() -> None:
    assert compare_roots(CART, None).verdict == "nothing published"
    assert compare_roots(CART, truth(group("Service", "cart", root=False))).verdict == "nothing published"
    nothing = compare_roots(truth(), CART)
    assert (nothing.verdict, nothing.measured) == ("no root", ())


def test_a_published_truth_is_read_from_its_folder_and_may_be_missing(tmp_path: Path) -> None:
    folder = tmp_path / "scenarios" / "scenario_7"
    folder.mkdir(parents=True)
    assert published_truth(tmp_path, 7, V1) is None
    (folder / V1).write_text(
        "groups:\n- {id: cart-pod-1, kind: Pod, namespace: otel-demo, filter: ['cart-.*'], root_cause: true}\n"
    )
    found = published_truth(tmp_path, 7, V1)
    assert found is not None
    assert compare_roots(CART, found).verdict == "same"
    (folder / V1).write_text("groups: [")
    with pytest.raises(GroundTruthError):
        published_truth(tmp_path, 7, V1)
