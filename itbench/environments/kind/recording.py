"""What an agent finds in its folder when a real cluster is handed over: objects and events as they are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from itbench.cluster.kinds import KINDS
from itbench.cluster.protocol import Cluster, KubeObject
from itbench.environments.kind.system import KindSystem
from itbench.model.entity import Entity
from itbench.model.errors import NotFoundError
from itbench.snapshot.records import Event, ObjectVersion
from itbench.snapshot.writer import SnapshotWriter

# Agents may not list secrets, and a file would be just that.
_KEPT_BACK = frozenset(("Secret", "Event", "Lease", "ControllerRevision"))


def record(system: KindSystem, namespace: str, folder: Path) -> None:
    """Write a snapshot of a namespace and the nodes.

    Raises:
        ClusterError: the API server does not answer.
    """
    writer = SnapshotWriter(folder)
    now = datetime.now(UTC)
    writer.write_objects(ObjectVersion(now, obj) for obj in _objects(system.cluster, namespace))
    events = [_event(obj) for obj in system.cluster.list("Event", namespace)]
    writer.write_events(sorted(events, key=lambda event: event.time))


def _objects(cluster: Cluster, namespace: str) -> Iterator[KubeObject]:
    for kind in KINDS:
        if kind.name in _KEPT_BACK or not (kind.namespaced or kind.name in ("Node", "PersistentVolume")):
            continue
        with suppress(NotFoundError):
            yield from cluster.list(kind.qualified_plural, namespace if kind.namespaced else None)


def _event(obj: KubeObject) -> Event:
    involved = obj.get("involvedObject") or {}
    told = (
        obj.get("lastTimestamp") or obj.get("firstTimestamp") or obj.get("eventTime") or obj["metadata"]["creationTimestamp"]
    )
    return Event(
        time=datetime.fromisoformat(told),
        involved=Entity(namespace=involved.get("namespace"), kind=involved.get("kind"), name=involved.get("name", "")),
        reason=obj.get("reason", ""),
        message=obj.get("message", ""),
        type=obj.get("type", "Normal"),
        count=obj.get("count") or 1,
        component=(obj.get("source") or {}).get("component") or obj.get("reportingComponent") or "",
    )
