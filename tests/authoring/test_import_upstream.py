"""Scenarios of the public library come in as they are, and what cannot be told is listed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from itbench.authoring.import_upstream import Imported, import_all, import_scenario
from itbench.authoring.upstream import read_upstream
from itbench.authoring.writing import write_scenario
from itbench.cli.main import main
from itbench.datasets.scenario_file import read_scenario
from itbench.model.errors import DatasetError
from itbench.twin.incident.plan import plan

CART = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "cart", "namespace": "otel-demo"}}


def index(**changes: Any) -> dict[str, Any]:
    return {
        "id": 7,
        "index": 7,
        "category": "sre",
        "complexity": "low",
        "description": "Baskets are away. Nobody knows why.",
        "alerts": ["NoRequestsReceived", "NoRequestsReceived"],
        "tags": ["Deployment"],
        "platforms": ["Kubernetes"],
        "solutions": [],
        "environment": {"applications": [{"id": "opentelemetry-demo"}]},
        "disruptions": [{"injections": [{"id": "scaled-to-zero-kubernetes-workload", "args": {"kubernetesObject": CART}}]}],
    } | changes


def written(folder: Path, document: dict[str, Any], name: str = "7.json") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=2))
    return path


def imported(folder: Path, **changes: Any) -> Imported:
    return import_scenario(read_upstream(written(folder, index(**changes))))


def notes(one: Imported) -> dict[str | None, str]:
    return {note.key: note.message for note in one.notes}


def test_a_plain_scenario_comes_in_whole(tmp_path: Path) -> None:
    one = imported(tmp_path)
    scenario = one.scenario
    assert one.notes == ()
    assert (scenario.id, scenario.application, scenario.complexity) == ("upstream-7", "otel-demo", "low")
    assert scenario.title == "Baskets are away"
    assert [alert.name for alert in scenario.expected_alerts] == ["NoRequestsReceived"]
    assert scenario.disruptions[0].faults[0].args == {"kubernetesObject": CART}


def test_what_is_written_is_read_as_the_same(tmp_path: Path) -> None:
    one = imported(tmp_path)
    path = write_scenario(one.scenario, tmp_path / "out")
    assert path == tmp_path / "out" / "upstream-7" / "scenario.yaml"
    file = read_scenario(path)
    assert file.scenario == one.scenario
    assert [step.fault.id for step in plan(file).steps if step.fault] == ["scaled-to-zero-kubernetes-workload"]


def test_options_of_the_application_become_load_and_autoscaling(tmp_path: Path) -> None:
    args = {
        "autoscaling": {"kubernetes": {"hpa": True}},
        "loadGeneration": {"users": 80, "userSpawnRate": 4, "browserTraffic": True},
    }
    one = imported(tmp_path, environment={"applications": [{"id": "opentelemetry-demo", "args": args}]})
    assert one.scenario.autoscaling
    assert (one.scenario.load.users, one.scenario.load.spawn_rate) == (80, 4)
    assert list(notes(one)) == ["environment.applications[0].args.loadGeneration.browserTraffic"]


def test_waiters_keep_their_places(tmp_path: Path) -> None:
    fault = index()["disruptions"][0]["injections"]
    waits = {
        "preInjection": [{"id": "pause-execution", "args": {"seconds": 30}}],
        "postInjection": [{"id": "delete-workload-pods", "args": {"kubernetesObject": CART}}],
    }
    (disruption,) = imported(tmp_path, disruptions=[{"injections": fault, "waitFor": waits}]).scenario.disruptions
    assert [step.id for step in disruption.before] == ["pause-execution"]
    assert [step.id for step in disruption.after] == ["delete-workload-pods"]


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"mood": "bad"}, "mood"),
        ({"environment": {"applications": [{"id": "book-info", "args": {"theme": "dark"}}]}},
         "environment.applications[0].args.theme"),
        ({"disruptions": []}, "disruptions"),
    ],
)  # fmt: skip
def test_what_cannot_be_represented_is_listed_with_its_key(tmp_path: Path, changes: dict[str, Any], key: str) -> None:
    if "disruptions" in changes:
        changes["category"] = "finops"
    one = imported(tmp_path, **changes)
    assert list(notes(one)) == [key]
    assert all(note.line for note in one.notes)


def test_arguments_that_a_fault_does_not_have_are_left_out_and_listed(tmp_path: Path) -> None:
    fault = {"id": "scaled-to-zero-kubernetes-workload", "args": {"kubernetesObject": CART, "configMapName": "features"}}
    one = imported(tmp_path, disruptions=[{"injections": [fault]}])
    assert one.scenario.disruptions[0].faults[0].args == {"kubernetesObject": CART}
    assert list(notes(one)) == ["disruptions[0].injections[0].args.configMapName"]


@pytest.mark.parametrize(("told", "ours"), [("reviews", "reviews-v3"), ("reviews-v3", "reviews-v3"), ("web", "web")])
def test_a_container_that_bears_the_apps_name_is_the_workloads(tmp_path: Path, told: str, ours: str) -> None:
    workload = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "reviews-v3", "namespace": "book-info"}}
    fault = {
        "id": "nonexistent-kubernetes-workload-container-image",
        "args": {"kubernetesObject": workload, "container": {"name": told}},
    }
    application = {"applications": [{"id": "book-info"}]}
    one = imported(tmp_path, environment=application, disruptions=[{"injections": [fault]}])
    assert one.scenario.disruptions[0].faults[0].args["container"] == {"name": ours}
    noted = ["disruptions[0].injections[0].args.container.name"] if told != ours else []
    assert list(notes(one)) == noted


def test_experiments_outside_the_application_are_listed_as_without_effect(tmp_path: Path) -> None:
    schedule = {"apiVersion": "chaos-mesh.org/v1alpha1", "kind": "Schedule",
                "metadata": {"name": "drill", "namespace": "chaos-mesh"}}  # fmt: skip
    body = {"action": "latency", "delay": "200ms", "mode": "all", "selector": {"namespaces": ["kube-system"]}}
    fault = {
        "id": "scheduled-chaos-mesh-experiment",
        "args": {"kubernetesObject": schedule, "scheduleSpec": {"type": "IOChaos", "ioChaos": body}},
    }
    (note,) = imported(tmp_path, disruptions=[{"injections": [fault]}]).notes
    assert "kube-system" in note.message


@pytest.mark.parametrize(
    ("changes", "key", "words"),
    [
        ({"environment": {"applications": [{"id": "hotel"}]}}, "environment.applications[0].id", "no application 'hotel'"),
        ({"disruptions": [{"injections": [{"id": "gremlins"}]}]}, "disruptions[0].injections[0].id", "no fault 'gremlins'"),
        (
            {"disruptions": [{"injections": [{"id": "scaled-to-zero-kubernetes-workload"}]}]},
            "disruptions[0].injections[0].args.kubernetesObject",
            "'kubernetesObject' is missing",
        ),
        (
            {"disruptions": [index()["disruptions"][0] | {"waitFor": {"preInjection": [{"id": "nap", "args": {}}]}}]},
            "disruptions[0].waitFor.preInjection[0].id",
            "no waiter 'nap'",
        ),
        ({"complexity": "fiendish"}, "complexity", "input should be"),
    ],
)
def test_unknown_ids_are_one_message_with_file_line_and_key(
    tmp_path: Path, changes: dict[str, Any], key: str, words: str
) -> None:
    with pytest.raises(DatasetError) as caught:
        imported(tmp_path, **changes)
    assert caught.value.key == key
    assert caught.value.path == str(tmp_path / "7.json")
    assert (caught.value.line or 0) > 1
    assert words in caught.value.message


def test_a_broken_file_hides_no_other(tmp_path: Path) -> None:
    written(tmp_path / "scenarios", index(), "7.json")
    written(tmp_path / "scenarios", index(id=8, environment={"applications": [{"id": "hotel"}]}), "8.json")
    written(tmp_path / "scenarios", index(), "9.json")
    written(tmp_path / "faults", {"id": "a-fault"}, "1.json")
    ours, refused = import_all(tmp_path)
    assert [one.scenario.id for one in ours] == ["upstream-7"]
    assert [(Path(problem.path).name, problem.key) for problem in refused] == [
        ("8.json", "environment.applications[0].id"),
        ("9.json", "id"),
    ]


def test_the_command_writes_folders_and_says_what_it_left_out(tmp_path: Path) -> None:
    written(tmp_path / "scenarios", index(mood="bad"))
    told = CliRunner().invoke(main, ["scenario", "import", str(tmp_path), "--out", str(tmp_path / "out"), "--json"])
    assert told.exit_code == 0, told.output
    (row,) = json.loads(told.stdout)["imported"]
    assert (row["id"], row["upstream"], row["notes"][0]["key"]) == ("upstream-7", 7, "mood")
    assert Path(row["path"]).is_file()


def test_every_file_of_the_public_library_comes_in_and_can_be_planned(shared: Path, tmp_path: Path) -> None:
    folder = shared / "data" / "upstream-library" / "indexes"
    ours, refused = import_all(folder)
    assert refused == ()
    assert len(ours) == len(list((folder / "scenarios").glob("*.json")))
    for one in ours:
        plan(read_scenario(write_scenario(one.scenario, tmp_path)))
    assert {one.file.scenario.id for one in ours if one.notes} == {37, 53, 55, 59}
