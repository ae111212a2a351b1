"""A twin behind a real API server whose time passes only when it is told to.

`environments.live.world` lets time pass with the wall clock, since agents act when they like. Here faults act, and both
sides wait for each other: no simulated time passes before what a client wrote has arrived. So a fault that is injected
through the API server meets the same moment as one that is injected past it, and minutes pass in seconds.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock, Thread

from itbench.cluster.control_plane import ControlPlane
from itbench.cluster.etcd import Etcd, Stream
from itbench.cluster.kinds import KINDS
from itbench.cluster.protocol import WatchEvent
from itbench.cluster.registry_keys import ROOT
from itbench.cluster.server_watch import ServerWatch
from itbench.cluster.transport import Transport
from itbench.environments.live.bridge import Bridge
from itbench.environments.live.stored_form import ALLOCATOR
from itbench.model.errors import ClusterError
from itbench.twin.compare.facts import is_compared
from itbench.twin.incident.incident import Incident
from itbench.twin.running import SETTLE_SECONDS
from itbench.twin.telemetry.history import Observation

_STEP = 0.25  # simulated seconds between two writes into the store
_ARRIVE_SECONDS = 20.0
_SILENT_SECONDS = 1.0
# Its changes come after all that were made before; nobody reads it.
_BARRIER = f"{ROOT}lockstep/barrier"
_NO_KUBELET = 10250  # logs of containers are not asked for


class Lockstep:
    """A world in lock step with a control plane, while `lockstep` is open."""

    def __init__(self, incident: Incident, plane: ControlPlane) -> None:
        self._running = incident.running
        self._lock = RLock()
        self._store = Etcd(plane.store)
        self._bridge = Bridge(self._running.twin.cluster, self._store, _NO_KUBELET)
        self._begin = self._bridge.open()
        self._stream = self._store.follow(ROOT, self._begin)
        self._follower = Thread(target=self._follow, args=(self._stream,), name="store", daemon=True)
        self._follower.start()
        self._transport = Transport.open(plane.kubeconfig, None)
        kinds = [kind for kind in KINDS if is_compared(kind.name)]
        self._watch = ServerWatch(self._transport, kinds, None, optional=True)
        self._marks: list[tuple[int, float]] = [(self._begin - 1, self._running.twin.clock.now - SETTLE_SECONDS)]
        self._events: list[WatchEvent] = []
        self._running.passing = self._pass

    def observations(self) -> list[Observation]:
        """What a watch of the API server has seen, with seconds from the beginning, in the order of the store's revisions.

        Raises:
            ClusterError: the API server does not answer any more.
        """
        self._catch_up()
        quiet = time.monotonic() + _SILENT_SECONDS
        while time.monotonic() < quiet:
            if found := self._watch.poll(0.2):
                self._events += found
                quiet = time.monotonic() + _SILENT_SECONDS
        ordered = sorted((event for event in self._events if not _is_of_the_start(event)), key=_revision)
        return [Observation(self._moment(_revision(event)), event.type, event.object) for event in ordered]

    def close(self) -> None:
        """Let the world go on by itself again."""
        self._running.passing = self._running.twin.run_until
        self._watch.close()
        self._transport.close()
        self._stream.close()
        self._follower.join()
        self._bridge.close()
        self._store.close()

    def _follow(self, stream: Stream) -> None:
        for change in stream:
            with self._lock:
                self._bridge.receive(change)

    def _pass(self, until: float) -> None:
        self._catch_up()
        clock = self._running.twin.clock
        while clock.now < until:
            with self._lock:
                self._running.twin.run_until(min(clock.now + _STEP, until))
                self._bridge.flush()
                self._mark()
        self._events += self._watch.poll()

    def _mark(self) -> None:
        self._marks.append((self._bridge.seen, self._running.twin.clock.now))

    def _catch_up(self) -> None:
        """Wait until everything that was written has arrived."""
        with self._lock:
            target = self._store.put([(_BARRIER, b"-")])[_BARRIER]
        deadline = time.monotonic() + _ARRIVE_SECONDS
        while True:
            with self._lock:
                if self._bridge.seen >= target:
                    self._mark()
                    return
            if time.monotonic() > deadline:
                raise ClusterError("the changes of the API server do not reach the simulation any more")
            time.sleep(0.002)

    def _moment(self, revision: int) -> float:
        """When a revision was written: no later than the first moment at which it had been seen."""
        index = bisect_left(self._marks, revision, key=lambda mark: mark[0])
        return self._marks[min(index, len(self._marks) - 1)][1]


@contextmanager
def lockstep(incident: Incident, plane: ControlPlane) -> Iterator[Lockstep]:
    """Keep a world and a control plane in lock step.

    Args:
        incident: its time passes as before, with the API server following.
        plane: has nothing of it yet.

    Raises:
        ClusterError: the control plane does not answer.
    """
    step = Lockstep(incident, plane)
    try:
        yield step
    finally:
        step.close()


def _is_of_the_start(event: WatchEvent) -> bool:
    """Whether the API server complains of a Service that it saw before its address; the bridge removes that."""
    return event.object.get("reportingComponent") == ALLOCATOR


def _revision(event: WatchEvent) -> int:
    return int(event.object["metadata"]["resourceVersion"])
