"""The objects of a snapshot as they were at a time, in the form in which a control plane's store has them."""

from __future__ import annotations

import base64
import binascii
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from itbench.cluster.kinds import Kind, kind_named
from itbench.cluster.protocol import KubeObject
from itbench.cluster.registry_keys import registry_key
from itbench.cluster.tree import copied
from itbench.environments.live.stored_form import is_mirrored, served
from itbench.model.errors import NotFoundError
from itbench.snapshot.records import Event, ObjectVersion
from itbench.snapshot.snapshot import Snapshot
from itbench.tools.history import object_changes


@dataclass(frozen=True, slots=True)
class Item:
    """An object, and where the store has it."""

    key: str
    kind: Kind
    object: KubeObject


def recorded_items(snapshot: Snapshot, at: datetime, kubelet_port: int) -> tuple[list[Item], list[str]]:
    """The objects that were there, their namespaces, and the events that had happened.

    Args:
        snapshot: of a recorder that watched, or that dumped all objects again and again.
        at: until then, inclusive.
        kubelet_port: where logs are served.

    Returns:
        The items, and identifiers of objects whose kind itbench does not know.
    """
    items: dict[str, Item] = {}
    unknown: list[str] = []
    for version in _present(snapshot, at):
        found = _typed(version)
        if found is None:
            unknown.append(str(version.entity))
            continue
        kind, obj = found
        _add(items, kind, served(kind, _complete(obj, at), kubelet_port))
    for event in snapshot.events(until=None, limit=None):
        if event.time <= at and event.watch != "DELETED":
            _add(items, kind_named("Event"), _event(event))
    spaces = {item.object["metadata"]["namespace"] for item in items.values() if item.kind.namespaced}
    for name in sorted(spaces):
        if registry_key(kind_named("Namespace"), "", name) not in items:
            bare = {
                "apiVersion": "v1",
                "kind": "Namespace",
                "metadata": {"name": name},
                "spec": {"finalizers": ["kubernetes"]},
            }
            _add(items, kind_named("Namespace"), _complete({**bare, "status": {"phase": "Active"}}, at))
    return list(items.values()), unknown


def _present(snapshot: Snapshot, at: datetime) -> Iterator[ObjectVersion]:
    """The last versions; without those of objects that the dumps did not list any more."""
    gone = {change.entity: change.time for change in object_changes(snapshot) if change.type == "gone" and change.time <= at}
    for version in snapshot.objects_at(at, limit=None):
        if version.entity not in gone or version.time >= gone[version.entity]:
            yield version


def _typed(version: ObjectVersion) -> tuple[Kind, KubeObject] | None:
    """The kind of a recorded object, and a copy that says it; lists leave out the kind and version of their items."""
    manifest = version.manifest
    metadata = manifest.get("metadata")
    if not isinstance(metadata, Mapping) or not metadata.get("name"):
        return None
    word, api = str(manifest.get("kind", "")), manifest.get("apiVersion")
    try:
        try:
            kind = kind_named(word, str(api) if api else None)
        except NotFoundError:  # of a version that we do not know
            group = str(api).rpartition("/")[0]
            kind = kind_named(f"{word}.{group}" if group else word)
    except NotFoundError:
        return None
    if kind.name == "Event":
        return None
    return kind, {**copied(dict(manifest)), "kind": kind.name, "apiVersion": api or kind.api_version}


def _complete(obj: KubeObject, at: datetime) -> KubeObject:
    """What every stored object has: a uid, and a time of creation."""
    metadata = obj["metadata"]
    place = f"{obj['kind']}/{metadata.get('namespace', '')}/{metadata['name']}"
    metadata.setdefault("uid", str(uuid.uuid5(uuid.NAMESPACE_URL, place)))
    if not metadata.get("creationTimestamp"):
        metadata["creationTimestamp"] = _rfc3339(at)
    if obj["kind"] == "Secret" and isinstance(obj.get("data"), dict):
        obj["data"] = {key: _base64(str(value)) for key, value in obj["data"].items()}
    return obj


def _base64(text: str) -> str:
    """A value of a Secret; what a recorder put in its place is none."""
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return base64.b64encode(text.encode()).decode()
    return text


def _event(event: Event) -> KubeObject:
    """An Event object; sightings of one event are one, the last."""
    involved = event.involved
    namespace = involved.namespace or "default"
    told = f"{involved} {event.reason} {event.message}"
    code = uuid.uuid5(uuid.NAMESPACE_URL, told)
    time = _rfc3339(event.time)
    fields = {"kind": involved.kind, "name": involved.name, "namespace": involved.namespace}
    obj: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {
            "name": f"{involved.name or 'event'}.{code.hex[:16]}",
            "namespace": namespace,
            "uid": str(code),
            "creationTimestamp": time,
        },
        "involvedObject": {key: value for key, value in fields.items() if value},
        "reason": event.reason,
        "message": event.message,
        "type": event.type,
        "count": event.count,
        "firstTimestamp": time,
        "lastTimestamp": time,
        "source": {"component": event.component},
    }
    return obj


def _add(items: dict[str, Item], kind: Kind, obj: KubeObject) -> None:
    metadata = obj["metadata"]
    if kind.namespaced:
        metadata.setdefault("namespace", "default")
    namespace = str(metadata["namespace"]) if kind.namespaced else ""
    if is_mirrored(kind, namespace, str(metadata["name"])):
        key = registry_key(kind, namespace, str(metadata["name"]))
        items[key] = Item(key, kind, obj)


def _rfc3339(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
