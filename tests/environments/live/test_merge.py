from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from itbench.environments.live.merge import merged

VALUES = st.one_of(st.integers(0, 3), st.lists(st.integers(0, 2), max_size=2))
TREES = st.dictionaries(
    st.sampled_from("abc"), st.recursive(VALUES, lambda own: st.dictionaries(st.sampled_from("xy"), own))
)
Tree = dict[str, Any]


def test_changes_of_different_fields_are_both_kept() -> None:
    base = {"spec": {"replicas": 1}, "status": {"ready": 1}}
    ours = {"spec": {"replicas": 1}, "status": {"ready": 0}}
    theirs = {"spec": {"replicas": 3}, "status": {"ready": 1}}
    assert merged(base, ours, theirs) == {"spec": {"replicas": 3}, "status": {"ready": 0}}


def test_a_client_wins_where_both_changed_a_field() -> None:
    assert merged({"a": 1}, {"a": 2}, {"a": 3}) == {"a": 3}


def test_what_a_client_removed_is_gone_and_what_we_added_stays() -> None:
    assert merged({"a": 1, "b": 2}, {"a": 1, "b": 2, "c": 3}, {"a": 1}) == {"a": 1, "c": 3}


@given(TREES, TREES)
def test_without_a_change_of_ours_theirs_is_the_result(base: Tree, theirs: Tree) -> None:
    assert merged(base, base, theirs) == theirs


@given(TREES, TREES)
def test_without_a_change_of_theirs_ours_is_the_result(base: Tree, ours: Tree) -> None:
    assert merged(base, ours, base) == ours
