"""What the baseline looks at: one reading of a snapshot, from which all rules draw."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from itbench.model.entity import Entity
from itbench.scoring.names import base_name
from itbench.snapshot.records import AlertSummary, Event
from itbench.tools.calls import CallChange, call_changes
from itbench.tools.graph import Graph
from itbench.tools.history import ObjectChange
from itbench.tools.session import Session

WORKLOADS = frozenset(("Deployment", "StatefulSet", "DaemonSet", "CronJob", "Job"))
DERIVED = frozenset(("Pod", "ReplicaSet", "EndpointSlice", "Endpoints", "ControllerRevision", "Event", "Lease"))
"""Kinds that controllers write: what happens to them follows from something else."""

_SHARE, _RATIO, _LONGER_MS = 0.03, 1.5, 20.0
_SETTLING = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Symptom:
    """Trouble between two services: calls that fail more often or take longer than before, or no longer come."""

    caller: str
    callee: str
    errors: float
    slower: float
    vanished: bool

    @property
    def weight(self) -> float:
        """How bad it is, 0 to 1."""
        return max(self.errors, min((self.slower - 1) / 10, 0.7), 0.3 if self.vanished else 0.0)


class Case:
    """One incident.

    Args:
        session: of an open snapshot.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.start, self.end = session.clock.start, session.clock.end

    @cached_property
    def onset(self) -> datetime:
        """When services began to suffer; when the first alert became active, where no service tells."""
        from itbench.agents.baseline.onset import onset

        return onset(self.session)

    @cached_property
    def alerts(self) -> tuple[AlertSummary, ...]:
        """Alerts that became active in the incident; older quarrels are left out unless there is nothing else."""
        every = tuple(self.session.snapshot.alert_summaries(limit=None))
        fresh = tuple(it for it in every if it.last_seen - it.duration > self.start + _SETTLING)
        return fresh or every

    @cached_property
    def graph(self) -> Graph:
        """How objects hang together at the end."""
        return self.session.graph()

    @cached_property
    def changes(self) -> tuple[ObjectChange, ...]:
        """Changes of what people write, from the beginning of the recording on."""
        return tuple(
            change
            for change in self.session.spec_changes
            if change.entity.kind not in DERIVED and change.entity not in self._owned and change.time >= self.start
        )

    @cached_property
    def events(self) -> tuple[Event, ...]:
        """Warnings of a kind that there was not before the onset."""
        pivot = self.onset - timedelta(minutes=3)
        warnings = self.session.snapshot.events(type="Warning", limit=None)
        old = {(it.involved.kind, it.reason) for it in warnings if it.time < pivot}
        fresh = [it for it in warnings if it.time >= pivot]
        return tuple(it for it in fresh if (it.involved.kind, it.reason) not in old or it.count > 2)

    @cached_property
    def calls(self) -> tuple[CallChange, ...]:
        """Calls between services before and after the onset."""
        pivot = min(max(self.onset, self.start + timedelta(seconds=1)), self.end)
        return tuple(call_changes(self.session, self.start, pivot, self.session.after)) if pivot < self.end else ()

    @cached_property
    def symptoms(self) -> tuple[Symptom, ...]:
        """Calls in trouble, the worst first."""
        found = []
        for call in self.calls:
            slower = call.latency_ratio or 1.0
            longer = (call.after.p95_ms or 0.0) - (call.before.p95_ms or 0.0)
            slower = slower if slower >= _RATIO and longer >= _LONGER_MS else 1.0
            errors = max(call.error_change, 0.0)
            if not call.before.count and call.after.error_share:
                errors = call.after.error_share
            vanished = call.state == "vanished" or 0 < call.after.per_minute < 0.3 * call.before.per_minute
            if call.callee and (errors >= _SHARE or slower > 1.0 or vanished):
                found.append(Symptom(call.caller, call.callee, errors, slower, vanished))
        return tuple(sorted(found, key=lambda it: (-it.weight, it.caller, it.callee)))

    @cached_property
    def suffering(self) -> frozenset[str]:
        """Applications that calls or alerts say are in trouble, by name."""
        names = {name for it in self.symptoms for name in (it.callee, it.caller) if it.errors or it.slower > 1}
        return frozenset(self.component(name) for name in names) | {
            self.application(alert.entity) for alert in self.alerts if alert.entity
        }

    def component(self, service: str) -> str:
        """The application behind the name that telemetry or an address gives a service."""
        return service.split(".", maxsplit=1)[0].split(":", maxsplit=1)[0]

    def application(self, name: str) -> str:
        """The application that a pod, a workload or a service of this name belongs to."""
        return self._applications.get(name) or self.component(name)

    def workloads_of(self, entity: Entity) -> tuple[Entity, ...]:
        """The workloads that an object is, owns, selects, scales or is used by."""
        if entity.kind in WORKLOADS:
            return (entity,)
        return tuple(sorted(self._workloads_near.get(entity, ()), key=str))

    def workload_named(self, name: str) -> Entity | None:
        """The workload of this name."""
        return self._workload_names.get(name)

    @cached_property
    def _owned(self) -> frozenset[Entity]:
        return frozenset(edge.target for edge in self.graph.edges if edge.relation == "owns")

    @cached_property
    def _owner(self) -> dict[Entity, Entity]:
        owning = (edge for edge in self.graph.edges if edge.relation == "owns" and edge.source.kind != "Node")
        return {edge.target: edge.source for edge in owning}

    def top(self, entity: Entity) -> Entity:
        """The owner of an object's owners."""
        seen = {entity}
        while entity in self._owner and self._owner[entity] not in seen:
            entity = self._owner[entity]
            seen.add(entity)
        return entity

    @cached_property
    def _workload_names(self) -> dict[str, Entity]:
        known = [it for it in self.session.entities.known if it.kind in WORKLOADS and self.top(it) == it]
        return {it.name: it for it in reversed(known)}

    @cached_property
    def _applications(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for entity in self.session.entities.known:
            if entity.kind in ("Pod", "ReplicaSet", *WORKLOADS):
                owner = self.top(entity)
                found[entity.name] = (
                    owner.name if owner != entity or entity.kind in WORKLOADS else base_name(entity.name, "pod")
                )
        for edge in self.graph.edges:
            if edge.relation == "selects" and edge.source.kind == "Service":
                found.setdefault(edge.source.name, self.top(edge.target).name)
        return found

    @cached_property
    def _workloads_near(self) -> dict[Entity, set[Entity]]:
        """By object: the workloads whose pods it selects, scales, or is used by."""
        found: dict[Entity, set[Entity]] = defaultdict(set)
        for edge in self.graph.edges:
            if edge.relation in ("selects", "scales", "owns"):
                found[edge.source] |= _only_workloads([self.top(edge.target)])
            elif edge.relation == "uses":
                found[edge.target] |= _only_workloads([self.top(edge.source)])
            elif edge.relation == "limits":
                found[edge.source] |= {it for it in self._workload_names.values() if it.namespace == edge.source.namespace}
        return dict(found)


def _only_workloads(entities: Iterable[Entity]) -> set[Entity]:
    return {entity for entity in entities if entity.kind in WORKLOADS}
