from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from itbench.datasets.scenario_file import read_scenario
from itbench.environments.validation.observed import Observed, read_observed, write_observed
from itbench.environments.validation.selection import choose
from itbench.environments.validation.simulated import simulated, simulated_like, undisturbed
from itbench.model.errors import UsageError
from itbench.twin.base import node
from itbench.twin.compare.agreement import compare
from itbench.twin.compare.watch import compare_streams
from itbench.twin.incident.plan import Plan, plan


@pytest.fixture
def planned(written: Callable[..., Path]) -> Plan:
    return undisturbed(plan(read_scenario(written())))


@pytest.fixture
def seen(planned: Plan) -> Observed:
    return simulated(planned, 7)


def test_seconds_count_from_the_fault(seen: Observed) -> None:
    assert (seen.seconds, seen.moments) == (240, (0,))
    scaled = [one.time for one in seen.observations if one.object.get("reason") == "ScalingReplicaSet" and one.time >= 0]
    assert scaled
    assert 0 <= scaled[0] < 5
    assert any(one.time < 0 for one in seen.observations)


def test_the_world_shows_the_fault_and_so_do_its_services(seen: Observed) -> None:
    world = seen.told().world
    assert (world.before(("Deployment/reviews-v1", "ready")), world.last(("Deployment/reviews-v1", "ready"))) == ("1", "0")
    assert world.fields == {"Deployment/reviews-v1": "spec.replicas=0"}
    assert seen.shifts["reviews-v1"].errors() == "silent"
    assert seen.shifts["details-v1"].errors() == "same"


def test_equal_seeds_agree_in_everything(planned: Plan, seen: Observed) -> None:
    found = compare(seen.told(), simulated(planned, 7).told(), 0)
    assert all(aspect.agreement in (None, 1) for aspect in found.values())
    assert found["events"].agreement == found["states"].agreement == 1


def test_a_twin_is_played_as_long_and_on_such_nodes_as_reality(planned: Plan) -> None:
    real = Observed("book-info", (), 37.4, (0.0,), nodes=[node("only", cpu="8")])
    seen = simulated_like(planned, 7, real, patience=5)
    assert seen.seconds == 37.4
    assert seen.alerts is None
    assert {one.object["metadata"]["name"] for one in seen.observations if one.object["kind"] == "Node"} == {"only"}
    assert max(one.time for one in seen.observations) <= 38


def test_a_twins_alerts_fire_as_on_a_cluster_that_is_looked_at_every_five_seconds() -> None:
    ((chosen,), _) = choose("kind", None, ["nobody-at-the-till"])
    real = Observed("otel-demo", (), 200.0, (0.0,), alerts={})
    seen = simulated_like(undisturbed(chosen.plan), 7, real, patience=5)
    # Failures from the first second on: counted after 5 s, seen to grow after 10 s, and so for the rule's three minutes.
    assert seen.alerts == {f"HighRequestErrorRate ({name})": 190 for name in ("frontend-proxy", "frontend", "checkout")}


def test_a_twin_makes_each_step_when_reality_did(written: Callable[..., Path]) -> None:
    path = written()
    text = path.read_text().replace(
        "disruptions:\n", "disruptions:\n  - at: 0s\n    after:\n      - {id: delete-workload-pods, args: ARGS}\n"
    )
    text = text.replace("  - faults:\n", "    faults:\n").replace(
        "ARGS",
        "{kubernetesObject: {apiVersion: apps/v1, kind: Deployment, metadata: {name: details-v1, namespace: book-info}}}",
    )
    path.write_text(text)
    planned = undisturbed(plan(read_scenario(path)))
    seen = simulated_like(planned, 7, Observed("book-info", (), 40.0, (0.0, 12.3)), patience=5)
    assert seen.moments == (0, 13)
    killed = [
        one.time
        for one in seen.observations
        if one.object.get("reason") == "Killing" and one.object["involvedObject"]["name"].startswith("details")
    ]
    assert 13 <= killed[0] < 15


def test_records_come_back_as_they_were(tmp_path: Path, seen: Observed) -> None:
    write_observed(seen, tmp_path, "kind")
    again = read_observed(tmp_path, "kind")
    assert again is not None
    assert (again.seconds, again.moments, again.shifts, again.alerts) == (
        seen.seconds,
        seen.moments,
        seen.shifts,
        seen.alerts,
    )
    found = compare(again.told(), seen.told(), 0)
    assert all(aspect.agreement in (None, 1) for aspect in found.values())
    assert compare_streams(tmp_path / "kind.jsonl", tmp_path / "kind.jsonl").events == 1  # itbench twin compare reads them


def test_records_have_no_secrets_and_tell_that_they_changed(tmp_path: Path, seen: Observed) -> None:
    values = ("aHVudGVyMg==", "aHVudGVyMg==", "b3RoZXI=")
    metadata = {"name": "key", "namespace": "book-info", "annotations": {"kubectl.kubernetes.io/last-applied": values[0]}}
    secrets = [{"kind": "Secret", "metadata": metadata, "data": {"password": value}} for value in values]
    times = (-1.0, 3.0, 5.0)
    observations = [replace(seen.observations[0], time=time, object=obj) for time, obj in zip(times, secrets, strict=True)]
    write_observed(replace(seen, observations=observations), tmp_path, "kind")
    text = (tmp_path / "kind.jsonl").read_text()
    assert not any(value in text for value in values)
    again = read_observed(tmp_path, "kind")
    assert again is not None
    assert again.told().world.fields == {"Secret/key": "data.password=…"}
    assert [one.object["data"]["password"] for one in again.observations] == ["value 1", "value 1", "value 2"]


def test_no_records_are_none(tmp_path: Path) -> None:
    assert read_observed(tmp_path, "kind") is None


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("kind.json", "{}", "schema_version|Field required|namespace"),
        ("kind.json", "no", "JSON"),
        ("kind.jsonl", "{}\n", "watch"),
    ],
)
def test_broken_records_are_one_message_with_their_file(
    tmp_path: Path, seen: Observed, name: str, text: str, told: str
) -> None:
    write_observed(replace(seen, observations=seen.observations[:1]), tmp_path, "kind")
    (tmp_path / name).write_text(text)
    with pytest.raises(UsageError, match=told) as caught:
        read_observed(tmp_path, "kind")
    assert str(caught.value.path) == str(tmp_path / name)


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path, seen: Observed) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be written"):
        write_observed(seen, tmp_path / "file", "twin")
