"""Differences between two states of an object, and setting single fields back."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from itbench.cluster.tree import copied
from itbench.faults.fields import differences, own_part, set_back, value_at, written

words = st.sampled_from(["a", "b", "c", "d"])
scalars = st.one_of(
    words, st.integers(0, 3), st.booleans(), st.builds(json.dumps, st.dictionaries(words, st.integers(0, 2)))
)


def named_items(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """A list of objects with names."""
    items = st.dictionaries(words, st.dictionaries(st.sampled_from(["x", "y"]), inner, max_size=2), max_size=4)
    return items.map(lambda found: [{"name": name, **fields} for name, fields in found.items()])


trees = st.recursive(
    scalars,
    lambda inner: st.one_of(st.dictionaries(words, inner, max_size=4), st.lists(inner, max_size=3), named_items(inner)),
    max_leaves=25,
)
specs = st.dictionaries(words, trees, max_size=4)


def config_map(document: Any, **more: str) -> dict[str, Any]:
    """A ConfigMap with a JSON document."""
    return {"kind": "ConfigMap", "data": {"file.json": json.dumps(document, indent=2) + "\n", **more}}


@given(specs, specs)
def test_setting_back_every_difference_gives_the_former_object(old: dict[str, Any], new: dict[str, Any]) -> None:
    current = copied({"kind": "X", "spec": new})
    before = {"kind": "X", "spec": old}
    for found in differences(before, current):
        assert value_at(before, found.path) == found.old
        set_back(current, before, found.path)
    assert differences(before, current) == []


@given(specs)
def test_an_object_does_not_differ_from_itself(spec: dict[str, Any]) -> None:
    assert differences({"spec": spec}, {"spec": copied(spec)}) == []


def test_fields_are_named_as_people_name_them() -> None:
    old = {"spec": {"containers": [{"name": "cart", "image": "a"}], "ports": [{"port": 80, "targetPort": 1}]}}
    new = {"spec": {"containers": [{"name": "cart", "image": "b"}], "ports": [{"port": 80, "targetPort": 2}]}}
    assert [written(found.path) for found in differences(old, new)] == [
        "spec.containers[name=cart].image",
        "spec.ports[port=80].targetPort",
    ]


def test_inside_a_document_only_the_changed_field_is_told() -> None:
    old, new = config_map({"flags": {"a": 1, "b": 1}}), config_map({"flags": {"a": 1, "b": 2}})
    (found,) = differences(old, new)
    assert (found.path[-2:], found.old, found.new) == (("flags", "b"), 1, 2)


def test_a_document_gets_its_very_text_back() -> None:
    old = {"data": {"file.json": '{"b":  1,\n\n "a": 2}'}}
    new = {"data": {"file.json": json.dumps({"b": 3, "a": 2})}}
    for found in differences(old, new):
        set_back(new, old, found.path)
    assert new == old


def test_one_of_two_changes_in_a_document_can_be_set_back() -> None:
    old, new = config_map({"a": 1, "b": 1}), config_map({"a": 2, "b": 2})
    set_back(new, old, ("data", "file.json", "(json)", "a"))
    assert new == config_map({"a": 1, "b": 2})


def test_an_item_comes_back_where_it_was() -> None:
    old = {"spec": {"env": [{"name": name} for name in "pqr"]}}
    new = {"spec": {"env": [{"name": name} for name in "xyp"]}}
    for found in differences(old, new):
        set_back(new, old, found.path)
    assert new == old


def test_what_the_server_keeps_is_no_difference() -> None:
    old = {
        "kind": "Deployment",
        "metadata": {"name": "a", "resourceVersion": "1", "annotations": {"deployment.kubernetes.io/revision": "1"}},
        "status": {"replicas": 1},
    }
    new = {"kind": "Deployment", "metadata": {"name": "a", "resourceVersion": "2", "uid": "x"}, "status": {}}
    assert differences(old, new) == []


def test_the_taint_of_a_cordon_is_the_node_controllers() -> None:
    taint = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
    assert own_part({"kind": "Node", "spec": {"taints": [taint]}}) == {"kind": "Node", "spec": {}}
