"""A cluster that several threads may use: one call at a time, and none while something else holds the lock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Self

from itbench.cluster.protocol import Cluster, KubeObject, PatchType, Propagation, Subresource, Watch, WatchEvent
from itbench.cluster.reference import ObjectRef
from itbench.cluster.selectors import Selector


class LockedCluster:
    """Another cluster's verbs, each under a lock; see `itbench.cluster.protocol.Cluster`.

    Args:
        cluster: what does the work.
        lock: re-entrant; taken for each call. Whoever changes the cluster by other ways must hold it meanwhile.
    """

    def __init__(self, cluster: Cluster, lock: AbstractContextManager[Any]) -> None:
        self._cluster = cluster
        self._lock = lock

    def acting_as(self, manager: str) -> Self:
        """The same cluster, for a client of this name."""
        return type(self)(self._cluster.acting_as(manager), self._lock)

    def get(self, ref: ObjectRef) -> KubeObject:
        """The object."""
        with self._lock:
            return self._cluster.get(ref)

    def list(self, kind: str, namespace: str | None = None, selector: Selector | str | None = None) -> Sequence[KubeObject]:
        """The objects of a kind."""
        with self._lock:
            return self._cluster.list(kind, namespace, selector)

    def create(self, obj: Mapping[str, Any]) -> KubeObject:
        """Add an object."""
        with self._lock:
            return self._cluster.create(obj)

    def apply(self, obj: Mapping[str, Any]) -> KubeObject:
        """Create or change an object."""
        with self._lock:
            return self._cluster.apply(obj)

    def patch(
        self,
        ref: ObjectRef,
        patch: Mapping[str, Any] | Sequence[Mapping[str, Any]],
        type: PatchType = "strategic",  # noqa: A002  the API's own word for it
        *,
        subresource: Subresource | None = None,
    ) -> KubeObject:
        """Change parts of an object."""
        with self._lock:
            return self._cluster.patch(ref, patch, type, subresource=subresource)

    def replace(self, obj: Mapping[str, Any], *, subresource: Subresource | None = None) -> KubeObject:
        """Replace an object."""
        with self._lock:
            return self._cluster.replace(obj, subresource=subresource)

    def delete(self, ref: ObjectRef, grace_seconds: int | None = None, propagation: Propagation = "background") -> None:
        """Delete an object."""
        with self._lock:
            self._cluster.delete(ref, grace_seconds, propagation)

    def evict(self, ref: ObjectRef, grace_seconds: int | None = None) -> None:
        """Delete a pod unless a disruption budget forbids it."""
        with self._lock:
            self._cluster.evict(ref, grace_seconds)

    def bind(self, ref: ObjectRef, node: str) -> None:
        """Give a pod to a node."""
        with self._lock:
            self._cluster.bind(ref, node)

    def watch(self, kind: str | None = None, namespace: str | None = None) -> LockedWatch:
        """Subscribe to changes."""
        with self._lock:
            return LockedWatch(self._cluster.watch(kind, namespace), self._lock)

    def scale(self, ref: ObjectRef, replicas: int) -> KubeObject:
        """Set the number of replicas of a workload."""
        with self._lock:
            return self._cluster.scale(ref, replicas)

    def restart(self, ref: ObjectRef) -> KubeObject:
        """Roll a workload's pods anew."""
        with self._lock:
            return self._cluster.restart(ref)

    def rollout_undo(self, ref: ObjectRef) -> KubeObject:
        """Go back to a workload's previous revision."""
        with self._lock:
            return self._cluster.rollout_undo(ref)

    def logs(self, ref: ObjectRef, container: str | None = None, tail: int | None = None, *, previous: bool = False) -> str:
        """What a pod's container printed."""
        with self._lock:
            return self._cluster.logs(ref, container, tail, previous=previous)

    def events(self, namespace: str | None, involved: ObjectRef | None = None) -> Sequence[KubeObject]:
        """The events in a namespace."""
        with self._lock:
            return self._cluster.events(namespace, involved)


class LockedWatch:
    """A watch whose calls take the lock of its cluster."""

    def __init__(self, watch: Watch, lock: AbstractContextManager[Any]) -> None:
        self._watch = watch
        self._lock = lock

    def poll(self, timeout: float = 0.0) -> list[WatchEvent]:
        """The events since the last call, in order."""
        with self._lock:
            return self._watch.poll(timeout)

    def close(self) -> None:
        """End the subscription."""
        with self._lock:
            self._watch.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
