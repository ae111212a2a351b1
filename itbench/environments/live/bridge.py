"""The twin behind a real API server: one world, of which the API server's store is the public face.

The twin's cluster is what its controllers, scheduler and kubelets act on; the store (etcd) is what clients of the API
server see and change. The bridge keeps the two alike, object by object:

- What changes in the twin is written into the store as it is: uids, times, generations, managedFields and statuses are the
  twin's own, owner references stay true, and no API server is asked, as none asks when it writes for itself.
- What a client changes has passed the API server's access control, admission, validation and audit. Its result is taken
  over into the twin as it is stored, which wakes the controllers there.
- Where both changed an object at the same time, a client's change is put onto the twin's (module `merge` beside this):
  on the same field the client wins, because controllers look again and clients do not. A removal wins over any change.
  The store's own comparison of revisions decides who was first, so nothing is ever overwritten unseen.

Everything here runs in the thread of the twin.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from itbench.cluster.etcd import Etcd, Stored
from itbench.cluster.kinds import kind_named
from itbench.cluster.memory import MemoryCluster
from itbench.cluster.protocol import KubeObject, WatchEvent
from itbench.cluster.reference import ObjectRef
from itbench.cluster.registry_keys import object_at, registry_key
from itbench.cluster.tree import copied
from itbench.environments.live.merge import merged
from itbench.environments.live.stored_form import ALLOCATOR, address_of, encoded, has_address, is_mirrored, served


@dataclass(slots=True)
class _Known:
    """What the store has under a key, as far as we have seen.

    Attributes:
        object: None where there is none.
        revision: of the last change, also where that was a removal. What the stream tells of earlier ones is old news.
    """

    object: KubeObject | None = None
    revision: int = 0


class Bridge:
    """Keeps a twin's cluster and a control plane's store alike.

    Args:
        cluster: the twin's.
        store: the control plane's.
        kubelet_port: where logs of containers are served, on this machine.
    """

    def __init__(self, cluster: MemoryCluster, store: Etcd, kubelet_port: int) -> None:
        self._cluster = cluster
        self._store = store
        self._port = kubelet_port
        self._known: dict[str, _Known] = {}
        self._dirty: dict[str, KubeObject | None] = {}
        self._seen = 0
        self._close: Callable[[], None] | None = None

    def open(self) -> int:
        """Write all that the twin has into the store; gives the revision from which on changes are to be told."""
        self._close = self._cluster.subscribe(self._notice)
        items = [(key, obj) for key, obj in self._dirty.items() if obj is not None]
        self._dirty.clear()
        # The API server's allocator looks for a record of each address, and complains in events where there is none.
        addresses = [address_of(obj) for _, obj in items if has_address(obj)]
        self._store.put([(key, encoded(record)) for key, record in addresses])
        revisions = self._store.put([(key, encoded(obj)) for key, obj in items])
        for key, obj in items:
            self._known[key] = _Known(obj, revisions[key])
        self._seen = max(revisions.values(), default=0)
        return self._seen + 1

    def close(self) -> None:
        """Stop watching the twin. Harmless when repeated."""
        if self._close is not None:
            self._close()

    @property
    def seen(self) -> int:
        """The last revision that was written here or received."""
        return self._seen

    def flush(self) -> None:
        """Write what changed in the twin. What a client changed meanwhile waits until that has been received."""
        for key, obj in list(self._dirty.items()):
            known = self._known.get(key, _Known())
            if obj == known.object:
                del self._dirty[key]
                continue
            expected = 0 if known.object is None else known.revision
            revision = self._store.swap(key, None if obj is None else encoded(obj), expected)
            if revision is not None:
                self._known[key] = _Known(obj, revision)
                self._seen = max(self._seen, revision)
                del self._dirty[key]

    def receive(self, change: Stored) -> None:
        """Take over a change of the store, unless it is our own."""
        found = object_at(change.key)
        known = self._known.get(change.key, _Known())
        self._seen = max(self._seen, change.revision)
        if found is None or change.revision <= known.revision or not is_mirrored(*found):
            return
        kind, namespace, name = found
        if change.value is None:
            self._known[change.key] = _Known(None, change.revision)
            self._cluster.abandon(ObjectRef(kind.name, name, namespace or None, kind.api_version))
            self._dirty.pop(change.key, None)
            return
        theirs = json.loads(change.value)
        self._known[change.key] = _Known(theirs, change.revision)
        if theirs.get("reportingComponent") == ALLOCATOR:  # it saw a Service before the record of its address
            self._dirty[change.key] = None
            return
        if change.key in self._dirty:
            ours = self._dirty[change.key]
            if ours is None:  # gone here; the next flush removes it there
                return
            theirs = merged(known.object or {}, ours, theirs)
        self._cluster.adopt(copied(theirs))

    def _notice(self, event: WatchEvent) -> None:
        obj = event.object
        kind = kind_named(str(obj["kind"]), str(obj["apiVersion"]))
        metadata = obj["metadata"]
        namespace = str(metadata["namespace"]) if kind.namespaced else ""
        if not is_mirrored(kind, namespace, str(metadata["name"])):
            return
        key = registry_key(kind, namespace, str(metadata["name"]))
        self._dirty[key] = None if event.type == "DELETED" else served(kind, obj, self._port)
