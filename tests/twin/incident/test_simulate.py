from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import yaml

from itbench.datasets.truth_file import load_ground_truth
from itbench.snapshot.records import Alert
from itbench.snapshot.snapshot import open_snapshot
from itbench.twin.incident.measure import Measured, Worlds
from itbench.twin.incident.plan import plan
from itbench.twin.incident.simulate import Simulation, simulate
from itbench.twin.incident.truth import ground_truth
from itbench.twin.telemetry.recording import LITE

from .conftest import Write, scaled_to_zero, wrong_port


@pytest.fixture(scope="module")
def simulation(write: Write) -> Simulation:
    return simulate(plan(write(wrong_port("store"))), 4, LITE)


@pytest.fixture(scope="module")
def folder(simulation: Simulation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("written") / "files"
    simulation.write(path)
    return path


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_equal_seeds_give_equal_bytes_and_others_do_not(write: Write, folder: Path, tmp_path: Path) -> None:
    for name, seed in (("same", 4), ("other", 5)):
        simulate(plan(write(wrong_port("store"))), seed, LITE).write(tmp_path / name)
    assert digests(tmp_path / "same") == digests(folder)
    assert digests(tmp_path / "other") != digests(folder)


def test_the_files_are_read_without_a_problem(folder: Path, tmp_path: Path) -> None:
    with open_snapshot(folder, cache_dir=tmp_path) as snapshot:
        check = snapshot.check()
    assert check.problems == ()


def test_the_truth_is_read_without_a_finding(folder: Path) -> None:
    loaded = load_ground_truth(folder / "ground_truth.yaml")
    assert loaded.findings == ()
    (root,) = loaded.truth.roots
    assert (root.kind, root.namespace, root.filter) == ("Service", "shop", ("store\\b",))


def test_the_truth_names_what_was_changed_and_what_repairs_it(folder: Path) -> None:
    truth = yaml.safe_load((folder / "ground_truth.yaml").read_text())
    (record,) = truth["fault"]
    assert record["entity"]["changed"]["from"] == 8080
    assert "targetPort" in record["entity"]["changed"]["element"]
    assert truth["recommended_actions"]


def test_every_id_in_the_truth_is_that_of_a_group(folder: Path) -> None:
    truth = yaml.safe_load((folder / "ground_truth.yaml").read_text())
    ids = {group["id"] for group in truth["groups"]}
    assert len(ids) == len(truth["groups"])
    assert {key for pair in truth["aliases"] for key in pair} <= ids
    assert {item[end] for item in truth["propagations"] for end in ("source", "target")} <= ids
    assert {alert["group_id"] for alert in truth["alerts"] if "group_id" in alert} <= ids
    assert set(truth["measured"]["entities"]) <= ids


def test_a_workload_that_is_the_root_is_one_with_its_pods_and_not_with_its_service(write: Write) -> None:
    truth = simulate(plan(write(scaled_to_zero("cart"))), 4, LITE).truth()
    assert ["cart-deployment-1", "cart-pod-1"] in truth["aliases"]
    assert not any("cart-service-1" in pair for pair in truth["aliases"])
    assert ["front-service-1", "front-pod-1"] in truth["aliases"]


def test_the_author_may_word_a_measured_step(write: Write) -> None:
    words = {"source": "Service/store", "target": "Service/cart", "effect": "baskets cannot be read"}
    truth = simulate(plan(write(wrong_port("store"), wording=[words])), 4, LITE).truth()
    (step,) = (item for item in truth["propagations"] if item["target"] == "cart-service-1")
    assert step["effect"] == "baskets cannot be read"
    assert "targetPort" in step["condition"] or "store" in step["condition"]


def test_agents_files_say_nothing_of_the_harness(folder: Path, cart_gone: Worlds) -> None:
    for path in folder.rglob("*"):
        if path.is_file() and path.name != "ground_truth.yaml":
            text = path.read_text(errors="replace").lower()
            assert not any(word in text for word in ("itbench", "simulat", "ground_truth", "try-out"))


def test_a_service_that_is_the_root_is_not_its_pods(simulation: Simulation) -> None:
    truth = simulation.truth()
    (root,) = (group for group in truth["groups"] if group.get("root_cause"))
    assert (root["kind"], root["filter"]) == ("Service", ["store\\b"])
    assert all(root["id"] not in ids for ids in truth["aliases"])


def test_alerts_that_fire_without_the_faults_too_are_not_of_the_incident(cart_gone_measured: Measured) -> None:
    time = cart_gone_measured.worlds.faulted.begin
    alert = Alert(time=time, labels={"alertname": "Restless", "service_name": "cart"}, state="firing")
    assert [item["id"] for item in ground_truth(cart_gone_measured, [alert], [])["alerts"]] == ["Restless"]
    assert ground_truth(cart_gone_measured, [alert], [alert])["alerts"] == []
