"""What a trial has left of a cluster's objects, and bringing them back."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from itbench.cluster.memory import MemoryCluster
from itbench.cluster.reference import ObjectRef
from itbench.environments.kind.baseline import Baseline

SHOP = "shop"
WEB = ObjectRef("Deployment", "web", SHOP)
PLACE = ObjectRef("Service", "web", SHOP)


@pytest.fixture
def cluster() -> MemoryCluster:
    found = MemoryCluster(lambda: datetime(2026, 1, 1, tzinfo=UTC))
    found.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SHOP}})
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": "web:1"}]}}
    spec = {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    found.create(
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": SHOP}, "spec": spec}
    )
    ports = {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]}
    found.create({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": SHOP}, "spec": ports})
    return found


def test_nothing_is_left_where_nothing_was_changed(cluster: MemoryCluster) -> None:
    assert Baseline(cluster).left_over(cluster) == []


def test_changed_new_and_missing_objects_are_told(cluster: MemoryCluster) -> None:
    before = Baseline(cluster)
    cluster.scale(WEB, 5)
    cluster.delete(PLACE)
    cluster.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "mine", "namespace": SHOP}, "data": {}})
    assert before.left_over(cluster) == ["configmap/mine (new)", "deployment/web: spec.replicas", "service/web (gone)"]


def test_what_controllers_make_and_servers_keep_is_not_told(cluster: MemoryCluster) -> None:
    before = Baseline(cluster)
    uid = cluster.get(WEB)["metadata"]["uid"]
    owner = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": uid, "controller": True}
    metadata = {"name": "web-1", "namespace": SHOP, "labels": {"app": "web"}, "ownerReferences": [owner]}
    template = cluster.get(WEB)["spec"]["template"]
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    cluster.create({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": metadata, "spec": spec})
    cluster.patch(WEB, {"status": {"readyReplicas": 1}}, "merge", subresource="status")
    cluster.patch(WEB, {"metadata": {"annotations": {"deployment.kubernetes.io/revision": "7"}}}, "merge")
    assert before.left_over(cluster) == []


def test_everything_comes_back_as_it_was(cluster: MemoryCluster) -> None:
    before = Baseline(cluster)
    cluster.patch(WEB, {"spec": {"template": {"metadata": {"annotations": {"restarted": "now"}}}}}, "merge")
    cluster.patch(PLACE, {"spec": {"selector": {"app": "other"}}}, "merge")
    cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "elsewhere"}})
    before.restore(cluster)
    assert before.left_over(cluster) == []
    assert cluster.get(PLACE)["spec"]["selector"] == {"app": "web"}


def test_a_deleted_object_is_made_again(cluster: MemoryCluster) -> None:
    before = Baseline(cluster)
    cluster.delete(PLACE)
    before.restore(cluster)
    assert before.left_over(cluster) == []
