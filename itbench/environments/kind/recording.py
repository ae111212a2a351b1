"""What an agent finds in its folder when a real cluster is handed over: what monitoring has seen so far, and the objects."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from itbench.cluster.kinds import KINDS
from itbench.cluster.protocol import Cluster, KubeObject
from itbench.environments.kind.telemetry import Telemetry
from itbench.environments.recorder.records import event_of
from itbench.model.errors import ClusterError, NotFoundError
from itbench.snapshot.records import ObjectVersion
from itbench.snapshot.writer import SnapshotWriter

# Agents may not list secrets, and a file would be just that.
_KEPT_BACK = frozenset(("Secret", "Event", "Lease", "ControllerRevision"))


def record(cluster: Cluster, telemetry: Telemetry, namespace: str, folder: Path) -> list[str]:
    """Write a snapshot of a namespace and the nodes.

    Args:
        cluster: with all rights.
        telemetry: of the same.
        namespace: of the application.
        folder: is made.

    Returns:
        What monitoring could not tell, in words; its files are missing then.

    Raises:
        ClusterError: the API server does not answer.
    """
    writer = SnapshotWriter(folder)
    now = datetime.now(UTC)
    writer.write_objects(ObjectVersion(now, obj) for obj in _objects(cluster, namespace))
    events = [event_of(obj) for obj in cluster.list("Event", namespace)]
    writer.write_events(sorted(events, key=lambda event: event.time))
    files: tuple[Callable[[], None], ...] = (
        lambda: writer.write_alerts((alert for alert in telemetry.alerts() if alert.state == "firing"), [now]),
        lambda: writer.write_metrics(telemetry.series()),
        lambda: writer.write_spans(sorted(telemetry.spans(), key=lambda span: span.time)),
        lambda: writer.write_logs(sorted(telemetry.logs(), key=lambda line: line.time)),
    )
    missing = []
    for write in files:
        try:
            write()
        except ClusterError as error:
            missing.append(error.message[:200])
    return missing


def _objects(cluster: Cluster, namespace: str) -> Iterator[KubeObject]:
    for kind in KINDS:
        if kind.name in _KEPT_BACK or not (kind.namespaced or kind.name in ("Node", "PersistentVolume")):
            continue
        with suppress(NotFoundError):
            yield from cluster.list(kind.qualified_plural, namespace if kind.namespaced else None)
