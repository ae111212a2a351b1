from __future__ import annotations

import inspect
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

import pytest

from itbench.cluster.locked import LockedCluster
from itbench.cluster.memory import MemoryCluster
from itbench.cluster.protocol import Cluster
from itbench.cluster.reference import ObjectRef
from itbench.model.errors import NotFoundError


class CountingLock:
    """A lock that is never contended, and counts."""

    def __init__(self) -> None:
        self.taken = self.held = 0

    def __enter__(self) -> None:
        self.taken += 1
        self.held += 1

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.held -= 1


REF = ObjectRef.parse("configmap/a", "default")
CALLS: dict[str, tuple[Any, ...]] = {
    "get": (REF,),
    "list": ("ConfigMap",),
    "create": ({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "b", "namespace": "default"}},),
    "apply": ({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "default"}},),
    "patch": (REF, {"data": {"x": "2"}}, "merge"),
    "replace": ({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "default"}},),
    "delete": (REF,),
    "evict": (ObjectRef.parse("pod/none", "default"),),
    "bind": (ObjectRef.parse("pod/none", "default"), "node-1"),
    "watch": ("ConfigMap",),
    "scale": (ObjectRef.parse("deployment/none", "default"), 1),
    "restart": (ObjectRef.parse("deployment/none", "default"),),
    "rollout_undo": (ObjectRef.parse("deployment/none", "default"),),
    "logs": (ObjectRef.parse("pod/none", "default"),),
    "events": ("default",),
}


def clusters() -> tuple[MemoryCluster, LockedCluster, CountingLock]:
    plain, lock = MemoryCluster(lambda: datetime(2026, 1, 1, tzinfo=UTC)), CountingLock()
    plain.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "default"}})
    return plain, LockedCluster(plain, lock), lock


def test_every_verb_of_a_cluster_is_called_here() -> None:
    verbs = {name for name, _ in inspect.getmembers(Cluster, inspect.isfunction) if not name.startswith("_")}
    assert verbs - {"acting_as"} == set(CALLS)


@pytest.mark.parametrize("verb", CALLS)
def test_each_verb_holds_the_lock_once_and_does_what_the_cluster_does(verb: str) -> None:
    plain, locked, lock = clusters()
    twin = clusters()[0]
    outcomes = []
    for cluster in (twin, locked):
        try:
            outcomes.append(getattr(cluster, verb)(*CALLS[verb]))
        except NotFoundError as error:
            outcomes.append(str(error))
    assert (lock.taken, lock.held) == (1, 0)
    if verb != "watch":
        assert outcomes[0] == outcomes[1]
    assert [obj["metadata"]["name"] for obj in plain.list("ConfigMap")] == [
        obj["metadata"]["name"] for obj in twin.list("ConfigMap")
    ]


def test_a_watch_polls_and_closes_under_the_lock_and_clients_keep_their_names() -> None:
    _, locked, lock = clusters()
    with locked.watch("ConfigMap") as watch:
        assert [event.type for event in watch.poll()] == ["ADDED"]
        locked.acting_as("kubectl").patch(REF, {"data": {"x": "1"}}, "merge")
        (event,) = watch.poll()
    assert {entry["manager"] for entry in event.object["metadata"]["managedFields"]} >= {"kubectl"}
    assert (lock.taken, lock.held) == (5, 0)
