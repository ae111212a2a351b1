"""What counts as a change of an object."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from itbench.tools.diff import diff


def shown(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    return [str(change) for change in diff(old, new)]


def test_what_was_added_removed_and_changed_is_told_by_path() -> None:
    old = {"spec": {"replicas": 1, "paused": True}}
    new = {"spec": {"replicas": 3, "strategy": "Recreate"}}
    assert shown(old, new) == ["- spec.paused: true", "spec.replicas: 1 → 3", "+ spec.strategy: Recreate"]


def test_named_items_are_compared_by_name_wherever_they_stand() -> None:
    old = {"env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]}
    new = {"env": [{"name": "NEW", "value": "x"}, {"name": "B", "value": "9"}, {"name": "A", "value": "1"}]}
    assert shown(old, new) == ["env[B].value: 2 → 9", '+ env[NEW]: {"name": "NEW", "value": "x"}']


def test_items_with_one_name_twice_are_compared_by_another_key_or_by_place() -> None:
    old = {"ports": [{"name": "x", "port": 1}, {"name": "x", "port": 2}]}
    new = {"ports": [{"name": "x", "port": 1}, {"name": "x", "port": 3}]}
    assert shown(old, new) == ['- ports[2]: {"name": "x", "port": 2}', '+ ports[3]: {"name": "x", "port": 3}']


def test_book_keeping_and_heartbeats_are_no_change() -> None:
    def version(number: int) -> dict[str, Any]:
        return {
            "metadata": {
                "resourceVersion": str(number), "generation": number, "managedFields": [number], "uid": str(number),
                "creationTimestamp": str(number),
                "annotations": {
                    "kubectl.kubernetes.io/last-applied-configuration": str(number),
                    "endpoints.kubernetes.io/last-change-trigger-time": str(number),
                    "deployment.kubernetes.io/revision": str(number),
                },
            },
            "status": {
                "observedGeneration": number,
                "conditions": [
                    {"type": "Ready", "status": "True", "lastHeartbeatTime": str(number), "lastTransitionTime": number}
                ],
            },
        }  # fmt: skip

    assert diff(version(1), version(2)) == ()


def test_a_restart_a_deletion_and_what_people_annotate_are_changes() -> None:
    old = {"metadata": {"annotations": {"note": "a"}}, "spec": {"template": {"metadata": {"annotations": {}}}}}
    new = {
        "metadata": {"annotations": {"note": "b"}, "deletionTimestamp": "2026-03-01T00:00:00Z"},
        "spec": {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "2026-03-01T00:00:00Z"}}}},
    }
    assert [change.path for change in diff(old, new)] == [
        "metadata.annotations.note",
        "metadata.deletionTimestamp",
        "spec.template.metadata.annotations.kubectl.kubernetes.io/restartedAt",
    ]


def test_a_json_file_in_a_config_map_is_compared_inside() -> None:
    old = {"data": {"flags.json": '{"flags": {\n"slow": {"variant": "off"}, "x": 1}}'}}
    new = {"data": {"flags.json": '{"flags": {\n"slow": {"variant": "on"}, "x": 1}}'}}
    assert shown(old, new) == ["data.flags.json:json.flags.slow.variant: off → on"]


def test_of_a_text_with_lines_those_that_differ_are_shown() -> None:
    assert shown({"data": {"f": "a\nb\nc"}}, {"data": {"f": "a\nX\nc"}}) == ["data.f: b → X"]


def test_keys_of_data_are_names_and_not_times() -> None:
    assert shown({"data": {"waitTime": "1"}}, {"data": {"waitTime": "2"}}) == ["data.waitTime: 1 → 2"]


def test_an_empty_text_is_a_value() -> None:
    assert shown({"a": {"v": ""}}, {"a": {"v": "x"}}) == ['a.v: "" → x']


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
MAPS = st.dictionaries(st.text(max_size=5), VALUES, max_size=4)


@given(MAPS)
def test_nothing_differs_from_itself(manifest: dict[str, Any]) -> None:
    assert diff(manifest, manifest) == ()


@given(MAPS, MAPS)
def test_there_and_back_are_the_same_paths(old: dict[str, Any], new: dict[str, Any]) -> None:
    assert {change.path for change in diff(old, new)} == {change.path for change in diff(new, old)}
