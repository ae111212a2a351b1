"""What the tools of one toolbox share: the snapshot, its clock, and what they have worked out already."""

from __future__ import annotations

import threading
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Hashable, Iterable
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, TypeVar

from itbench.model.entity import Entity
from itbench.snapshot.filters import Filter
from itbench.snapshot.layout import Family
from itbench.snapshot.snapshot import Snapshot
from itbench.tools.calls import service_calls
from itbench.tools.clock import Clock, iso
from itbench.tools.entities import Entities
from itbench.tools.errors import ToolError, did_you_mean
from itbench.tools.graph import Graph, build
from itbench.tools.history import ObjectChange, object_changes
from itbench.tools.live import NOT_LIVE, LiveTools

T = TypeVar("T")
_RECENT = 16


class Session:
    """An open snapshot and what is derived from it once: agents ask again and again. Threads may share it."""

    def __init__(self, snapshot: Snapshot, live: LiveTools = NOT_LIVE) -> None:
        self.snapshot = snapshot
        self.live = live
        self._known: dict[Hashable, Any] = {}
        self._recent: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = threading.RLock()

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` gave the first time it was asked for under `key`."""
        with self._lock:
            if key not in self._known:
                self._known[key] = make()
            found: T = self._known[key]
            return found

    def recently(self, key: Hashable, make: Callable[[], T]) -> T:
        """The same for keys that agents choose: only the last ones are kept."""
        with self._lock:
            if key not in self._recent:
                self._recent[key] = make()
                if len(self._recent) > _RECENT:
                    self._recent.popitem(last=False)
            self._recent.move_to_end(key)
            found: T = self._recent[key]
            return found

    @cached_property
    def clock(self) -> Clock:
        """The times of the recording.

        Raises:
            ToolError: nothing with a time was recorded.
        """
        ends = self.snapshot.span_of_time()
        if ends is None:
            raise ToolError("this snapshot has no alerts, events, objects, logs, spans or metrics")
        start = self.snapshot.telemetry_start() or ends[0]
        summaries = self.snapshot.alert_summaries(limit=None)
        # What was active before the recording began (a watchdog, an old quarrel) does not tell when the incident began.
        active = sorted(summary.last_seen - summary.duration for summary in summaries)
        fresh = [time for time in active if time > start]
        if fresh:
            return Clock(start, ends[1], fresh[0], "the first alert became active")
        why = "all alerts were active from the beginning on" if active else "no alert fired"
        return Clock(start, ends[1], start + (ends[1] - start) / 2, f"{why}: this is the middle of the recording")

    def window(self, since: str | None, until: str | None) -> tuple[datetime | None, datetime | None]:
        """The times that an agent wrote, None where it wrote none.

        Raises:
            ToolError: a time cannot be read, or the window is empty.
        """
        first = None if since is None else self.clock.parse(since)
        last = None if until is None else self.clock.parse(until)
        if first is not None and last is not None and first >= last:
            raise ToolError(f"since={since} is not before until={until}", hint=str(self.clock))
        return first, last

    def around(self, since: str | None, pivot: str | None, until: str | None) -> tuple[datetime, datetime, datetime]:
        """Beginning, pivot and end of a comparison; by default the recording, parted when the incident showed.

        Raises:
            ToolError: a time cannot be read, or they are not in this order.
        """
        first = self.clock.start if since is None else self.clock.parse(since)
        middle = self.clock.incident if pivot is None else self.clock.parse(pivot)
        last = self.after if until is None else self.clock.parse(until)
        if not first < middle < last:
            raise ToolError(
                f"the times must be in the order since {iso(first)} < pivot {iso(middle)} < until {iso(last)}",
                hint=str(self.clock),
            )
        return first, middle, last

    @cached_property
    def entities(self) -> Entities:
        """What there is."""
        return self.once("entities", lambda: Entities.of(self.snapshot))

    @property
    def changes(self) -> tuple[ObjectChange, ...]:
        """What happened to objects, by time."""
        return self.once("changes", lambda: object_changes(self.snapshot))

    @property
    def spec_changes(self) -> tuple[ObjectChange, ...]:
        """Those that are more than a new status."""
        return self.once("spec changes", lambda: tuple(change for change in self.changes if change.in_spec))

    def changes_of(self, entities: Iterable[Entity]) -> list[ObjectChange]:
        """Those of `spec_changes` that are about one of these, by time."""

        def sort_out() -> dict[Entity, list[ObjectChange]]:
            found: dict[Entity, list[ObjectChange]] = defaultdict(list)
            for change in self.spec_changes:
                found[change.entity].append(change)
            return dict(found)

        by_entity = self.once("changes by entity", sort_out)
        return sorted(
            (change for entity in entities for change in by_entity.get(entity, ())), key=lambda change: change.time
        )

    def service_entity(self, service: str) -> Entity:
        """The Kubernetes Service behind the name that telemetry has; without a namespace where objects do not know it."""
        return self._service_entities.get(service) or Entity(kind="Service", name=service)

    @cached_property
    def _service_entities(self) -> dict[str, Entity]:
        rows = self.snapshot.query(
            """SELECT DISTINCT service, map_json(resource)->>'$."k8s.namespace.name"'
            FROM (SELECT DISTINCT service, resource FROM stored.spans) ORDER BY ALL DESC"""
        )
        home = {service: namespace for service, namespace in rows if namespace}
        found: dict[str, Entity] = {}
        for entity in reversed(self.entities.known):
            if entity.kind == "Service" and home.get(entity.name, entity.namespace) == entity.namespace:
                found[entity.name] = entity
        return {service: Entity(namespace=home[service], kind="Service", name=service) for service in home} | found

    def graph(self, at: datetime | None = None) -> Graph:
        """How objects hang together at a time, by default the end; calls are those of the whole recording."""
        moment = at or self.clock.end

        def make() -> Graph:
            calls = [
                (self.service_entity(caller), self.service_entity(callee), f"{count} calls, {errors} failed")
                for caller, callee, count, errors in service_calls(self)
            ]
            return build(self.snapshot.objects_at(moment, limit=None), calls)

        if at is None:
            return self.once("graph", make)
        return make()

    def one_of_services(self, service: str | None) -> str | None:
        """The name as telemetry has it; None for None.

        Raises:
            ToolError: no such service sent logs or spans.
        """
        if service is None:
            return None
        name = Entity.parse(service).name if service.strip() else service
        known = {each.casefold(): each for each in self.entities.services}
        if name.casefold() not in known:
            hint = did_you_mean(name, known.values())
            raise ToolError(f"no service {name[:80]!r} sent logs or spans", hint=hint)
        return known[name.casefold()]

    def count(self, family: Family, found: Filter) -> int:
        """Rows of `stored.<family>` that fit."""
        ((rows,),) = self.snapshot.query(f"SELECT count(*) FROM stored.{family} {found}", found.values)
        return int(rows)

    @staticmethod
    def utc(time: datetime) -> datetime:
        """A time as the store has it, with its zone."""
        return time.replace(tzinfo=UTC)

    @cached_property
    def after(self) -> datetime:
        """A time just after the end: `until` is exclusive."""
        return self.clock.end + timedelta(microseconds=1)
