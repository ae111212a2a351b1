"""Everything that changes in a cluster, in some of its namespaces or all, across losses of the connection."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from itbench.cluster.kinds import KINDS, Kind
from itbench.cluster.listing import collection_path
from itbench.cluster.protocol import KubeObject, WatchEvent
from itbench.cluster.server_watch import ServerWatch
from itbench.cluster.transport import Transport
from itbench.model.errors import ClusterError, ForbiddenError, NotFoundError, UsageError

# They change every few seconds and tell nothing, or repeat what others say.
LEFT_OUT = frozenset(("Lease", "ControllerRevision", "CustomResourceDefinition"))
# Of those without a namespace, these are recorded even if only some namespaces are.
_ALWAYS = frozenset(("Node", "PersistentVolume", "StorageClass", "PriorityClass", "IngressClass"))
_AGAIN_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Scope:
    """What of a cluster is recorded; `namespaces` empty for all."""

    namespaces: tuple[str, ...] = ()

    def has(self, namespace: str | None) -> bool:
        """Whether something in this namespace (or in none) belongs to it."""
        return not self.namespaces or not namespace or namespace in self.namespaces


class Watching:
    """Watches a cluster; `close` ends it.

    Args:
        transport: to it.
        scope: what of it.

    Attributes:
        refused: kinds that may not be read, such as `secrets in shop`.

    Raises:
        ClusterError: the API server does not answer, or nothing at all may be read.
        UsageError: there is no such namespace.
    """

    def __init__(self, transport: Transport, scope: Scope) -> None:
        self._transport = transport
        self._scope = scope
        self._check_namespaces()
        self.refused: list[str] = []
        self._refusal = ""
        self._wanted = list(self._readable())
        if not any(kinds for kinds, _ in self._wanted):
            raise ForbiddenError(
                f"this kubeconfig's user may read nothing here: {self._refusal}",
                hint="Name namespaces that it may read: --namespace NS",
            )
        self._watches: list[ServerWatch] = []
        self._known: dict[str, KubeObject] = {}
        self._next_try = 0.0
        self._open()

    @property
    def is_connected(self) -> bool:
        """Whether changes arrive."""
        return bool(self._watches)

    def poll(self, timeout: float) -> list[WatchEvent]:
        """What changed since the last call; waits up to `timeout` seconds for something.

        After a loss of the connection what was missed is found out by comparison. Until then nothing comes.
        """
        if not self._watches:
            time.sleep(min(timeout, _AGAIN_SECONDS))
            if time.monotonic() < self._next_try:
                return []
            try:
                self._open()
            except ClusterError:
                self._next_try = time.monotonic() + _AGAIN_SECONDS
                return []
            return list(self._compared())
        found: list[WatchEvent] = []
        try:
            found += self._watches[0].poll(timeout)
            for watch in self._watches[1:]:
                found += watch.poll()
        except ClusterError:
            self.close()
        return [event for event in found if self._is_news(event)]

    def close(self) -> None:
        """End it. Harmless when repeated."""
        for watch in self._watches:
            watch.close()
        self._watches = []

    def _open(self) -> None:
        try:
            for kinds, namespace in self._wanted:
                self._watches.append(ServerWatch(self._transport, kinds, namespace, optional=True))
        except ClusterError:
            self.close()
            raise

    def _compared(self) -> Iterator[WatchEvent]:
        """What is there now, against what was known before."""
        before = dict(self._known)
        try:
            present = [event for watch in self._watches for event in watch.poll()]
        except ClusterError:
            self.close()
            return
        uids = {event.object["metadata"]["uid"] for event in present if event.type != "DELETED"}
        for uid, obj in before.items():
            if uid not in uids:
                del self._known[uid]
                yield WatchEvent("DELETED", obj)
        for event in present:
            uid = event.object["metadata"]["uid"]
            if self._is_news(event):
                yield WatchEvent("MODIFIED", event.object) if uid in before and event.type == "ADDED" else event

    def _is_news(self, event: WatchEvent) -> bool:
        """Whether this version has not been reported yet; remembers what is needed to tell of a removal."""
        obj = event.object
        metadata = obj["metadata"]
        uid, version = metadata["uid"], metadata["resourceVersion"]
        if event.type == "DELETED":
            self._known.pop(uid, None)
            return True
        known = self._known.get(uid)
        if known is not None and known["metadata"]["resourceVersion"] == version:
            return False
        named = {key: metadata[key] for key in ("name", "namespace", "uid", "resourceVersion") if key in metadata}
        self._known[uid] = {"apiVersion": obj.get("apiVersion"), "kind": obj.get("kind"), "metadata": named}
        return True

    def _check_namespaces(self) -> None:
        for name in self._scope.namespaces:
            with suppress(ForbiddenError):  # then its objects tell
                try:
                    self._transport.json("GET", f"/api/v1/namespaces/{name}")
                except NotFoundError:
                    raise UsageError(f"the cluster has no namespace {name!r}") from None

    def _readable(self) -> Iterator[tuple[Sequence[Kind], str | None]]:
        """The kinds that may be watched, by where: in all namespaces (None), or in one."""
        kinds = [kind for kind in KINDS if kind.name not in LEFT_OUT]
        if not self._scope.namespaces:
            yield [kind for kind in kinds if self._may_read(kind, None)], None
            return
        for namespace in self._scope.namespaces:
            yield [kind for kind in kinds if kind.namespaced and self._may_read(kind, namespace)], namespace
        cluster_wide = [kind for kind in kinds if kind.name in _ALWAYS]
        yield [kind for kind in cluster_wide if self._may_read(kind, None)], None

    def _may_read(self, kind: Kind, namespace: str | None) -> bool:
        try:
            self._transport.json("GET", collection_path(kind, namespace), {"limit": 1})
        except NotFoundError:  # the cluster has no such kind
            return False
        except ForbiddenError as error:
            self._refusal = error.message
            self.refused.append(kind.qualified_plural + (f" in {namespace}" if namespace else ""))
            return False
        return True
