"""A cluster in memory: an API server and its store, without a network, a thread or a clock of its own.

It does what an API server does: it sets defaults, checks, counts generations, keeps finalizers and grace periods, and
tells watchers. It does what no API server does neither: rolling out, scheduling, running, binding volumes and
collecting garbage are the work of controllers (`itbench.twin`), which act on it as any client does.
"""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol, Self

from itbench.cluster.addresses import assign_addresses
from itbench.cluster.admission import AdmissionRequest, Gatekeeper
from itbench.cluster.defaults import set_defaults, set_first_status
from itbench.cluster.disruption import disrupted
from itbench.cluster.identities import HashedIdentities, Identities
from itbench.cluster.kinds import Kind, kind_named
from itbench.cluster.lifecycle import begun, count_generation, deleting, gone, timestamp, updated
from itbench.cluster.managed import claim
from itbench.cluster.manifest import locate, read_manifest
from itbench.cluster.omission import without_empty
from itbench.cluster.patch import patched
from itbench.cluster.problems import invalid, raise_if_any, required
from itbench.cluster.protocol import KubeObject, PatchType, Propagation, Subresource, WatchEvent
from itbench.cluster.reference import ObjectRef
from itbench.cluster.selectors import Selector
from itbench.cluster.shapes import check_shape
from itbench.cluster.store import Key, Listener, Store
from itbench.cluster.tree import copied, same
from itbench.cluster.validation import check_object
from itbench.cluster.verbs import ComposedVerbs
from itbench.model.errors import AlreadyExistsError, ConflictError, ForbiddenError, InvalidError, NotFoundError

_FIRST_NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")
_NAME_ATTEMPTS = 8  # the API server's own


class LogSource(Protocol):
    """What the containers printed; whoever runs the pods knows."""

    def __call__(self, pod: KubeObject, container: str, *, tail: int | None, previous: bool) -> str:
        """The lines of one container."""
        ...


def no_logs(pod: KubeObject, container: str, *, tail: int | None, previous: bool) -> str:  # noqa: ARG001  a LogSource
    """The log source of a cluster that runs nothing."""
    return ""


class MemoryCluster(ComposedVerbs):
    """A cluster in memory; see `itbench.cluster.protocol.Cluster` for the verbs.

    Args:
        now: the time, UTC.
        identities: where uids and generated names come from.
        logs: where the output of containers comes from.
        manager: the client's name in managedFields; `acting_as` gives the same cluster under another.
    """

    def __init__(
        self,
        now: Callable[[], datetime],
        identities: Identities | None = None,
        logs: LogSource = no_logs,
        manager: str = "itbench",
    ) -> None:
        self._now = now
        self._identities: Identities = identities or HashedIdentities()
        self._logs = logs
        self._manager = manager
        self._store = Store()
        self._gatekeepers: list[Gatekeeper] = []
        for name in _FIRST_NAMESPACES:
            self.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})

    def acting_as(self, manager: str) -> Self:
        """The same cluster, for a client of this name."""
        other = copy.copy(self)
        other._manager = manager
        return other

    def now(self) -> datetime:
        """The cluster's time, UTC."""
        return self._now()

    def adopt(self, obj: KubeObject) -> None:
        """Take over an object as another API server has stored it: nothing is checked, set, counted or claimed again.

        Watchers are told as of any write. The cluster owns `obj` from now on.
        """
        kind, key = _locate(ObjectRef.of(obj))
        self._store.put(kind, key, obj)

    def abandon(self, ref: ObjectRef) -> None:
        """Drop an object that another API server has removed, whatever holds it here; nothing if it is not there."""
        kind, key = _locate(ref)
        last = self._store.find(kind, key)
        if last is not None:
            self._store.remove(kind, key, copied(last))

    def admit_by(self, gatekeeper: Gatekeeper) -> None:
        """Ask `gatekeeper` before every write that creates, changes or deletes an object, after those asked already."""
        self._gatekeepers.append(gatekeeper)

    def subscribe(self, listener: Listener, kind: str | None = None, namespace: str | None = None) -> Callable[[], None]:
        """Call `listener` with every object that is there as ADDED, then with every change, within the write that makes it.

        Changes that a listener makes are told after the one that it is being told of.

        Returns:
            A function that ends the subscription.
        """
        return self._store.subscribe(listener, None if kind is None else kind_named(kind), namespace)

    def watch(self, kind: str | None = None, namespace: str | None = None) -> MemoryWatch:
        """Subscribe to changes."""
        return MemoryWatch(lambda listener: self.subscribe(listener, kind, namespace))

    def get(self, ref: ObjectRef) -> KubeObject:
        """The object."""
        kind, key = _locate(ref)
        found: KubeObject = copied(self._found(kind, key))
        return found

    def list(self, kind: str, namespace: str | None = None, selector: Selector | str | None = None) -> Sequence[KubeObject]:
        """The objects of a kind, sorted by namespace and name."""
        wanted = Selector.parse(selector) if isinstance(selector, str) else selector or Selector()
        return [copied(obj) for obj in self._store.all(kind_named(kind), namespace) if wanted.selects(obj)]

    def create(self, obj: Mapping[str, Any]) -> KubeObject:
        """Add an object."""
        kind, new = read_manifest(obj)
        new = _decoded(kind, new)
        self._name(kind, new)
        key = _key_of(kind, new)
        self._check_namespace(kind, key)
        if self._store.find(kind, key) is not None:
            raise AlreadyExistsError(f'{kind.qualified_plural} "{key[1]}" already exists')
        now = timestamp(self._now())
        begun(kind, new, self._uid(kind, key), now)
        set_first_status(kind, new)
        set_defaults(kind, new)
        assign_addresses(kind, new, self._store)
        self._admit(AdmissionRequest("create", kind, new, None))
        check_object(kind, new)
        claim(None, new, self._manager, None, now)
        self._store.put(kind, key, new)
        created: KubeObject = copied(new)
        return created

    def patch(
        self,
        ref: ObjectRef,
        patch: Mapping[str, Any] | Sequence[Mapping[str, Any]],
        type: PatchType = "strategic",  # noqa: A002  the API's own word for it
        *,
        subresource: Subresource | None = None,
    ) -> KubeObject:
        """Change parts of an object."""
        kind, key = _locate(ref)
        old = self._found(kind, key)
        return self._write(kind, key, patched(kind, old, patch, type), subresource)

    def replace(self, obj: Mapping[str, Any], *, subresource: Subresource | None = None) -> KubeObject:
        """Replace an object."""
        kind, new = read_manifest(obj)
        return self._write(kind, _key_of(kind, new), new, subresource)

    def delete(self, ref: ObjectRef, grace_seconds: int | None = None, propagation: Propagation = "background") -> None:
        """Delete an object, or ask its keepers to let it go."""
        kind, key = _locate(ref)
        old = self._found(kind, key)
        self._admit(AdmissionRequest("delete", kind, old, old))
        self._settle(kind, key, old, deleting(kind, old, self._now(), grace_seconds, propagation))

    def evict(self, ref: ObjectRef, grace_seconds: int | None = None) -> None:
        """Delete a pod unless a disruption budget forbids it."""
        pod = self.get(ref)
        budget = disrupted(pod, self.list("PodDisruptionBudget", pod["metadata"]["namespace"]), timestamp(self._now()))
        if budget is not None:
            self.replace(budget, subresource="status")
        self.delete(ref, grace_seconds)

    def bind(self, ref: ObjectRef, node: str) -> None:
        """Give a pod to a node."""
        kind, key = _locate(ref)
        pod: KubeObject = copied(self._found(kind, key))
        if pod["spec"].get("nodeName"):
            raise ConflictError(
                f'Operation cannot be fulfilled on pods/binding "{key[1]}": '
                f'pod {key[1]} is already assigned to node "{pod["spec"]["nodeName"]}"'
            )
        pod["spec"]["nodeName"] = node
        now = timestamp(self._now())
        condition = {"type": "PodScheduled", "status": "True", "lastProbeTime": None, "lastTransitionTime": now}
        conditions = pod["status"].setdefault("conditions", [])
        conditions[:] = [*(other for other in conditions if other["type"] != "PodScheduled"), condition]
        claim(self._found(kind, key), pod, self._manager, None, now)
        self._store.put(kind, key, pod)

    def logs(self, ref: ObjectRef, container: str | None = None, tail: int | None = None, *, previous: bool = False) -> str:
        """What a pod's container printed."""
        pod = self.get(ref)
        if pod["kind"] != "Pod":
            raise InvalidError(f"{ref} has no log: only pods have")
        names = [each["name"] for each in (*pod["spec"]["containers"], *pod["spec"].get("initContainers", ()))]
        if container is None and len(pod["spec"]["containers"]) > 1:
            raise InvalidError(f"a container name must be specified for pod {ref.name}, choose one of: {names}")
        if container is not None and container not in names:
            raise InvalidError(f"container {container} is not valid for pod {ref.name}")
        return self._logs(pod, container or names[0], tail=tail, previous=previous)

    def _write(self, kind: Kind, key: Key, new: KubeObject, subresource: Subresource | None) -> KubeObject:
        """Let `new` take the place of the object as far as this way of writing reaches."""
        old = self._found(kind, key)
        asked = new["metadata"].get("resourceVersion")
        if asked is None and kind.custom:
            raise InvalidError(
                f'{kind.qualified_plural} "{key[1]}" is invalid: metadata.resourceVersion: Invalid value: 0: '
                "must be specified for an update"
            )
        if asked not in {None, old["metadata"]["resourceVersion"]}:
            raise ConflictError(
                f'Operation cannot be fulfilled on {kind.qualified_plural} "{key[1]}": the object has been modified; '
                "please apply your changes to the latest version and try again"
            )
        _check_identity(kind, old, new)
        result = updated(kind, old, _decoded(kind, new) if subresource is None else new, subresource)
        if subresource is None:
            set_defaults(kind, result)
            assign_addresses(kind, result, self._store, old)
            self._admit(AdmissionRequest("update", kind, result, old))
            check_object(kind, result, old)
            count_generation(kind, old, result)
        return self._settle(kind, key, old, result, subresource)

    def _settle(
        self, kind: Kind, key: Key, old: KubeObject, new: KubeObject, subresource: Subresource | None = None
    ) -> KubeObject:
        """Store what became of an object: changed, gone, or as it was."""
        if gone(kind, new):
            self._store.remove(kind, key, new)
        elif not (old == new and same(old, new)):
            claim(old, new, self._manager, subresource, timestamp(self._now()))
            self._store.put(kind, key, new)
        settled: KubeObject = copied(new)
        return settled

    def _found(self, kind: Kind, key: Key) -> KubeObject:
        found = self._store.find(kind, key)
        if found is None:
            raise NotFoundError(f'{kind.qualified_plural} "{key[1]}" not found')
        return found

    def _name(self, kind: Kind, obj: KubeObject) -> None:
        """Generate a name where only its beginning is given."""
        metadata = obj["metadata"]
        if metadata.get("name"):
            return
        if not metadata.get("generateName"):
            raise_if_any(kind, obj, [required("metadata.name", "name or generateName is required")])
        for _ in range(_NAME_ATTEMPTS):
            subject = (metadata.get("namespace", ""), metadata["generateName"])
            number = self._store.birth(kind, subject)
            suffix = self._identities.suffix(f"{kind.qualified_name}/{'/'.join(subject)}#{number}")
            metadata["name"] = metadata["generateName"] + suffix
            if self._store.find(kind, _key_of(kind, obj)) is None:
                return

    def _uid(self, kind: Kind, key: Key) -> str:
        """A uid for this life of the object: one of the same name that comes later gets another."""
        return self._identities.uid(f"{kind.qualified_name}/{'/'.join(key)}#{self._store.birth(kind, key)}")

    def _check_namespace(self, kind: Kind, key: Key) -> None:
        if not kind.namespaced:
            return
        namespace = self._found(kind_named("Namespace"), ("", key[0]))
        if "deletionTimestamp" in namespace["metadata"]:
            raise ForbiddenError(
                f'{kind.qualified_plural} "{key[1]}" is forbidden: '
                f"unable to create new content in namespace {key[0]} because it is being terminated"
            )

    def _admit(self, request: AdmissionRequest) -> None:
        for gatekeeper in self._gatekeepers:
            gatekeeper(request)


class MemoryWatch:
    """The changes of a cluster in memory since the last look; time does not pass while it is polled.

    Args:
        subscribe: registers a listener and returns how to end that.
    """

    def __init__(self, subscribe: Callable[[Listener], Callable[[], None]]) -> None:
        self._events: deque[WatchEvent] = deque()
        self._unsubscribe = subscribe(self._events.append)

    def poll(self, timeout: float = 0.0) -> list[WatchEvent]:  # noqa: ARG002  there is nobody to wait for
        """The events since the last call, in order."""
        events = list(self._events)
        self._events.clear()
        return events

    def close(self) -> None:
        """End the subscription."""
        self._unsubscribe()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _locate(ref: ObjectRef) -> tuple[Kind, Key]:
    kind, namespace = locate(ref)
    return kind, (namespace, ref.name)


def _check_identity(kind: Kind, old: KubeObject, new: KubeObject) -> None:
    """A change must not make an object another one."""
    was, asked = old["metadata"], new["metadata"]
    name = asked.get("name")
    if name != was["name"]:
        raise InvalidError(f"the name of the object ({name}) does not match the name on the URL ({was['name']})")
    if asked.get("namespace") != was.get("namespace"):
        raise InvalidError("the namespace of the provided object does not match the namespace sent on the request")
    if asked.get("uid", was["uid"]) != was["uid"]:
        raise_if_any(kind, old, [invalid("metadata.uid", asked["uid"], "field is immutable")])


def _decoded(kind: Kind, obj: KubeObject) -> KubeObject:
    """What of an object the server understands."""
    check_shape(kind, obj)
    return obj if kind.custom else without_empty(obj)


def _key_of(kind: Kind, obj: KubeObject) -> Key:
    metadata = obj["metadata"]
    return (metadata["namespace"] if kind.namespaced else "", metadata.get("name") or "")
