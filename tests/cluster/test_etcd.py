"""The store of a control plane, and where objects lie in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from itbench.cluster.etcd import Etcd
from itbench.cluster.kinds import KINDS
from itbench.cluster.reference import ObjectRef
from itbench.cluster.registry_keys import object_at, registry_key
from itbench.cluster.server import ServerCluster

POD = ObjectRef.parse("pod/straight", "default")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.qualified_name)
def test_keys_can_be_read_back(kind: object) -> None:
    assert isinstance(kind, type(KINDS[0]))
    namespace = "shop" if kind.namespaced else ""
    assert object_at(registry_key(kind, namespace, "web")) == (kind, namespace, "web")


def test_keys_of_other_things_are_none() -> None:
    assert object_at("/registry/ipaddresses/10.96.0.1") is None
    assert object_at("/registry/pods/shop") is None


@pytest.fixture
def store(kubeconfig: Path) -> Iterator[Etcd]:
    found = Etcd(kubeconfig.parent / "client:0")
    yield found
    found.close()


@pytest.mark.integration
def test_a_key_is_changed_only_by_who_knows_its_last_revision(store: Etcd) -> None:
    made = store.swap("/test/a", b"1", 0)
    assert made is not None
    assert store.swap("/test/a", b"2", 0) is None
    changed = store.swap("/test/a", b"2", made)
    assert changed is not None
    assert store.swap("/test/a", None, made) is None
    assert store.swap("/test/a", None, changed) is not None


@pytest.mark.integration
def test_changes_are_told_in_order_until_the_stream_is_closed(store: Etcd) -> None:
    begin = store.put([("/told/a", b"1"), ("/told/b", b"2")])["/told/a"]
    store.swap("/told/b", None, begin)
    stream = store.follow("/told/", begin)
    found = []
    for change in stream:
        found.append((change.key, change.value))
        if len(found) == 3:
            stream.close()
    assert sorted(found[:2]) == [("/told/a", b"1"), ("/told/b", b"2")]
    assert found[2] == ("/told/b", None)


@pytest.mark.integration
def test_an_object_put_into_the_store_is_served_as_it_is(store: Etcd, server: ServerCluster) -> None:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "straight",
            "namespace": "default",
            "uid": "6b2d1c1e-0000-4000-8000-000000000001",
            "creationTimestamp": "2026-01-01T00:00:00Z",
        },
        "spec": {"containers": [{"name": "a", "image": "a"}]},
        "status": {"phase": "Running"},
    }
    revision = store.put([("/registry/pods/default/straight", json.dumps(pod).encode())])["/registry/pods/default/straight"]
    found = server.get(POD)
    assert found["metadata"]["uid"] == pod["metadata"]["uid"]  # type: ignore[index]
    assert found["metadata"]["creationTimestamp"] == "2026-01-01T00:00:00Z"
    assert found["metadata"]["resourceVersion"] == str(revision)
    assert found["status"]["phase"] == "Running"
    store.swap("/registry/pods/default/straight", None, revision)
