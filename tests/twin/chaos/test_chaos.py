"""Chaos Mesh on the twin: schedules, experiments, and what pods go through."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from itbench.cluster.protocol import KubeObject
from itbench.cluster.reference import ObjectRef
from itbench.twin.base import node
from itbench.twin.chaos.daemon import PAUSE_IMAGE
from itbench.twin.chaos.terms import API, memory_stress
from itbench.twin.chaos.timetable import read_timetable
from itbench.twin.twin import Twin
from itbench.twin.workload.behaviour import ImageBehaviour
from itbench.twin.workload.process import KnownPrograms

IMAGE = "registry.example/web:1"


class World:
    """A Deployment of one pod with a limit of 64 MiB, and shorthands for experiments on it."""

    def __init__(self) -> None:
        programs = KnownPrograms({"registry.example/web": ImageBehaviour(image="registry.example/web", listens=(8080,))})
        nodes = [node("node-1", cpu="4", memory="16Gi")]
        self.twin = Twin(seed=3, programs=programs, present=[IMAGE, PAUSE_IMAGE], nodes=nodes)
        for name in ("shop", "chaos-mesh"):
            self.twin.cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        self.twin.advance(1)
        labels = {"app": "web"}
        container = {"name": "web", "image": IMAGE, "resources": {"limits": {"memory": "64Mi"}}}
        template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
        spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
        metadata = {"name": "web", "namespace": "shop"}
        self.twin.cluster.create({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec})
        self.twin.run_until(30)

    @property
    def pod(self) -> KubeObject:
        return self.twin.store.list("Pod", "shop")[0]

    @property
    def restarts(self) -> int:
        return int(self.pod["status"]["containerStatuses"][0]["restartCount"])

    def create(self, kind: str, spec: dict[str, Any], name: str = "trial") -> None:
        metadata = {"name": name, "namespace": "chaos-mesh"}
        self.twin.cluster.create({"apiVersion": API, "kind": kind, "metadata": metadata, "spec": spec})

    def schedule(self, kind: str, field: str, experiment: dict[str, Any], **spec: Any) -> None:
        common = {"schedule": "* * * * *", "concurrencyPolicy": "Forbid", "historyLimit": 1, "type": kind}
        self.create("Schedule", {**common, field: {**selector(), **experiment}, **spec})

    def get(self, kind: str, name: str = "trial") -> KubeObject:
        return self.twin.cluster.get(ObjectRef(kind, name, "chaos-mesh", API))

    def events(self, name: str | None = None) -> Counter[str]:
        found = Counter[str]()
        for event in self.twin.store.list("Event"):
            if name is None or event["involvedObject"]["name"] == name:
                found[event["reason"]] += event["count"]
        return found

    def children(self, kind: str) -> list[KubeObject]:
        return self.twin.store.list(kind, "chaos-mesh")


def selector() -> dict[str, Any]:
    return {"mode": "all", "selector": {"namespaces": ["shop"], "labelSelectors": {"app": "web"}}}


def conditions(obj: KubeObject) -> dict[str, str]:
    return {item["type"]: item["status"] for item in obj["status"]["conditions"]}


@pytest.fixture
def world() -> World:
    return World()


DELAY = {"action": "delay", "delay": {"latency": "50ms"}}


def test_a_schedule_makes_an_experiment_each_minute_and_keeps_the_last(world: World) -> None:
    world.schedule("NetworkChaos", "networkChaos", {**DELAY, "duration": "55s"})
    world.twin.run_until(59)
    assert world.children("NetworkChaos") == []
    world.twin.run_until(63)
    (first,) = world.children("NetworkChaos")
    assert first["metadata"]["ownerReferences"][0]["name"] == "trial"
    assert first["metadata"]["labels"] == {"managed-by": "trial"}
    assert first["metadata"]["name"].startswith("trial-")
    assert len(first["metadata"]["name"]) == len("trial-") + 5
    assert first["status"]["experiment"]["desiredPhase"] == "Run"
    assert conditions(first) == {"Selected": "True", "AllInjected": "True", "AllRecovered": "False", "Paused": "False"}
    assert [item["name"] for item in world.get("Schedule")["status"]["active"]] == [first["metadata"]["name"]]
    world.twin.run_until(117)
    (same,) = world.children("NetworkChaos")
    assert same["status"]["experiment"]["desiredPhase"] == "Stop"
    assert conditions(same)["AllRecovered"] == "True"
    world.twin.run_until(123)
    (second,) = world.children("NetworkChaos")
    assert second["metadata"]["name"] != first["metadata"]["name"]
    assert world.get("Schedule")["status"]["time"] == "2026-01-01T00:02:00Z"


def test_the_events_are_those_of_the_real_controller(world: World) -> None:
    world.create("NetworkChaos", {**selector(), **DELAY, "duration": "20s"})
    world.twin.advance(30)
    assert world.events("trial") == {
        "FinalizerInited": 1,
        "Started": 1,
        "Applied": 1,
        "TimeUp": 1,
        "Recovered": 1,
        "Updated": 5,  # finalizer, desiredPhase twice, records twice
    }
    texts = {event["reason"]: event["message"] for event in world.twin.store.list("Event", "chaos-mesh")}
    assert texts["Applied"] == f"Successfully apply chaos for shop/{world.pod['metadata']['name']}"
    assert texts["TimeUp"] == "Time up according to the duration"


def test_an_experiment_without_an_end_forbids_the_next(world: World) -> None:
    world.schedule("NetworkChaos", "networkChaos", DELAY)
    world.twin.run_until(190)
    (only,) = world.children("NetworkChaos")
    assert only["status"]["experiment"]["desiredPhase"] == "Run"
    assert world.events("trial")["Spawned"] == 1
    assert world.events("trial")["Forbid"] == 2


def test_a_pause_recovers_and_starts_nothing_until_it_is_over(world: World) -> None:
    world.schedule("NetworkChaos", "networkChaos", DELAY)
    world.twin.run_until(65)
    ref = ObjectRef("Schedule", "trial", "chaos-mesh", API)
    pause = {"metadata": {"annotations": {"experiment.chaos-mesh.org/pause": "true"}}}
    world.twin.cluster.patch(ref, pause, "merge")
    world.twin.run_until(200)
    (child,) = world.children("NetworkChaos")
    assert child["status"]["experiment"]["desiredPhase"] == "Stop"
    assert conditions(child)["Paused"] == "True"
    resume = {"metadata": {"annotations": {"experiment.chaos-mesh.org/pause": "false"}}}
    world.twin.cluster.patch(ref, resume, "merge")
    world.twin.advance(3)
    (child,) = world.children("NetworkChaos")
    assert child["status"]["experiment"]["desiredPhase"] == "Run"


def test_experiments_go_with_their_schedule_and_leave_nothing(world: World) -> None:
    world.schedule("PodChaos", "podChaos", {"action": "pod-failure"})
    before = world.pod["spec"]["containers"][0]["image"]
    world.twin.run_until(75)
    assert world.pod["spec"]["containers"][0]["image"] == PAUSE_IMAGE
    world.twin.cluster.delete(ObjectRef("Schedule", "trial", "chaos-mesh", API))
    world.twin.advance(10)
    assert world.children("PodChaos") == world.children("Schedule") == []
    assert world.pod["spec"]["containers"][0]["image"] == before
    assert not world.pod["metadata"].get("annotations")


def test_pod_failure_replaces_the_program_in_place(world: World) -> None:
    name = world.pod["metadata"]["name"]
    world.create("PodChaos", {**selector(), "action": "pod-failure", "duration": "60s"})
    world.twin.advance(20)
    (status,) = world.pod["status"]["containerStatuses"]
    assert world.pod["metadata"]["name"] == name
    assert (status["image"], status["restartCount"], status["ready"]) == (PAUSE_IMAGE, 1, True)
    killing = [event["message"] for event in world.twin.store.list("Event", "shop") if event["reason"] == "Killing"]
    assert killing == ["Container web definition changed, will be restarted"]
    world.twin.advance(60)
    (status,) = world.pod["status"]["containerStatuses"]
    assert (status["image"], status["restartCount"]) == (IMAGE, 2)


def test_pod_kill_and_container_kill(world: World) -> None:
    name = world.pod["metadata"]["name"]
    world.create("PodChaos", {**selector(), "action": "container-kill", "containerNames": ["web"]}, "one")
    world.twin.advance(10)
    assert (world.pod["metadata"]["name"], world.restarts) == (name, 1)
    world.create("PodChaos", {**selector(), "action": "pod-kill"}, "two")
    world.twin.advance(10)
    assert world.pod["metadata"]["name"] != name


def test_memory_beyond_the_limit_is_an_oom_kill_and_a_crash_loop(world: World) -> None:
    stress = {"stressors": {"memory": {"workers": 4, "size": "100%"}}, "duration": "55s"}
    world.schedule("StressChaos", "stressChaos", stress)
    world.twin.run_until(70)
    (status,) = world.pod["status"]["containerStatuses"]
    assert status["lastState"]["terminated"]["reason"] == "OOMKilled"
    # The running experiment does not come back to the new container; the next one does.
    assert world.restarts == 1
    world.twin.run_until(119)
    assert world.restarts == 1
    world.twin.run_until(400)
    assert world.restarts >= 4
    assert world.events()["BackOff"] > 0


def test_memory_that_fits_kills_nothing(world: World) -> None:
    world.create("StressChaos", {**selector(), "stressors": {"memory": {"workers": 2, "size": "8MB"}}})
    world.twin.advance(60)
    assert world.restarts == 0


def test_without_a_limit_the_node_is_the_limit(world: World) -> None:
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "web", "resources": {"limits": {"memory": None}}}]}}}}
    world.twin.cluster.patch(ObjectRef.parse("deployment/web", "shop"), patch)
    world.twin.advance(60)
    world.create("StressChaos", {**selector(), "stressors": {"memory": {"workers": 1, "size": "50%"}}}, "half")
    world.twin.advance(60)
    assert world.restarts == 0
    world.create("StressChaos", {**selector(), "stressors": {"memory": {"workers": 10, "size": "85%"}}}, "all")
    world.twin.advance(60)
    assert world.restarts == 1


def test_a_selector_that_finds_nothing_says_so(world: World) -> None:
    world.create("NetworkChaos", {"selector": {"namespaces": ["nowhere"]}, "mode": "all", **DELAY})
    world.twin.advance(5)
    found = world.get("NetworkChaos")
    assert conditions(found)["Selected"] == "False"
    assert world.events("trial")["Failed"] >= 1


def test_each_worker_takes_the_size() -> None:
    body = {
        "kind": "StressChaos",
        "metadata": {"name": "x"},
        "spec": {"stressors": {"memory": {"workers": 4, "size": "25%"}}},
    }
    assert memory_stress(body, 8e9) == pytest.approx(8e9)


@pytest.mark.parametrize("text", ["@every x", "@every 0s", "* *"])
def test_what_is_no_timetable_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_timetable(text)
