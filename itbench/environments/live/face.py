"""The public face of a world: a control plane of its own, whose store the twin and the agent share."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

from itbench.bundled import bundled
from itbench.cluster.control_plane import ControlPlane, Identity, open_control_plane
from itbench.cluster.etcd import Etcd, Stream
from itbench.cluster.protocol import KubeObject
from itbench.cluster.registry_keys import ROOT
from itbench.cluster.server import ServerCluster
from itbench.environments.live.bridge import Bridge
from itbench.environments.live.kubelet import LogServer
from itbench.environments.live.logs import LiveLogs
from itbench.environments.live.world import World
from itbench.model.errors import ClusterError
from itbench.twin.incident.incident import Incident
from itbench.twin.telemetry.recording import Recording

_DRAIN_SECONDS = 10.0


@contextmanager
def prepared_plane(users: Sequence[Identity]) -> Iterator[ControlPlane]:
    """A control plane that audits as environments/audit.yaml says.

    Raises:
        ClusterError: it cannot be had.
    """
    policy = (bundled("environments") / "audit.yaml").read_text(encoding="utf-8")
    with open_control_plane(users, policy) as plane:
        yield plane


@dataclass(slots=True)
class Face:
    """A world behind a control plane, while `shown` is open."""

    plane: ControlPlane
    world: World
    bridge: Bridge
    store: Etcd

    def catch_up(self) -> None:
        """Wait until everything that clients wrote has reached the world.

        Raises:
            ClusterError: the store or the world has failed.
        """
        deadline = time.monotonic() + _DRAIN_SECONDS
        with self.world.lock:
            target = self.store.last_change(ROOT)
        while True:
            with self.world.lock:
                if self.bridge.seen >= target:
                    return
            if time.monotonic() > deadline:
                raise ClusterError("the changes of the API server do not reach the simulation any more")
            time.sleep(0.02)


@contextmanager
def shown(
    incident: Incident, plane: ControlPlane, objects: Sequence[KubeObject], recorded: Recording, scale: float = 1.0
) -> Iterator[Face]:
    """Show a world on a control plane, and let it go on.

    Args:
        incident: goes on while this is open, and stands still afterwards.
        plane: has nothing of it yet.
        objects: of the API server alone, such as access rights.
        recorded: what monitoring has seen so far.
        scale: simulated seconds a second.

    Raises:
        ClusterError: the control plane does not answer.
    """
    cluster = incident.running.twin.cluster
    printed = LiveLogs(incident, recorded.logs)
    store = Etcd(plane.store)

    def logs(namespace: str, pod: str, container: str, *, tail: int | None, previous: bool) -> str:
        with world.lock:
            return printed.read(namespace, pod, container, tail=tail, previous=previous)

    certificates = plane.folder / "certs"
    with LogServer(logs, certificates / "apiserver.crt", certificates / "apiserver.key") as server:
        bridge = Bridge(cluster, store, server.port)
        world = World(incident, scale=scale, between=bridge.flush)
        stream: Stream | None = None
        try:
            begin = bridge.open()
            with ServerCluster.connect(plane.kubeconfig) as connected:
                admin = connected.acting_as("kubectl-create")  # agents can read who made what
                for obj in objects:
                    admin.create(obj)
            stream = store.follow(ROOT, begin)
            follower = Thread(target=_follow, args=(stream, bridge, world), name="store", daemon=True)
            follower.start()
            with world:
                yield Face(plane, world, bridge, store)
            if world.failure is not None:
                raise ClusterError(f"the simulation has failed: {type(world.failure).__name__}: {world.failure}")
        finally:
            if stream is not None:
                stream.close()
                follower.join()
            bridge.close()
            store.close()


def _follow(stream: Stream, bridge: Bridge, world: World) -> None:
    for change in stream:
        with world.lock:
            bridge.receive(change)
            world.wake()


def kubeconfig_of(plane: ControlPlane, user: Identity, namespace: str) -> str:
    """A kubeconfig with everything in it, for somebody who cannot see the control plane's folder."""
    import base64

    authority = base64.b64encode(plane.authority.encode()).decode()
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "cluster", "cluster": {"server": plane.address, "certificate-authority-data": authority}}],
        "users": [{"name": user.name, "user": {"token": user.token}}],
        "contexts": [{"name": "cluster", "context": {"cluster": "cluster", "user": user.name, "namespace": namespace}}],
        "current-context": "cluster",
    }
    return json.dumps(config, indent=2)


def audit_events(log: Path | None, since: int = 0) -> list[dict[str, object]]:
    """What an audit log has from byte `since` on; a last line that is not whole is left out."""
    if log is None or not log.exists():
        return []
    found = []
    with log.open("rb") as lines:
        lines.seek(since)
        for line in lines:
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if isinstance(event, dict):
                found.append(event)
    return found
