"""Whether an application serves, from its objects."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from itbench.cluster.memory import MemoryCluster
from itbench.cluster.protocol import KubeObject
from itbench.cluster.reference import ObjectRef
from itbench.environments.kind.health import Health, Look, NoLevels, watched_until
from itbench.twin.app.application import Application
from itbench.twin.app.load import load_application

NAMESPACE = "book-info"


@pytest.fixture
def application() -> Application:
    return load_application("book-info")


@pytest.fixture
def cluster(application: Application) -> MemoryCluster:
    """The application with everything ready, as controllers would have it."""
    from itbench.twin.app.objects import manifests

    found = MemoryCluster(lambda: datetime(2026, 1, 1, tzinfo=UTC))
    for manifest in manifests(application):
        found.create(manifest)
        if manifest["kind"] == "Deployment":
            _run(found, manifest)
    return found


def _run(cluster: MemoryCluster, deployment: KubeObject) -> None:
    spec, name = deployment["spec"], deployment["metadata"]["name"]
    ref = ObjectRef.of(deployment)
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": f"{name}-1", "uid": f"uid-{name}", "controller": True}
    for number in range(spec["replicas"]):
        metadata = {"name": f"{name}-1-{number}", "namespace": NAMESPACE, "ownerReferences": [owner]}
        metadata["labels"] = spec["template"]["metadata"]["labels"]
        pod = ObjectRef.of(
            cluster.create({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec["template"]["spec"]})
        )
        ready = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
        cluster.patch(pod, {"status": ready}, "merge", subresource="status")
    cluster.patch(ref, {"status": {"readyReplicas": spec["replicas"]}}, "merge", subresource="status")


def _deployment(name: str) -> ObjectRef:
    return ObjectRef("Deployment", name, NAMESPACE)


def test_an_application_with_all_pods_ready_is_well(cluster: MemoryCluster, application: Application) -> None:
    assert Health(cluster, application, NoLevels()).look().words == []


def test_a_deleted_workload_is_not_well_though_nothing_complains(cluster: MemoryCluster, application: Application) -> None:
    cluster.delete(_deployment("ratings-v1"))
    look = Health(cluster, application, NoLevels()).look()
    assert [str(ref) for ref in look.missing] == ["deployment/ratings-v1"]
    assert not look.well


def test_a_workload_scaled_to_nothing_is_not_well(cluster: MemoryCluster, application: Application) -> None:
    cluster.scale(_deployment("ratings-v1"), 0)
    assert "deployment ratings-v1 is scaled to 0" in Health(cluster, application, NoLevels()).look().wrong


def test_a_service_that_selects_nothing_is_not_well(cluster: MemoryCluster, application: Application) -> None:
    cluster.patch(ObjectRef("Service", "ratings", NAMESPACE), {"spec": {"selector": {"app": "stars"}}}, "merge")
    assert Health(cluster, application, NoLevels()).look().words == ["service ratings leads to no ready pod"]


def test_a_service_that_leads_to_an_undeclared_port_is_not_well(cluster: MemoryCluster, application: Application) -> None:
    ports = [{"name": "http", "port": 9080, "targetPort": 9999}]
    cluster.patch(ObjectRef("Service", "ratings", NAMESPACE), {"spec": {"ports": ports}}, "merge")
    (words,) = Health(cluster, application, NoLevels()).look().words
    assert words == "service ratings leads to port 9999, which its pods do not declare"


def test_a_pod_that_waits_is_told_with_its_reason(cluster: MemoryCluster, application: Application) -> None:
    waiting = [{"name": "c", "image": "x", "imageID": "", "ready": False, "restartCount": 0}]
    waiting[0] = {**waiting[0], "state": {"waiting": {"reason": "ImagePullBackOff"}}}
    status: dict[str, Any] = {"conditions": [{"type": "Ready", "status": "False"}], "containerStatuses": waiting}
    cluster.patch(ObjectRef("Pod", "ratings-v1-1-0", NAMESPACE), {"status": status}, "merge", subresource="status")
    assert "a pod of ratings-v1-1 waits: ImagePullBackOff" in Health(cluster, application, NoLevels()).look().wrong


def test_failing_requests_alone_are_not_well(cluster: MemoryCluster, application: Application) -> None:
    class Failing:
        def problems(self) -> list[str]:
            return ["2 of 3 requests fail"]

    assert Health(cluster, application, Failing()).look().words == ["2 of 3 requests fail"]


def _sequence(*words: str) -> Callable[[], Look]:
    """Looks a second apart that say these words; the last for ever."""
    count = 0

    def look() -> Look:
        nonlocal count
        count += 1
        return Look(float(count), tuple(filter(None, [words[min(count, len(words)) - 1]])))

    return look


def test_only_a_whole_window_without_complaint_counts() -> None:
    looks, well = watched_until(_sequence("bad", "", "bad", "", "", ""), 60, 2.0, 0.0)
    assert well
    assert [look.well for look in looks] == [False, True, False, True, True, True]


def test_waiting_ends_when_time_is_up() -> None:
    looks, well = watched_until(_sequence("bad"), 0.0, 2.0, 0.0)
    assert (len(looks), well) == (1, False)


def test_an_incident_shows_when_it_is_seen_for_a_whole_window() -> None:
    looks, shown = watched_until(_sequence("", "bad", "", "bad", "bad", "bad"), 60, 2.0, 0.0, well=False)
    assert shown
    assert len(looks) == 6
