"""Two clusters with a small application in them: one in memory, one behind a real API server."""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from itbench.cluster.memory import MemoryCluster
from itbench.cluster.protocol import Cluster, KubeObject
from itbench.cluster.reference import ObjectRef
from itbench.faults.fields import own_part
from itbench.model.errors import ClusterError

START = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)
NODES = ("worker-1", "worker-2")
FLAGS = {
    "$schema": "https://flagd.dev/schema/v0/flags.json",
    "flags": {
        name: {"state": "ENABLED", "variants": {"on": True, "off": False}, "defaultVariant": "off"}
        for name in ("cartFailure", "adFailure")
    },
}
KINDS = (
    *("Deployment", "StatefulSet", "DaemonSet", "Service", "ConfigMap", "Secret", "HorizontalPodAutoscaler"),
    *("NetworkPolicy", "ResourceQuota", "PersistentVolumeClaim", "ServiceAccount", "Schedule"),
    *("PeerAuthentication", "AuthorizationPolicy", "gateways.gateway.networking.k8s.io"),
)
CLUSTER_KINDS = ("Namespace", "Node", "PriorityClass", "ClusterRole", "ClusterRoleBinding", "StorageClass")
_numbers = itertools.count()


class StillPacer:
    """Time does not pass: a condition holds now, or it does not."""

    def sleep(self, seconds: float) -> None:
        """Nothing."""

    def until(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Look once."""
        return condition()


@pytest.fixture
def pacer() -> StillPacer:
    """Clusters without controllers have nothing to wait for."""
    return StillPacer()


@pytest.fixture
def memory() -> MemoryCluster:
    """A cluster in memory whose time stands still."""
    return MemoryCluster(lambda: START)


@pytest.fixture(params=["memory", pytest.param("server", marks=pytest.mark.integration)])
def cluster(request: pytest.FixtureRequest) -> Cluster:
    """Either cluster."""
    found: Cluster = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def shop(cluster: Cluster) -> Iterator[str]:
    """The namespace of an application, in a cluster with two workers."""
    namespace = f"shop-{next(_numbers)}"
    for obj in (*nodes(), *application(namespace)):
        cluster.create(obj)
    for name in NODES:  # the API server taints what has just come
        cluster.patch(ObjectRef("Node", name), {"spec": {"taints": None}}, "merge")
    yield namespace
    for name in NODES:
        cluster.delete(ObjectRef("Node", name))


def nodes() -> Iterator[KubeObject]:
    """Two workers."""
    for name in NODES:
        labels = {"kubernetes.io/hostname": name, "kubernetes.io/arch": "amd64"}
        room = {"cpu": "4", "memory": "8Gi", "pods": "110"}
        yield {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": name, "labels": labels},
            "status": {"allocatable": room, "capacity": room},
        }


def named(api_version: str, kind: str, name: str, namespace: str | None, **fields: Any) -> KubeObject:
    """An object."""
    metadata: KubeObject = {"name": name, **({"namespace": namespace} if namespace else {})}
    metadata.update(fields.pop("metadata", {}))
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields}


def workload(kind: str, name: str, namespace: str, **spec: Any) -> KubeObject:
    """A workload with a server and a proxy beside it."""
    labels = {"app.kubernetes.io/name": name}
    server = {
        "name": name,
        "image": f"registry.example.org/shop/{name}:1.4.2",
        "ports": [{"name": "http", "containerPort": 8080}],
        "env": [{"name": "CART_ADDR", "value": "cart:8080"}, {"name": "PORT", "value": "8080"}],
        "resources": {"requests": {"cpu": "100m"}, "limits": {"cpu": "200m", "memory": "64Mi"}},
    }
    proxy = {"name": "proxy", "image": "registry.example.org/envoy:1"}
    pods = {"metadata": {"labels": labels}, "spec": {"containers": [server, proxy]}}
    more = {"serviceName": name} if kind == "StatefulSet" else {}
    whole = {"replicas": 2, "selector": {"matchLabels": labels}, "template": pods, **more, **spec}
    return named("apps/v1", kind, name, namespace, spec=whole, metadata={"labels": labels})


def application(namespace: str) -> Iterator[KubeObject]:
    """The objects of an application."""
    yield named("v1", "Namespace", namespace, None, metadata={"labels": {"istio.io/dataplane-mode": "ambient"}})
    yield workload("Deployment", "web", namespace)
    yield workload("StatefulSet", "db", namespace)
    valkey = workload("Deployment", "valkey-cart", namespace)
    container = {
        "name": "valkey-cart",
        "image": "docker.io/valkey/valkey:9.0.0",
        "resources": {"limits": {"memory": "20Mi"}},
    }
    valkey["spec"]["template"]["spec"]["containers"] = [container]
    yield valkey
    ports = [{"name": "http", "port": 80, "targetPort": 8080}, {"name": "admin", "port": 81, "targetPort": 8081}]
    yield named("v1", "Service", "web", namespace, spec={"selector": {"app.kubernetes.io/name": "web"}, "ports": ports})
    data = {"demo.flagd.json": json.dumps(FLAGS, indent=2) + "\n", "other": "text"}
    yield named("v1", "ConfigMap", "flagd-config", namespace, data=data)
    secret = {key: base64.b64encode(text.encode()).decode() for key, text in (("user", "shop"), ("password", "x"))}
    yield named("v1", "Secret", "store", namespace, data=secret)
    metric = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}}
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    spec = {"scaleTargetRef": target, "minReplicas": 1, "maxReplicas": 10, "metrics": [metric]}
    yield named("autoscaling/v2", "HorizontalPodAutoscaler", "web-scaler", namespace, spec=spec)
    yield named("gateway.networking.k8s.io/v1", "Gateway", "front", namespace, spec={"gatewayClassName": "istio"})


def everything(cluster: Cluster, namespace: str) -> dict[str, KubeObject]:
    """What people wrote of all objects, to be compared."""
    found = [obj for kind in KINDS for obj in cluster.list(kind, namespace)]
    found += [obj for kind in CLUSTER_KINDS for obj in cluster.list(kind)]
    return {f"{obj['kind']}/{obj['metadata']['name']}": own_part(obj) for obj in found if not _is_leaving(obj)}


def _is_leaving(obj: KubeObject) -> bool:
    """A claim stays until a controller, which these clusters have not, lets it go."""
    return "deletionTimestamp" in obj["metadata"]


def is_gone(cluster: Cluster, ref: ObjectRef) -> bool:
    """Whether an object is not there."""
    try:
        cluster.get(ref)
    except ClusterError:
        return True
    return False
