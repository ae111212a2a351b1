"""A cluster in this process whose use is noted, as an API server's audit log would."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Self

from itbench.cluster.kinds import kind_named
from itbench.cluster.locked import LockedCluster
from itbench.cluster.protocol import Cluster, KubeObject, PatchType, Propagation, Subresource
from itbench.cluster.reference import ObjectRef
from itbench.cluster.selectors import Selector
from itbench.model.errors import ClusterError
from itbench.model.safety import Deed


class NotedCluster(LockedCluster):
    """A locked cluster that notes every request.

    Args:
        cluster: what does the work.
        lock: as `LockedCluster`.
        note: is told.
        now: seconds since the system was handed over.
    """

    def __init__(
        self, cluster: Cluster, lock: AbstractContextManager[Any], note: Callable[[Deed], None], now: Callable[[], float]
    ) -> None:
        super().__init__(cluster, lock)
        self._note = note
        self._now = now

    def acting_as(self, manager: str) -> Self:
        """The same cluster, for a client of this name."""
        return type(self)(self._cluster.acting_as(manager), self._lock, self._note, self._now)

    def get(self, ref: ObjectRef) -> KubeObject:
        """The object."""
        return self._noted("get", ref, lambda: super(NotedCluster, self).get(ref))

    def list(self, kind: str, namespace: str | None = None, selector: Selector | str | None = None) -> Sequence[KubeObject]:
        """The objects of a kind."""
        self._note(Deed(seconds=self._now(), verb="list", kind=kind_named(kind).name, namespace=namespace or ""))
        return super().list(kind, namespace, selector)

    def create(self, obj: Mapping[str, Any]) -> KubeObject:
        """Add an object."""
        return self._noted("create", ObjectRef.of(obj), lambda: super(NotedCluster, self).create(obj))

    def apply(self, obj: Mapping[str, Any]) -> KubeObject:
        """Create or change an object."""
        return self._noted("patch", ObjectRef.of(obj), lambda: super(NotedCluster, self).apply(obj))

    def patch(
        self,
        ref: ObjectRef,
        patch: Mapping[str, Any] | Sequence[Mapping[str, Any]],
        type: PatchType = "strategic",  # noqa: A002  the API's own word for it
        *,
        subresource: Subresource | None = None,
    ) -> KubeObject:
        """Change parts of an object."""
        return self._noted(
            "patch",
            ref,
            lambda: super(NotedCluster, self).patch(ref, patch, type, subresource=subresource),
            subresource or "",
        )

    def replace(self, obj: Mapping[str, Any], *, subresource: Subresource | None = None) -> KubeObject:
        """Replace an object."""
        return self._noted(
            "update",
            ObjectRef.of(obj),
            lambda: super(NotedCluster, self).replace(obj, subresource=subresource),
            subresource or "",
        )

    def delete(self, ref: ObjectRef, grace_seconds: int | None = None, propagation: Propagation = "background") -> None:
        """Delete an object."""
        self._noted("delete", ref, lambda: super(NotedCluster, self).delete(ref, grace_seconds, propagation) or {})

    def evict(self, ref: ObjectRef, grace_seconds: int | None = None) -> None:
        """Delete a pod unless a disruption budget forbids it."""
        self._noted("create", ref, lambda: super(NotedCluster, self).evict(ref, grace_seconds) or {}, "eviction")

    def scale(self, ref: ObjectRef, replicas: int) -> KubeObject:
        """Set the number of replicas of a workload."""
        return self._noted("patch", ref, lambda: super(NotedCluster, self).scale(ref, replicas))

    def restart(self, ref: ObjectRef) -> KubeObject:
        """Roll a workload's pods anew."""
        return self._noted("patch", ref, lambda: super(NotedCluster, self).restart(ref))

    def rollout_undo(self, ref: ObjectRef) -> KubeObject:
        """Go back to a workload's previous revision."""
        return self._noted("patch", ref, lambda: super(NotedCluster, self).rollout_undo(ref))

    def _noted(self, verb: str, ref: ObjectRef, deed: Callable[[], KubeObject], subresource: str = "") -> KubeObject:
        said = Deed(
            seconds=self._now(),
            verb=verb,
            kind=kind_named(ref.kind, ref.api_version).name,
            namespace=ref.namespace or "",
            name=ref.name,
            subresource=subresource,
        )
        try:
            after = deed()
        except ClusterError:
            self._note(said.model_copy(update={"code": 403}))
            raise
        self._note(said.model_copy(update={"after": after or None}))
        return after
