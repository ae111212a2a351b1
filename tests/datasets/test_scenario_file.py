from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from itbench.datasets.cost_scenario_file import read_cost_scenario
from itbench.datasets.scenario_file import read_scenario
from itbench.model.errors import DatasetError

FAULT = {"id": "some-fault", "args": {"a": 1}}


def written(folder: Path, **changes: Any) -> Path:
    document: dict[str, Any] = {
        "schema_version": 1,
        "id": "slow-carts",
        "title": "Carts are slow",
        "application": "otel-demo",
        "disruptions": [{"faults": [FAULT]}],
    }
    document |= changes
    path = folder / "scenario.yaml"
    path.write_text(yaml.safe_dump({key: value for key, value in document.items() if value is not None}, sort_keys=False))
    return path


def test_a_folder_stands_for_its_scenario_file(tmp_path: Path) -> None:
    written(tmp_path)
    assert read_scenario(tmp_path).scenario.id == "slow-carts"


def test_durations_are_read_as_people_write_them(tmp_path: Path) -> None:
    timeline = read_scenario(written(tmp_path, timeline={"before": "5m", "after": 600})).scenario.timeline
    assert (timeline.before, timeline.after, timeline.seconds) == (300.0, 600.0, 900.0)


@pytest.mark.parametrize(
    ("changes", "line", "key", "words"),
    [
        ({"titel": "x"}, 8, "titel", "unknown key. Did you mean 'title'?"),
        ({"title": None}, 1, "title", "is missing"),
        ({"id": "Slow Carts"}, 2, "id", "pattern"),
        ({"disruptions": [{"faults": []}]}, 6, "disruptions[0].faults", "at least 1"),
        ({"disruptions": []}, 5, "disruptions", "no root cause"),
        ({"disruptions": [{"at": "26m", "faults": [FAULT]}]}, 6, "disruptions[0].at", "beyond the end"),
        ({"timeline": {"before": "10 days"}}, 9, "timeline.before", "not a duration"),
        ({"complexity": "extreme"}, 8, "complexity", "low"),
        ({"noise": -1}, 8, "noise", "greater than"),
    ],
)
def test_what_is_wrong_is_one_message_with_its_place(
    tmp_path: Path, changes: dict[str, Any], line: int, key: str, words: str
) -> None:
    path = written(tmp_path, **changes)
    with pytest.raises(DatasetError, match=words) as caught:
        read_scenario(path)
    error = caught.value
    assert (error.path, error.key) == (str(path), key)
    assert error.line is not None
    assert abs(error.line - line) <= 3
    assert "\n" not in str(error)


def test_a_key_that_appears_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "scenario.yaml"
    path.write_text("schema_version: 1\nid: a\nid: b\n")
    with pytest.raises(DatasetError, match="twice"):
        read_scenario(path)


def test_what_is_no_mapping_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "scenario.yaml"
    path.write_text("- a\n")
    with pytest.raises(DatasetError, match="mapping"):
        read_scenario(path)


def test_a_wrong_value_of_a_cause_is_placed_as_the_file_has_it_and_leads_to_the_guide_of_bills(tmp_path: Path) -> None:
    cause = {"class": "log_explosion", "application": "search", "factor": "nine", "onset": 10}
    document = {
        "schema_version": 1,
        "id": "dear",
        "domain": "finops",
        "title": "Dear",
        "organisation": "o",
        "causes": [cause],
    }
    path = tmp_path / "scenario.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    with pytest.raises(DatasetError, match=r"docs/finops-twin\.md") as caught:
        read_cost_scenario(path)
    assert (caught.value.key, caught.value.line) == ("causes[0].factor", 9)
