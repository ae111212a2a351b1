"""What became of a cluster's objects since a fault, from a watch: facts and how they changed, events, fields that differ."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from itbench.cluster.protocol import KubeObject
from itbench.twin.compare.facts import DERIVED, changed, facts_of, facts_of_endpoints, facts_of_pods, is_compared, reasons_of
from itbench.twin.compare.subjects import Subject, Subjects
from itbench.twin.compare.watch import LAG_SECONDS
from itbench.twin.objects import controller_of, name_of, namespace_of
from itbench.twin.telemetry.history import Observation

Item: TypeAlias = tuple[Subject, str]
"""An aspect of a subject."""
EventKey: TypeAlias = tuple[Subject, str]
"""What an event is about (`Pod cart`), and its reason."""

GONE = "gone"
_WITHOUT_NAMESPACE = frozenset(("Node", "PriorityClass"))


@dataclass
class World:
    """A watch, summed up; seconds count from the fault.

    Attributes:
        histories: the values of each item, each with the second from which on it had it; what was before is at -inf.
        reasons: when pods of a subject first waited, ended or found no node, and why.
        events: by what they are about and their reason.
        fields: what differs at the end from before, of each object that differs.
        end: the last second.
    """

    histories: dict[Item, list[tuple[float, str]]]
    reasons: dict[Item, float]
    events: set[EventKey]
    fields: dict[Subject, str]
    end: float

    def before(self, item: Item) -> str:
        """The value before the fault."""
        values = [value for second, value in self.histories.get(item, ()) if second < 0]
        return values[-1] if values else GONE

    def last(self, item: Item) -> str:
        """The value at the end."""
        values = self.histories.get(item)
        return values[-1][1] if values else GONE

    def late(self, item: Item) -> set[str]:
        """All values that it had in the last ten seconds."""
        found = {self.last(item)}
        since = self.end - LAG_SECONDS
        for index, (second, value) in enumerate(self.histories.get(item, ())):
            following = self.histories[item][index + 1 : index + 2]
            if second >= since or (following and following[0][0] > since):
                found.add(value)
        return found


@dataclass
class _Reading:
    """A watch while it is read."""

    subjects: Subjects = field(default_factory=Subjects)
    groups: dict[tuple[str, Subject], dict[str, KubeObject]] = field(default_factory=lambda: defaultdict(dict))
    before: dict[Subject, KubeObject] | None = None
    written: dict[Subject, KubeObject] = field(default_factory=dict)
    world: World = field(default_factory=lambda: World({}, {}, set(), {}, 0.0))

    def take(self, seen: Observation) -> None:
        kind, second = str(seen.object["kind"]), seen.time
        if second >= 0 and self.before is None:
            self.before = dict(self.written)
        if kind == "Event":
            if second >= 0 and seen.type != "DELETED":
                self.world.events.add((self.subjects.told_of(_involved(seen.object)), str(seen.object.get("reason"))))
            return
        gone = seen.type == "DELETED"
        subject = self.subjects.of(seen.object)
        if kind in ("Pod", "EndpointSlice"):
            group = self.groups[kind, subject]
            if gone:
                group.pop(name_of(seen.object), None)
            else:
                group[name_of(seen.object)] = seen.object
            self._note(second, subject, (facts_of_pods if kind == "Pod" else facts_of_endpoints)(group.values()))
        if kind == "Pod" and second >= 0 and not gone:
            for reason in reasons_of(seen.object):
                self.world.reasons.setdefault((subject, reason), second)
        if kind not in DERIVED and kind != "Pod":
            facts = facts_of(seen.object)
            self._note(second, subject, dict.fromkeys(facts, GONE) if gone else facts)
        if kind not in DERIVED and controller_of(seen.object) is None:
            if gone:
                self.written.pop(subject, None)
            else:
                self.written[subject] = seen.object

    def _note(self, second: float, subject: Subject, facts: Mapping[str, str]) -> None:
        for aspect, value in facts.items():
            values = self.world.histories.setdefault((subject, aspect), [])
            if not values or values[-1][1] != value:
                values.append((second, value))


def read_world(observations: Iterable[Observation], namespace: str, end: float) -> World:
    """Sum up a watch of a cluster.

    Args:
        observations: in the order in which things happened, with seconds since the fault.
        namespace: of the application; of what lies in none, nodes and priorities count.
        end: the last second to look at.
    """
    reading = _Reading()
    belonging = [seen for seen in observations if seen.time <= end and _belongs(seen.object, namespace)]
    for seen in belonging:  # first: a ReplicaSet's last version may be younger than its pods
        reading.subjects.learn(seen.object)
    for seen in belonging:
        reading.take(seen)
    world = reading.world
    world.end = end
    before = reading.before or {}  # where nothing happened, nothing has changed
    for subject in sorted({*before, *reading.written} if reading.before is not None else ()):
        text = changed(before.get(subject), reading.written.get(subject))
        if text:
            world.fields[subject] = text
    return world


def _belongs(obj: KubeObject, namespace: str) -> bool:
    if not is_compared(str(obj["kind"])):
        return False
    if obj["kind"] == "Event":
        involved = _involved(obj)
        return involved.get("namespace") == namespace or involved.get("kind") in _WITHOUT_NAMESPACE
    return namespace_of(obj) == namespace or obj["kind"] in _WITHOUT_NAMESPACE


def _involved(event: KubeObject) -> Mapping[str, Any]:
    """What an event is about, by either API."""
    return event.get("involvedObject") or event.get("regarding") or {}
