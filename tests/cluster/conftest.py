"""Both clusters: one in memory, one behind a real API server that the tests start themselves."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from itbench.cluster.kinds import kind_named
from itbench.cluster.memory import MemoryCluster
from itbench.cluster.protocol import Cluster, KubeObject
from itbench.cluster.reference import ObjectRef

START = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)


@pytest.fixture
def memory() -> MemoryCluster:
    """A cluster in memory whose time stands still."""
    return MemoryCluster(lambda: START)


@pytest.fixture(params=["memory", pytest.param("server", marks=pytest.mark.integration)])
def cluster(request: pytest.FixtureRequest) -> Cluster:
    """Either cluster: what is promised of one is promised of both."""
    found: Cluster = request.getfixturevalue(request.param)
    return found


_numbers = itertools.count()


@pytest.fixture
def namespace() -> str:
    """The name of a namespace that no other test has; `home` makes it."""
    return f"test-{next(_numbers)}"


@pytest.fixture
def home(cluster: Cluster, namespace: str, make: Manifests) -> str:
    """A namespace of the test's own in the cluster."""
    cluster.create(make.named("Namespace", namespace))
    return namespace


class Manifests:
    """Manifests to begin with."""

    def named(self, kind: str, name: str = "web", namespace: str | None = None, **fields: Any) -> KubeObject:
        """Any object; what is given as `metadata` comes on top."""
        known = kind_named(kind)
        metadata = {"name": name, **({"namespace": namespace} if namespace else {}), **fields.pop("metadata", {})}
        return {"apiVersion": known.api_version, "kind": known.name, "metadata": metadata, **fields}

    def template(self, **spec: Any) -> KubeObject:
        """A pod template with one container."""
        ports, env = [{"containerPort": 8080}], [{"name": "A", "value": "1"}]
        container = {"name": "web", "image": "shop/web:1", "ports": ports, "env": env}
        return {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container], **spec}}

    def pod(self, namespace: str, name: str = "web", **spec: Any) -> KubeObject:
        """A pod of that template."""
        pods = self.template(**spec)
        return self.named("Pod", name, namespace, metadata=pods["metadata"], spec=pods["spec"])

    def deployment(self, namespace: str, name: str = "web", **spec: Any) -> KubeObject:
        """A deployment of two such pods."""
        whole = {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": self.template(), **spec}
        return self.named("Deployment", name, namespace, spec=whole)


@pytest.fixture(scope="session")
def make() -> Manifests:
    """Manifests to begin with."""
    return Manifests()


@pytest.fixture
def ref(namespace: str) -> Callable[[str], ObjectRef]:
    """References to objects of the test's namespace."""
    return lambda text: ObjectRef.parse(text, namespace)
