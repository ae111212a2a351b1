"""Recording events as client-go does: repeated ones are counted, similar ones are combined, too many are dropped.

- An event that equals an earlier one in everything but time raises its `count`.
- From the tenth message on that differs only in its text within ten minutes, they are combined into one.
- A source may write 25 events of a type about an object; afterwards one every five minutes.
(client-go/tools/record/events_cache.go)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from zlib import crc32

from itbench.cluster.memory import MemoryCluster
from itbench.cluster.protocol import KubeObject
from itbench.cluster.reference import ObjectRef
from itbench.model.errors import ClusterError, NotFoundError
from itbench.twin.clock import Clock
from itbench.twin.objects import name_of, namespace_of

EventType = Literal["Normal", "Warning"]

BURST = 25
REFILL_SECONDS = 300.0
SIMILAR_LIMIT = 10
SIMILAR_SECONDS = 600.0
COMBINED = "(combined from similar events): "


@dataclass
class _Budget:
    """A token bucket."""

    tokens: float
    time: float

    def take(self, now: float) -> bool:
        self.tokens = min(BURST, self.tokens + (now - self.time) / REFILL_SECONDS)
        self.time = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


@dataclass
class _Similar:
    """The messages that differed only in their text."""

    time: float
    messages: set[str] = field(default_factory=set)


class Recorder:
    """Writes the events of one component.

    Args:
        cluster: where they go.
        clock: what time it is.
        component: who reports.
        host: the node, for a kubelet.
    """

    def __init__(self, cluster: MemoryCluster, clock: Clock, component: str, host: str = "") -> None:
        self._cluster = cluster.acting_as(component)
        self._clock = clock
        self._component = component
        self._host = host
        self._seen: dict[tuple[str, ...], KubeObject] = {}
        self._similar: dict[tuple[str, ...], _Similar] = {}
        self._budgets: dict[tuple[str, ...], _Budget] = {}

    def normal(self, obj: KubeObject, reason: str, message: str, field_path: str = "") -> None:
        """Record that something happened as it should."""
        self._record(obj, "Normal", reason, message, field_path)

    def warning(self, obj: KubeObject, reason: str, message: str, field_path: str = "") -> None:
        """Record that something did not."""
        self._record(obj, "Warning", reason, message, field_path)

    def _record(self, obj: KubeObject, kind: EventType, reason: str, message: str, field_path: str) -> None:
        involved = _reference(obj, field_path)
        about = (involved["kind"], involved.get("namespace", ""), involved["name"], involved["uid"])
        message, combined = self._combine((*about, field_path, kind, reason), message)
        key = (*about, field_path, kind, reason, COMBINED if combined else message)
        if not self._budgets.setdefault((*about, kind), _Budget(BURST, self._clock.now)).take(self._clock.now):
            return
        now = self._clock.stamp()
        known = self._seen.get(key)
        if known is not None:
            known = {**known, "count": known["count"] + 1, "lastTimestamp": now, "message": message}
            change = {name: known[name] for name in ("count", "lastTimestamp", "message")}
            self._seen[key] = known
            try:
                self._cluster.patch(ObjectRef.of(known), change, "merge")
                return
            except NotFoundError:  # it has expired
                event = known
            except ClusterError:
                return
        else:
            event = self._event(involved, kind, reason, message, now)
            if combined:
                event["reportingComponent"] = ""
        try:
            self._cluster.create(event)
        except ClusterError:  # events go with their namespace, and nobody misses them
            return
        self._seen[key] = event

    def _combine(self, key: tuple[str, ...], message: str) -> tuple[str, bool]:
        """The message to write, and whether it stands for several."""
        similar = self._similar.get(key)
        if similar is None or self._clock.now - similar.time > SIMILAR_SECONDS:
            similar = self._similar[key] = _Similar(self._clock.now)
        similar.time = self._clock.now
        similar.messages.add(message)
        if len(similar.messages) < SIMILAR_LIMIT:
            return message, False
        return COMBINED + message, True

    def _event(self, involved: KubeObject, kind: EventType, reason: str, message: str, now: str) -> KubeObject:
        # Kubernetes takes nanoseconds; component and count keep events of one simulated instant apart.
        nanoseconds = int((self._clock.epoch.timestamp() + self._clock.now) * 1e6) * 1000
        serial = nanoseconds + (crc32(self._component.encode()) % 4096 << 20) + len(self._seen)
        source = {"component": self._component, **({"host": self._host} if self._host else {})}
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {
                "name": f"{involved['name']}.{serial:x}",
                "namespace": involved.get("namespace") or "default",
            },
            "involvedObject": involved,
            "type": kind,
            "reason": reason,
            "message": message,
            "count": 1,
            "firstTimestamp": now,
            "lastTimestamp": now,
            "eventTime": None,
            "source": source,
            "reportingComponent": self._component,
            "reportingInstance": self._host,
        }


def _reference(obj: KubeObject, field_path: str) -> KubeObject:
    """What an event says about the object that it is about."""
    metadata: Mapping[str, Any] = obj["metadata"]
    reference = {
        "apiVersion": obj["apiVersion"],
        "kind": obj["kind"],
        "name": name_of(obj),
        "uid": metadata.get("uid", ""),
    }
    if namespace_of(obj):
        reference["namespace"] = namespace_of(obj)
    if "resourceVersion" in metadata:
        reference["resourceVersion"] = metadata["resourceVersion"]
    if field_path:
        reference["fieldPath"] = field_path
    return reference
