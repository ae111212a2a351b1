"""A recorded folder answers kubectl's and Prometheus's questions as the cluster did at a time."""

from __future__ import annotations

import json
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from itbench.cluster.kube_assets import kube_asset
from itbench.cluster.protocol import KubeObject
from itbench.cluster.reference import ObjectRef
from itbench.cluster.server import ServerCluster
from itbench.environments.live.keeper import Doors
from itbench.environments.live.prometheus import find_prometheus
from itbench.environments.live.recorded_metrics import alerts_at
from itbench.environments.live.recorded_state import recorded_items
from itbench.environments.live.replay import replayed
from itbench.model.entity import Entity
from itbench.model.errors import ClusterError, ForbiddenError, UsageError
from itbench.snapshot.records import Alert, Event, LogRecord, ObjectVersion, Series
from itbench.snapshot.snapshot import open_snapshot
from itbench.snapshot.writer import SnapshotWriter

BEGIN = datetime(2026, 3, 1, 10, tzinfo=UTC)
UID = "6f9f8a52-6f4c-4a5e-8d3e-0f6c0f2f1a11"


def minute(number: int) -> datetime:
    return BEGIN + timedelta(minutes=number)


def named(kind: str, name: str, **more: Any) -> KubeObject:
    version = "apps/v1" if kind == "Deployment" else "v1"
    metadata = {"name": name, "namespace": "shop", "creationTimestamp": "2026-02-01T00:00:00Z", "resourceVersion": "7"}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **more}


def deployment(replicas: object) -> KubeObject:
    labels = {"app": "cart"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "cart", "image": "cart:1"}]}}
    made = named(
        "Deployment", "cart", spec={"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    )
    made["metadata"]["uid"] = UID
    return made


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five dumps; cart goes from 1 replica to 0 in the third, and a pod is gone from then on."""
    found = tmp_path_factory.mktemp("snapshot")
    writer = SnapshotWriter(found)
    pod = named("Pod", "cart-0", spec={"containers": [{"name": "cart", "image": "cart:1"}], "nodeName": "node-1"})
    broken = named("Service", "broken", spec={"ports": "eighty"})
    service = named("Service", "cart", spec={"clusterIP": "10.96.7.7", "ports": [{"port": 80}]})
    secret = named("Secret", "vault", data={"password": "[redacted]"})
    strange = {"apiVersion": "example.com/v1", "kind": "Strange", "metadata": {"name": "it", "namespace": "shop"}}
    versions = []
    for number in range(5):
        objects = [deployment(1 if number < 2 else 0), broken, service, secret, strange, *([pod] if number < 2 else [])]
        versions += [ObjectVersion(minute(number), obj) for obj in objects]
    writer.write_objects(versions)
    scaled = Entity(namespace="shop", kind="Deployment", name="cart")
    writer.write_events([Event(minute(2), scaled, "ScalingReplicaSet", "Scaled down to 0")])
    points = tuple((minute(number), 1.0 if number < 2 else 0.0) for number in range(5))
    writer.write_metrics([Series("kube_deployment_spec_replicas", "service", "cart", {"namespace": "shop"}, points)])
    labels = {"alertname": "Down", "namespace": "shop"}
    writer.write_alerts([Alert(minute(3), labels)], [minute(number) for number in range(5)])
    resource = {"k8s.namespace.name": "shop", "k8s.pod.name": "cart-0", "k8s.container.name": "cart"}
    writer.write_logs(
        [LogRecord(minute(number), f"line {number}", "cart", "INFO", 9, resource=resource) for number in (0, 1)]
    )
    return found


def names(folder: Path, at: datetime) -> set[str]:
    with open_snapshot(folder) as snapshot:
        items, unknown = recorded_items(snapshot, at, 1)
    assert unknown == ["shop/Strange/it"]
    return {f"{item.kind.name}/{item.object['metadata']['name']}" for item in items if item.kind.name != "Event"}


def test_what_dumps_no_longer_list_is_not_there_any_more(folder: Path) -> None:
    always = {"Namespace/shop", "Deployment/cart", "Service/broken", "Service/cart", "Secret/vault"}
    assert names(folder, minute(1)) == always | {"Pod/cart-0"}
    assert names(folder, minute(4)) == always


def test_alerts_are_those_of_the_last_look(folder: Path) -> None:
    with open_snapshot(folder) as snapshot:
        found = [[alert.name for alert in alerts_at(snapshot, minute(number))] for number in (2, 3, 4, 9)]
    assert found[0] == []
    assert found[1] == ["Down"]
    assert found[3] == []


@pytest.mark.parametrize(("at", "said"), [("yesterday", "not a time"), ("2020-01-01", "no object had been recorded")])
def test_a_time_at_which_there_is_nothing_is_refused(folder: Path, at: str, said: str) -> None:
    with pytest.raises(UsageError, match=said), replayed(folder, at, lambda *_, **__: None):
        pass


@pytest.fixture(scope="module")
def doors(folder: Path) -> Iterator[Doors]:
    try:
        for program in ("etcd", "kube-apiserver"):
            kube_asset(program)
    except ClusterError as error:
        pytest.skip(str(error))
    with replayed(folder, "2026-03-01T10:01:30Z", lambda *_, **__: None) as found:
        yield found


@pytest.fixture(scope="module")
def cluster(doors: Doors, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerCluster]:
    assert doors.kubeconfig is not None
    path = tmp_path_factory.mktemp("user") / "kubeconfig"
    path.write_text(doors.kubeconfig)
    with ServerCluster.connect(path) as found:
        yield found


@pytest.mark.integration
def test_an_api_server_has_the_objects_of_the_time_with_their_uids_and_times(cluster: ServerCluster) -> None:
    found = cluster.get(ObjectRef.parse("deploy/cart", "shop"))
    assert found["spec"]["replicas"] == 1
    assert (found["metadata"]["uid"], found["metadata"]["creationTimestamp"]) == (UID, "2026-02-01T00:00:00Z")
    assert [pod["metadata"]["name"] for pod in cluster.list("pods")] == ["cart-0"]


@pytest.mark.integration
def test_an_object_that_is_none_does_not_take_its_kind_with_it(cluster: ServerCluster, doors: Doors) -> None:
    assert [found["metadata"]["name"] for found in cluster.list("services", "shop")] == ["cart"]
    assert "not taken: shop/Service/broken" in doors.named["objects"]


@pytest.mark.integration
def test_events_are_those_that_had_happened(cluster: ServerCluster) -> None:
    time.sleep(1)  # the API server would have complained by now
    assert list(cluster.list("events")) == []


@pytest.mark.integration
def test_nothing_can_be_changed_and_no_secret_be_read(cluster: ServerCluster) -> None:
    with pytest.raises(ForbiddenError):
        cluster.scale(ObjectRef.parse("deploy/cart", "shop"), 3)
    with pytest.raises(ForbiddenError):
        cluster.list("secrets", "shop")


@pytest.mark.integration
def test_prometheus_answers_for_the_time_and_has_nothing_later(doors: Doors) -> None:
    if find_prometheus() is None:
        pytest.skip("there is no Prometheus: make prometheus")

    def ask(path: str, **values: str) -> Any:
        url = f"{doors.named['prometheus']}/api/v1/{path}?{urllib.parse.urlencode(values)}"
        with urllib.request.urlopen(url, timeout=30) as answer:
            return json.load(answer)["data"]

    (found,) = ask("query", query="kube_deployment_spec_replicas")["result"]
    assert found["metric"]["service_name"] == "cart"
    assert found["value"] == [minute(1).timestamp() + 30, "1"]
    (series,) = ask("query", query="kube_deployment_spec_replicas[1h]", time=str(minute(30).timestamp()))["result"]
    assert [value for _, value in series["values"]] == ["1", "1"]
    assert ask("alerts")["alerts"] == []
