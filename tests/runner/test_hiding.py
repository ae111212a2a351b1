from __future__ import annotations

from pathlib import Path

import pytest

from itbench.agents.command import CommandAgent
from itbench.bundled import bundled
from itbench.datasets.discover import open_dataset
from itbench.judge.replies import user_folder
from itbench.model.errors import UsageError
from itbench.runner.hiding import hidden_paths, refuse_hidden_files, remember


def test_datasets_runs_and_what_is_remembered_are_hidden(dataset: Path, tmp_path: Path) -> None:
    (tmp_path / "runs/old").mkdir(parents=True)
    (tmp_path / "runs/old/run.json").write_text("{}")
    (tmp_path / "elsewhere").mkdir()
    remember(tmp_path / "elsewhere")
    remember(tmp_path / "gone")
    hidden = hidden_paths(tmp_path / "runs/new", dataset, open_dataset(dataset).scenarios)
    assert {dataset, tmp_path / "runs/new", tmp_path / "runs/old", tmp_path / "elsewhere"} <= set(hidden)
    assert tmp_path / "gone" not in hidden
    assert bundled("scenarios").resolve() in hidden


def test_replies_of_judges_are_hidden_whoever_asked_them(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    user_folder().mkdir(parents=True)
    assert user_folder() in hidden_paths(tmp_path / "run", dataset, open_dataset(dataset).scenarios)


def test_a_part_of_a_published_dataset_hides_the_whole(tmp_path: Path, dataset: Path) -> None:
    version = tmp_path / "Lite/snapshots/sre/v1"
    version.parent.mkdir(parents=True)
    dataset.rename(version)
    assert tmp_path / "Lite" in hidden_paths(tmp_path / "run", version, open_dataset(version).scenarios)


def test_a_scenario_given_alone_hides_the_folder_that_would_tell_its_name(dataset: Path, tmp_path: Path) -> None:
    alone = dataset / "Scenario-2"
    assert dataset in hidden_paths(tmp_path / "run", alone, open_dataset(alone).scenarios)


def test_a_truth_behind_a_link_is_hidden_where_it_lies(dataset: Path, tmp_path: Path) -> None:
    blob = tmp_path / "blob"
    truth = dataset / "Scenario-1/ground_truth.yaml"
    truth.rename(blob)
    truth.symlink_to(blob)
    assert blob in hidden_paths(tmp_path / "run", dataset, open_dataset(dataset).scenarios)


def test_an_agent_or_exposed_path_in_a_hidden_place_is_refused(dataset: Path, tmp_path: Path) -> None:
    agent = CommandAgent(("x",), (dataset / "agent.py",))
    with pytest.raises(UsageError, match="could not see its own files"):
        refuse_hidden_files({"mine": agent}, [dataset], [])
    with pytest.raises(UsageError, match="cannot be exposed"):
        refuse_hidden_files({}, [dataset], [dataset / "Scenario-1"])
    refuse_hidden_files({"mine": agent}, [tmp_path / "other"], [tmp_path])
