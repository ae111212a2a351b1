from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from itbench.environments.kind.settings import load_kind_settings
from itbench.environments.validation.selection import choose
from itbench.model.errors import DatasetError, UsageError


def test_by_default_there_is_one_scenario_for_each_fault() -> None:
    chosen, told = choose("hybrid", None, ())
    faults = [fault for each in chosen for fault in each.faults]
    assert told == []
    assert len(set(faults)) >= 25
    assert len(chosen) <= len(set(faults))
    single = {each.faults[0] for each in chosen if len(each.plan.steps) == 1}
    assert "scaled-to-zero-kubernetes-workload" in single  # a scenario with this fault alone is there, and is taken


def test_on_kind_scenarios_with_what_it_lacks_are_left_out_and_told() -> None:
    chosen, told = choose("kind", None, ())
    absent = load_kind_settings().absent
    assert not any(fault in absent for each in chosen for fault in each.faults)
    assert len({fault for each in chosen for fault in each.faults}) >= 20
    assert any("Chaos Mesh" in line for line in told)


def test_a_suite_is_taken_whole_and_in_its_order() -> None:
    chosen, _ = choose("hybrid", "kind-smoke", ())
    assert [each.id for each in chosen][:2] == ["nobody-at-the-till", "quotes-knock-at-a-shut-door"]
    assert len(chosen) == 10


def test_scenarios_are_named_by_id_or_path_and_once(written: Callable[..., Path]) -> None:
    path = written()
    chosen, _ = choose("hybrid", None, ("nobody-at-the-till", str(path), "nobody-at-the-till"))
    assert [each.id for each in chosen] == ["nobody-at-the-till", "nobody-reads"]


@pytest.mark.parametrize(
    ("suite", "named", "told"),
    [
        ("nope", (), "no suite"),
        ("ciso-all", (), "no SRE scenario"),
        (None, ("nope",), "no scenario 'nope'"),
        ("starter", ("quotes-have-nowhere-to-run",), "the suite starter has no scenario"),
    ],
)
def test_what_is_not_there_is_one_message(suite: str | None, named: tuple[str, ...], told: str) -> None:
    with pytest.raises((UsageError, DatasetError), match=told):
        choose("hybrid", suite, named)


def test_where_nothing_is_left_that_is_an_error() -> None:
    with pytest.raises(UsageError, match="Chaos Mesh"):
        choose("kind", None, ("banners-come-back-empty",))
