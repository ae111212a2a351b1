"""Watching a real API server: one thread a kind follows its stream, and goes on after every interruption."""

from __future__ import annotations

import queue
from collections.abc import Iterable
from contextlib import suppress
from threading import Event, Thread
from typing import TYPE_CHECKING, Self

from itbench.cluster.kinds import Kind
from itbench.cluster.listing import collection_path, read_all
from itbench.cluster.protocol import Change, KubeObject, WatchEvent
from itbench.cluster.transport import Query, Transport, lines
from itbench.model.errors import ClusterError, ExpiredError, NotFoundError

if TYPE_CHECKING:
    from urllib3 import HTTPResponse

_STREAM_SECONDS = 300  # the server ends a stream after this long; we ask again
_SLACK_SECONDS = 30.0
_CHANGES: dict[str, Change] = {"ADDED": "ADDED", "MODIFIED": "MODIFIED", "DELETED": "DELETED"}


class ServerWatch:
    """The changes on a real API server since the last look.

    Args:
        transport: the connection.
        kinds: what to watch.
        namespace: None for all.
        optional: leave out kinds that the server has not.

    Raises:
        ClusterError: the server refuses or cannot be reached; NotFoundError where it has no such kind.
    """

    def __init__(self, transport: Transport, kinds: Iterable[Kind], namespace: str | None, *, optional: bool) -> None:
        self._arrivals: queue.SimpleQueue[WatchEvent | ClusterError] = queue.SimpleQueue()
        self._feeds: list[_Feed] = []
        for kind in kinds:
            if namespace is not None and not kind.namespaced:
                continue
            feed = _Feed(transport, kind, namespace, self._arrivals)
            try:
                feed.catch_up()
            except NotFoundError:
                if not optional:
                    raise
            else:
                self._feeds.append(feed)
        for feed in self._feeds:
            feed.start()

    def poll(self, timeout: float = 0.0) -> list[WatchEvent]:
        """The events since the last call, in order; waits up to `timeout` seconds for the first.

        Raises:
            ClusterError: the server cannot be reached any more.
        """
        events: list[WatchEvent] = []
        try:
            while True:
                wait = timeout > 0 and not events
                arrival = self._arrivals.get(timeout=timeout) if wait else self._arrivals.get_nowait()
                if isinstance(arrival, ClusterError):
                    raise arrival
                events.append(arrival)
        except queue.Empty:
            return events

    def close(self) -> None:
        """End the subscription and its threads."""
        for feed in self._feeds:
            feed.stop()
        for feed in self._feeds:
            feed.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Feed(Thread):
    """One kind's changes, put in a queue as they come."""

    def __init__(
        self, transport: Transport, kind: Kind, namespace: str | None, arrivals: queue.SimpleQueue[WatchEvent | ClusterError]
    ) -> None:
        super().__init__(name=f"watch {kind.plural}", daemon=True)
        self._transport = transport
        self._kind = kind
        self._namespace = namespace
        self._arrivals = arrivals
        self._known: dict[str, KubeObject] = {}
        self._version = ""
        self._stopped = Event()
        self._stream: HTTPResponse | None = None

    def catch_up(self) -> None:
        """Read all objects, and report what differs from what was known."""
        items, self._version = read_all(self._transport, self._kind, self._namespace)
        present = {item["metadata"]["uid"]: item for item in items}
        for uid, last in self._known.items():
            if uid not in present:
                self._arrivals.put(WatchEvent("DELETED", last))
        for uid, item in present.items():
            old = self._known.get(uid)
            if old is None:
                self._arrivals.put(WatchEvent("ADDED", item))
            elif old["metadata"]["resourceVersion"] != item["metadata"]["resourceVersion"]:
                self._arrivals.put(WatchEvent("MODIFIED", item))
        self._known = present

    def run(self) -> None:
        """Follow the stream until stopped, or until the server refuses."""
        try:
            while not self._stopped.is_set():
                if not self._follow():
                    self.catch_up()
        except ClusterError as error:
            if not self._stopped.is_set():
                self._arrivals.put(error)

    def stop(self) -> None:
        """Ask the thread to end, and wake it from waiting for the server."""
        self._stopped.set()
        stream = self._stream
        if stream is not None:
            with suppress(RuntimeError, ValueError, OSError):  # it has just ended by itself, or the server is gone
                stream.shutdown()

    def _follow(self) -> bool:
        """Report the changes of one stream; whether the next one can go on where it ended."""
        query: Query = {
            "watch": True,
            "resourceVersion": self._version,
            "allowWatchBookmarks": True,
            "timeoutSeconds": _STREAM_SECONDS,
        }
        path = collection_path(self._kind, self._namespace)
        try:
            self._stream = self._transport.stream(path, query, _STREAM_SECONDS + _SLACK_SECONDS)
        except ExpiredError:
            return False
        if self._stopped.is_set():  # while the stream was opened, when there was none to shut down
            return True
        return all(self._report(change) for change in lines(self._stream))

    def _report(self, change: KubeObject) -> bool:
        """Pass one change on; False where the server has forgotten the version that was asked for."""
        obj = change["object"]
        if change["type"] == "ERROR":
            return False
        self._version = obj["metadata"]["resourceVersion"]
        known = _CHANGES.get(change["type"])
        if known is not None:
            if known == "DELETED":
                self._known.pop(obj["metadata"]["uid"], None)
            else:
                self._known[obj["metadata"]["uid"]] = obj
            self._arrivals.put(WatchEvent(known, obj))
        return True
