"""A recorded folder behind a real API server and a real Prometheus, as it was at a time: `itbench env up snapshot`.

`python -m itbench.environments.live.replay FOLDER SNAPSHOT AT` keeps it up until told to end (see the keeper beside this).
Nothing happens in it: no controller acts, no time passes. Clients may read everything but secrets.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

from itbench.cluster.control_plane import ControlPlane
from itbench.cluster.etcd import Etcd
from itbench.cluster.listing import collection_path
from itbench.cluster.registry_keys import ROOT
from itbench.cluster.server import ServerCluster
from itbench.cluster.transport import Transport
from itbench.environments.live.access import load_access, new_identity, reading_objects
from itbench.environments.live.face import kubeconfig_of, prepared_plane
from itbench.environments.live.keeper import Doors, hold
from itbench.environments.live.kubelet import LogServer
from itbench.environments.live.metrics_api import Alerting, MetricsApi
from itbench.environments.live.prometheus import find_prometheus, running_prometheus
from itbench.environments.live.recorded_metrics import alerts_at, feed
from itbench.environments.live.recorded_state import Item, recorded_items
from itbench.environments.live.stage import Note
from itbench.environments.live.stored_form import ALLOCATOR, address_of, encoded, has_address
from itbench.model.errors import ClusterError, NotFoundError, UsageError
from itbench.snapshot.snapshot import Snapshot, open_snapshot
from itbench.tools.errors import ToolError
from itbench.tools.session import Session

_LINES = 5000


@contextmanager
def replayed(folder: Path, at: str, note: Note) -> Iterator[Doors]:
    """Show a snapshot.

    Args:
        folder: of the snapshot.
        at: a time, as tools take it; empty for the end.
        note: is told of every step.

    Raises:
        SnapshotError: there is no snapshot.
        UsageError: the time is none, or nothing had been recorded by then.
        ClusterError: the control plane cannot be had.
    """
    begin = time.monotonic()

    def step(name: str, **facts: object) -> None:
        note("step", step=name, seconds=round(time.monotonic() - begin, 1), **facts)

    with ExitStack() as stack:
        snapshot = stack.enter_context(open_snapshot(folder))
        moment = _moment(snapshot, at)
        step("read", at=moment.isoformat())
        user = new_identity()
        plane = stack.enter_context(prepared_plane((user,)))
        step("provisioned")
        certificates = plane.folder / "certs"
        logs = _RecordedLogs(snapshot, moment)
        server = stack.enter_context(LogServer(logs, certificates / "apiserver.crt", certificates / "apiserver.key"))
        items, unknown = recorded_items(snapshot, moment, server.port)
        stack.enter_context(_undisturbed(plane))
        refused = _store(plane, items)
        step("objects loaded", objects=len(items) - len(refused), unknown_kinds=len(unknown), refused=refused)
        doors = {
            "snapshot": str(folder),
            "at": moment.isoformat().replace("+00:00", "Z"),
            "objects": f"{len(items) - len(refused)}"
            + (f", left out: {len(unknown)} of kinds that are not known here" if unknown else "")
            + (f", not taken: {', '.join(refused[:20])}" if refused else ""),
            "admin_kubeconfig": str(plane.kubeconfig),
            "server": plane.address,
        }
        program = find_prometheus()
        if program is not None:
            prometheus = stack.enter_context(running_prometheus(program))
            samples = feed(prometheus, snapshot, moment)
            alerting = Alerting((), lambda: alerts_at(snapshot, moment))
            api = stack.enter_context(MetricsApi(prometheus, alerting, moment.timestamp()))
            doors["prometheus"] = api.url
            step("metrics loaded", samples=samples)
        yield Doors(doors, kubeconfig_of(plane, user, _main_namespace(items)))


def _moment(snapshot: Snapshot, at: str) -> datetime:
    try:
        clock = Session(snapshot).clock
        moment = clock.parse(at) if at else clock.end
    except ToolError as error:
        raise UsageError(f"--at: {error}") from None
    first = snapshot.query("SELECT min(time) FROM stored.objects")[0][0]
    if first is None:
        raise UsageError("this snapshot has no objects: there is nothing to put behind an API server")
    first = first.replace(tzinfo=UTC)
    if moment < first:
        raise UsageError(
            f"--at {moment.isoformat()}: no object had been recorded by then", hint=f"The first was at {first.isoformat()}."
        )
    return min(moment, clock.end)


def _store(plane: ControlPlane, items: Sequence[Item]) -> list[str]:
    """Write objects past the API server; gives those that it cannot read, which are taken out again."""
    store = Etcd(plane.store)
    try:
        store.put([(key, encoded(record)) for key, record in (address_of(i.object) for i in items if has_address(i.object))])
        revisions = store.put([(item.key, encoded(item.object)) for item in items])
        transport = Transport.open(plane.kubeconfig, None)
        try:
            refused = []
            for item in _unreadable(transport, items):
                store.swap(item.key, None, revisions[item.key])
                metadata = item.object["metadata"]
                refused.append(f"{metadata.get('namespace', '')}/{item.kind.name}/{metadata['name']}".lstrip("/"))
        finally:
            transport.close()
    finally:
        store.close()
    with ServerCluster.connect(plane.kubeconfig) as admin:
        for obj in reading_objects(load_access()):
            admin.create(obj)
    return refused


@contextmanager
def _undisturbed(plane: ControlPlane) -> Iterator[None]:
    """Take away events in which the API server complains about what was written past it."""
    store = Etcd(plane.store)
    stream = store.follow(f"{ROOT}events/", store.last_change(ROOT) + 1)

    def watch() -> None:
        for change in stream:
            if change.value is not None and json.loads(change.value).get("reportingComponent") == ALLOCATOR:
                store.swap(change.key, None, change.revision)

    thread = Thread(target=watch, name="store", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stream.close()
        thread.join()
        store.close()


def _unreadable(transport: Transport, items: Sequence[Item]) -> Iterator[Item]:
    """Objects whose recorded form is none of the API's: one of them would make the list of its kind fail."""
    for kind in {item.kind for item in items}:
        of_kind = [item for item in items if item.kind == kind]
        try:
            transport.json("GET", collection_path(kind, None))
        except ClusterError:
            for item in of_kind:
                metadata = item.object["metadata"]
                path = f"{collection_path(kind, metadata.get('namespace') if kind.namespaced else None)}/{metadata['name']}"
                try:
                    transport.json("GET", path)
                except ClusterError:
                    yield item


def _main_namespace(items: Sequence[Item]) -> str:
    """Where most of the workloads are, but for the system's."""
    counts: dict[str, int] = {}
    for item in items:
        namespace = item.object["metadata"].get("namespace", "")
        if item.kind.name in ("Deployment", "StatefulSet", "Pod") and not namespace.startswith("kube-"):
            counts[namespace] = counts.get(namespace, 0) + 1
    return max(sorted(counts), key=lambda name: counts[name], default="default")


class _RecordedLogs:
    """Lines of a snapshot, by pod; recorders do not tell runs of a container apart."""

    def __init__(self, snapshot: Snapshot, at: datetime) -> None:
        self._snapshot = snapshot
        self._until = at + timedelta(microseconds=1)

    def __call__(self, namespace: str, pod: str, container: str, *, tail: int | None, previous: bool) -> str:
        if previous:
            raise NotFoundError(f'previous terminated container "{container}" in pod "{pod}" not found')
        lines = [
            f"{line.time.isoformat(timespec='milliseconds').replace('+00:00', 'Z')} {line.severity or 'INFO'} {line.body}\n"
            for line in self._snapshot.logs(namespace=namespace, pod=pod, until=self._until, limit=None)
            if line.resource.get("k8s.container.name", container) == container
        ]
        return "".join(lines[-min(_LINES if tail is None else tail, _LINES) :] if tail != 0 else ())


def main(folder: str, snapshot: str, at: str = "") -> None:
    """As the module's documentation says."""
    hold(Path(folder), lambda note: replayed(Path(snapshot), at, note))


if __name__ == "__main__":
    main(*sys.argv[1:])
