"""The objects of a cluster as people wrote them, to see what a trial has left of them.

Left out is what servers, controllers and kubelets make and change by themselves: status, what controllers own, events,
leases, addresses, and what every namespace is given.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import partial

from itbench.cluster.kinds import KINDS, Kind
from itbench.cluster.protocol import Cluster, KubeObject
from itbench.cluster.reference import ObjectRef
from itbench.environments.kind.operator import NAME, NAMESPACE
from itbench.faults.fields import FieldPath, differences, own_part, set_back, written
from itbench.faults.operation import edited
from itbench.model.errors import NotFoundError
from itbench.twin.objects import is_deleting

_DERIVED = frozenset(("Event", "Lease", "Endpoints", "EndpointSlice", "ControllerRevision", "CustomResourceDefinition"))
_ALLOCATED = frozenset({("spec", "clusterIP"), ("spec", "clusterIPs")})
# Kubelets and their controllers keep these of a node.
_KEPT_BY_NODES = (("metadata", "annotations"), ("metadata", "labels"), ("spec", "podCIDR"), ("spec", "podCIDRs"))
_GIVEN = frozenset({("ConfigMap", "kube-root-ca.crt"), ("ServiceAccount", "default")})


class Baseline:
    """What a cluster's objects were at some moment.

    Args:
        cluster: is read now.

    Attributes:
        kinds: that the cluster has, as far as they are compared.
    """

    def __init__(self, cluster: Cluster) -> None:
        self.kinds = tuple(kind for kind in KINDS if kind.name not in _DERIVED and _has(cluster, kind))
        self._before = {ObjectRef.of(obj): obj for obj in self._objects(cluster)}

    def left_over(self, cluster: Cluster) -> list[str]:
        """The fields, as `object: field`, in which the cluster differs now; empty if it is as it was."""
        now = {ObjectRef.of(obj): obj for obj in self._objects(cluster)}
        found = []
        for ref in sorted({*self._before, *now}, key=lambda ref: (str(ref), ref.namespace or "")):
            if ref not in now or ref not in self._before:
                found.append(f"{ref} ({'gone' if ref not in now else 'new'})")
                continue
            paths = [change.path for change in differences(self._before[ref], now[ref])]
            found += [f"{ref}: {written(path)}" for path in paths if not _is_kept(ref, path)]
        return found

    def restore(self, cluster: Cluster) -> None:
        """Set back what differs: what is new goes, what is gone comes again, what was changed is as before.

        Raises:
            ClusterError: the server refuses it.
        """
        now = {ObjectRef.of(obj): obj for obj in self._objects(cluster)}
        for ref in now.keys() - self._before.keys():
            with suppress(NotFoundError):  # it may have gone with another
                cluster.delete(ref)
        for ref, before in self._before.items():
            if ref not in now:
                cluster.create(own_part(before))
                continue
            paths = [change.path for change in differences(before, now[ref]) if not _is_kept(ref, change.path)]
            if paths:
                edited(cluster, ref, partial(_set_all_back, before=before, paths=paths))

    def _objects(self, cluster: Cluster) -> Iterator[KubeObject]:
        for kind in self.kinds:
            for obj in cluster.list(kind.qualified_plural):
                if not (is_deleting(obj) or _is_made_by_others(obj)):
                    yield obj


def _set_all_back(obj: KubeObject, before: KubeObject, paths: list[FieldPath]) -> None:
    for path in paths:
        set_back(obj, before, path)


def _is_kept(ref: ObjectRef, path: FieldPath) -> bool:
    """Whether servers or nodes keep a field."""
    return path in _ALLOCATED or (ref.kind == "Node" and path[:2] in _KEPT_BY_NODES)


def _has(cluster: Cluster, kind: Kind) -> bool:
    """Whether a cluster has a kind: a custom one may not be defined there."""
    if not kind.custom:
        return True
    try:
        cluster.list(kind.qualified_plural)
    except NotFoundError:
        return False
    return True


def _is_made_by_others(obj: Mapping[str, object]) -> bool:
    metadata = obj["metadata"]
    assert isinstance(metadata, Mapping)
    if any(owner.get("controller") for owner in metadata.get("ownerReferences") or ()):
        return True
    return (obj["kind"], metadata["name"]) in _GIVEN or (metadata.get("namespace"), metadata["name"]) == (NAMESPACE, NAME)
