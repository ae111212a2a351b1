from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from itbench.datasets.discover import open_dataset
from itbench.datasets.scenario import ScenarioFolder
from itbench.model.errors import DatasetError
from itbench.runner import simulated
from itbench.runner.session import RunRequest, begin, reopen
from itbench.runner.simulated import realise, seed_of

SHOP = Path(__file__).parents[1] / "twin" / "applications" / "shop.yaml"


def write(folder: Path, name: str, deployment: str = "cart") -> None:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": deployment, "namespace": "shop"}}
    fault = {"id": "scaled-to-zero-kubernetes-workload", "args": {"kubernetesObject": target}}
    document = {
        "schema_version": 1,
        "id": name,
        "title": "Something breaks",
        "application": str(SHOP),
        "noise": 0,
        "timeline": {"before": "1m", "after": "2m"},
        "disruptions": [{"faults": [fault]}],
    }
    (folder / name).mkdir(parents=True)
    (folder / name / "scenario.yaml").write_text(yaml.safe_dump(document))


@pytest.fixture
def dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    write(tmp_path / "own", "no-carts")
    return tmp_path / "own"


def scenarios(dataset: Path) -> tuple[ScenarioFolder, ...]:
    return open_dataset(dataset).scenarios


def test_a_scenario_gets_its_files_and_its_truth_in_the_cache_once(dataset: Path, tmp_path: Path) -> None:
    told: list[str] = []
    (found,) = realise(scenarios(dataset), 0, told.append)
    assert found.definition is None
    assert found.folder is not None
    assert found.folder.is_relative_to(tmp_path / "cache")
    assert found.truth().truth.roots[0].kind == "Deployment"
    (again,) = realise(scenarios(dataset), 0, told.append)
    assert again.folder == found.folder
    assert len(told) == 1


def test_another_seed_or_another_text_is_another_simulation(dataset: Path) -> None:
    (first,) = realise(scenarios(dataset), 0, lambda _: None)
    (second,) = realise(scenarios(dataset), 1, lambda _: None)
    path = dataset / "no-carts" / "scenario.yaml"
    path.write_text(path.read_text() + "# a remark\n")
    (third,) = realise(scenarios(dataset), 0, lambda _: None)
    assert len({first.folder, second.folder, third.folder}) == 3


def test_another_application_file_is_another_simulation_wherever_it_lies(dataset: Path, tmp_path: Path) -> None:
    application = tmp_path / "applications" / "shop.yaml"
    application.parent.mkdir()
    application.write_text(SHOP.read_text())
    path = dataset / "no-carts" / "scenario.yaml"
    path.write_text(path.read_text().replace(str(SHOP), "../../applications/shop.yaml"))
    (first,) = realise(scenarios(dataset), 0, lambda _: None)
    application.write_text(SHOP.read_text().replace("rate: 5", "rate: 6"))
    (second,) = realise(scenarios(dataset), 0, lambda _: None)
    assert first.folder != second.folder


def test_seed_zero_is_the_scenarios_own_and_others_differ_by_scenario() -> None:
    assert seed_of(17, 0, "a") == 17
    assert seed_of(17, 1, "a") == seed_of(17, 1, "a")
    assert len({seed_of(17, 1, "a"), seed_of(17, 1, "b"), seed_of(17, 2, "a")}) == 3


def test_many_scenarios_are_simulated_side_by_side_like_one_by_one(dataset: Path) -> None:
    for number in range(3):
        write(dataset, f"more-{number}")
    together = realise(scenarios(dataset), 0, lambda _: None, jobs=2)
    (alone,) = (item for item in together if item.id == "no-carts")
    assert all(item.folder is not None and (item.folder / "ground_truth.yaml").is_file() for item in together)
    assert alone.truth().truth.roots[0].kind == "Deployment"


def test_what_cannot_be_simulated_is_one_message_also_from_another_process(dataset: Path) -> None:
    for number in range(3):
        write(dataset, f"broken-{number}", deployment="basket")
    with pytest.raises(DatasetError, match="basket") as caught:
        realise(scenarios(dataset), 0, lambda _: None, jobs=2)
    assert caught.value.line is not None


def test_recorded_scenarios_stay_as_they_are(tmp_path: Path) -> None:
    recorded = ScenarioFolder("a", "sre", tmp_path, tmp_path / "ground_truth.yaml")
    assert realise([recorded], 5, lambda _: None) == (recorded,)


def test_a_run_simulates_and_a_resumed_run_finds_the_same(dataset: Path, tmp_path: Path) -> None:
    session = begin(RunRequest(agents=["nop"], out=tmp_path / "run", dataset=dataset, seed=3))
    again = reopen(tmp_path / "run")
    assert [item.folder for item in again.scenarios] == [item.folder for item in session.scenarios]


def test_the_cache_forgets_what_was_used_least_recently(dataset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulated, "MOST_KEPT", 2)
    folders = []
    for seed in range(3):
        (found,) = realise(scenarios(dataset), seed, lambda _: None)
        assert found.folder is not None
        os.utime(found.folder, (seed, seed))
        folders.append(found.folder)
    assert [folder.exists() for folder in folders] == [False, True, True]


def test_the_cache_keeps_what_another_run_may_still_read(dataset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulated, "MOST_KEPT", 1)
    folders = [realise(scenarios(dataset), seed, lambda _: None)[0].folder for seed in range(3)]
    assert all(folder is not None and folder.is_dir() for folder in folders)
