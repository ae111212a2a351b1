"""A FinOps scenario that ships holds every check; one that gives its answer away, or is too small to be seen, does not."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from itbench.authoring.cost_check import check_cost_scenario
from itbench.authoring.verdict import COST_TITLES
from itbench.bundled import bundled
from itbench.datasets.cost_scenario_file import read_cost_scenario
from itbench.model.cost import CauseClass

FINOPS = sorted((bundled("scenarios") / "finops").glob("*/scenario.yaml"))


def written(path: Path, **keys: object) -> Path:
    document = {
        "schema_version": 1, "id": "a-bill", "domain": "finops", "title": "A sort of bill", "organisation": "marketplace",
        "causes": [{"class": "log_explosion", "application": "payment-gateway", "factor": 9}],
    }  # fmt: skip
    path.write_text(yaml.safe_dump({**document, **keys}))
    return path


def test_every_class_has_a_scenario_and_at_least_three_are_benign() -> None:
    scenarios = [read_cost_scenario(path).scenario for path in FINOPS]
    assert len(scenarios) >= 24
    assert {cause.cause for one in scenarios for cause in one.causes} == set(CauseClass)
    assert sum(not one.causes for one in scenarios) >= 3
    assert sum(len(one.causes) > 1 for one in scenarios) >= 3
    assert {one.complexity for one in scenarios} == {"low", "medium", "high"}
    assert [one.id for one in scenarios] == [path.parent.name for path in FINOPS]


def test_a_scenario_that_ships_holds_every_check() -> None:
    report = check_cost_scenario(bundled("scenarios") / "finops" / "term-is-over" / "scenario.yaml", seeds=2)
    assert report.failures == ()
    assert {check.name for check in report.checks} == set(COST_TITLES)


def test_a_title_that_stands_in_the_files_is_a_leak(tmp_path: Path) -> None:
    report = check_cost_scenario(written(tmp_path / "scenario.yaml", title="Lake-ingest"), seeds=1)
    assert [check.name for check in report.failures] == ["leaks"]


def test_a_cause_that_nobody_can_see_is_refused(tmp_path: Path) -> None:
    causes = [{"class": "log_explosion", "application": "search", "factor": 1.01}]
    report = check_cost_scenario(written(tmp_path / "scenario.yaml", causes=causes), seeds=1)
    assert "manifests" in [check.name for check in report.failures]


@pytest.mark.parametrize(
    ("keys", "place"),
    [
        ({"organisation": "nowhere"}, "organisation: there is no organisation 'nowhere'"),
        ({"causes": [{"class": "log_explosion", "application": "none"}]}, "causes[0].application: 'none' writes no logs"),
        ({"causes": []}, "ticket"),
    ],
)
def test_what_is_wrong_with_a_file_is_told_with_its_place(tmp_path: Path, keys: dict[str, object], place: str) -> None:
    report = check_cost_scenario(written(tmp_path / "scenario.yaml", **keys), seeds=1)
    (check,) = report.checks
    assert not check.passed
    assert place in check.evidence
