from __future__ import annotations

from pathlib import Path

import pytest

from itbench.datasets.catalogue import bundled_scenarios, locate_scenario
from itbench.datasets.discover import open_dataset
from itbench.model.errors import GroundTruthError, UsageError

DEFINITION = "schema_version: 1\nid: slow-carts\ntitle: Carts are slow\napplication: otel-demo\n"


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    folder = tmp_path / "own" / "slow-carts"
    folder.mkdir(parents=True)
    (folder / "scenario.yaml").write_text(DEFINITION)
    return folder


def test_a_scenario_is_found_by_its_folder_and_by_its_file(scenario: Path) -> None:
    assert locate_scenario(str(scenario)) == scenario / "scenario.yaml"
    assert locate_scenario(str(scenario / "scenario.yaml")) == scenario / "scenario.yaml"


def test_scenarios_that_ship_are_found_by_their_ids() -> None:
    simulated = [item for item in bundled_scenarios() if item.definition is not None]
    for item in simulated:
        assert locate_scenario(item.id) == item.definition


def test_an_unknown_scenario_is_refused() -> None:
    with pytest.raises(UsageError, match="no scenario 'nowhere'"):
        locate_scenario("nowhere")


def test_a_path_without_a_scenario_is_named_as_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="no such file or folder"):
        locate_scenario(str(tmp_path / "nowhere" / "scenario.yaml"))
    with pytest.raises(UsageError, match=r"no scenario\.yaml in this folder"):
        locate_scenario(str(tmp_path))
    mine = tmp_path / "scenarios" / "mine"
    mine.mkdir(parents=True)
    (mine / "scenario.yaml").touch()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="Did you mean scenarios/mine"):
        locate_scenario("mine")


def test_what_has_to_be_simulated_is_no_broken_scenario_and_has_no_truth_yet(scenario: Path) -> None:
    dataset = open_dataset(scenario.parent)
    assert dataset.errors == ()
    (found,) = dataset.scenarios
    assert (found.id, found.domain, found.definition) == ("slow-carts", "sre", scenario / "scenario.yaml")
    with pytest.raises(GroundTruthError, match="before it is simulated"):
        found.truth()
