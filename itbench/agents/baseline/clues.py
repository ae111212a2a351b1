"""The rules: what speaks for an object being the root cause. Each is general, and can be left out by name.

Points say how much a clue weighs by itself; how they are put together is the ranking's work.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from itbench.agents.baseline.case import WORKLOADS, Case
from itbench.model.entity import Entity
from itbench.tools.diff import FieldChange
from itbench.tools.history import ObjectChange

# Fields that change nothing for pods or traffic.
_COSMETIC = re.compile(
    r"^(metadata\.(labels|annotations|finalizers|ownerReferences|deletion\w+|creationTimestamp)"
    r"|spec\.(revisionHistoryLimit|progressDeadlineSeconds|minReadySeconds|paused)|status)\b"
)
# Except where labels are what other things go by.
_LABELS_TELL = frozenset(("Namespace", "Node", "Pod"))
_BEFORE, _HALF_LIFE_BEFORE, _HALF_LIFE_AFTER = timedelta(minutes=6), timedelta(minutes=10), timedelta(minutes=4)
_SLACK = timedelta(minutes=1)
_POLICIES = frozenset(
    "NetworkPolicy AuthorizationPolicy PeerAuthentication ResourceQuota LimitRange PodDisruptionBudget VirtualService "
    "DestinationRule HorizontalPodAutoscaler".split()
)
_BY_REASON: Mapping[str, float] = {
    "Failed": 0.8, "BackOff": 0.5, "FailedScheduling": 0.9, "FailedMount": 0.9, "FailedCreate": 0.7, "OOMKilling": 0.9,
    "Evicted": 0.6, "Unhealthy": 0.4, "FailedCreatePodSandBox": 0.6, "FailedGetResourceMetric": 0.2,
}  # fmt: skip
_QUOTA = re.compile(r"exceeded quota: ([a-z0-9.-]+)")
_MISSING = re.compile(r'(configmap|secret|persistentvolumeclaim|serviceaccount) "([a-z0-9./-]+)" not found', re.IGNORECASE)
_KINDS_OF_MISSING = {
    "configmap": "ConfigMap",
    "secret": "Secret",
    "persistentvolumeclaim": "PersistentVolumeClaim",
    "serviceaccount": "ServiceAccount",
}


@dataclass(frozen=True, slots=True)
class Clue:
    """One reason to suspect an object, with its weight and when it shows."""

    rule: str
    entity: Entity
    points: float
    text: str
    time: datetime | None = None


Rule = Callable[[Case], Iterator[Clue]]


def changes(case: Case) -> Iterator[Clue]:
    """Objects that somebody changed, made or removed about when it began; cosmetics and mere restarts count little."""
    net = _net(case)
    scaled = {edge.target for edge in case.graph.edges if edge.relation == "scales"}
    best: dict[Entity, Clue] = {}
    for change in case.changes:
        if _is_chaos(change.entity):
            continue
        weight, what = _weight(change, net[change.entity], change.entity in scaled)
        points = weight * closeness(change.time, case.onset)
        known = best.get(change.entity)
        if points > 0.02 and (known is None or points > known.points):
            best[change.entity] = Clue("changes", change.entity, points, what, change.time)
    yield from best.values()


def chaos(case: Case) -> Iterator[Clue]:
    """Experiments of a fault injector, which nobody needs to guess about; a Schedule stands for those that it makes."""
    known = [entity for entity in case.session.entities.known if _is_chaos(entity)]
    schedules = {entity.name for entity in known if entity.kind == "Schedule"}
    for entity in known:
        made = entity.kind != "Schedule" and entity.name.rpartition("-")[0] in schedules
        if made or case.top(entity) != entity:
            continue
        times = [change.time for change in case.session.spec_changes if change.entity == entity and change.type == "created"]
        moment = min(times, default=None)
        near = 1.0 if moment is None else max(closeness(moment, case.onset), 0.5)
        yield Clue("chaos", entity, 1.5 * near, f"{entity.kind} {entity.name} injects faults", moment)


def events(case: Case) -> Iterator[Clue]:
    """Workloads whose pods cannot be made, placed, started or kept ready, and the objects that the warnings name."""
    points: dict[Entity, tuple[float, str, datetime]] = {}

    def add(entity: Entity, weight: float, text: str, time: datetime) -> None:
        if entity not in points or points[entity][0] < weight:
            points[entity] = weight, text, time

    for event in case.events:
        weight = _BY_REASON.get(event.reason, 0.2)
        text = f"{event.reason}: {event.message[:200]}"
        owner = case.top(event.involved)
        if owner.kind in ("Pod", "ReplicaSet"):
            owner = case.workload_named(case.application(event.involved.name)) or owner
        add(owner, weight, text, event.time)
        for quota in _QUOTA.findall(event.message):
            add(Entity(namespace=event.involved.namespace, kind="ResourceQuota", name=quota), 1.0, text, event.time)
        for kind, name in _MISSING.findall(event.message):
            missing = Entity(
                namespace=event.involved.namespace, kind=_KINDS_OF_MISSING[kind.lower()], name=name.split("/")[-1]
            )
            add(missing, 0.4, text, event.time)
    for entity, (weight, text, time) in points.items():
        yield Clue("events", entity, weight, text, time)


def blame(case: Case) -> Iterator[Clue]:
    """Applications where trouble begins: calls to them suffer, and none of the calls that they make does."""
    into: dict[str, float] = defaultdict(float)
    out: dict[str, float] = defaultdict(float)
    for symptom in case.symptoms:
        if symptom.errors or symptom.slower > 1:
            into[case.component(symptom.callee)] = max(into[case.component(symptom.callee)], symptom.weight)
            out[case.component(symptom.caller)] = max(out[case.component(symptom.caller)], symptom.weight)
    for name, weight in into.items():
        own = max(weight - out.get(name, 0.0), 0.0)
        if own > 0.05:
            entity = case.workload_named(case.application(name)) or case.session.service_entity(name)
            yield Clue("blame", entity, own, f"calls to {name} suffer, and no call that it makes explains that", case.onset)


def alerts(case: Case) -> Iterator[Clue]:
    """What alerts about objects (pods, roll-outs, autoscalers) are about; alerts about services merely tell of effects."""
    best: dict[Entity, Clue] = {}
    for alert in case.alerts:
        about_objects = alert.name.startswith(("Kube", "FailedPods", "CPUThrottling", "Node"))
        name = case.application(alert.entity)
        entity = case.workload_named(name)
        if entity is None:
            continue
        points = 0.4 if about_objects else 0.1
        if entity not in best or best[entity].points < points:
            began = alert.last_seen - alert.duration
            best[entity] = Clue("alerts", entity, points, f"{alert.name} on {alert.entity}", began)
    yield from best.values()


def saturation(case: Case) -> Iterator[Clue]:
    """Workloads whose containers reach their memory limit, are held back at their processor limit, or are started again."""
    for name, reason, time in _saturated(case):
        entity = case.workload_named(case.application(name))
        if entity is not None:
            yield Clue("saturation", entity, 0.5, f"{name}: {reason}", time)


def logs(case: Case) -> Iterator[Clue]:
    """Applications that errors in other applications' logs name, more often than before."""
    rows = case.session.snapshot.query(
        """SELECT service, body, min(time), count(*) FROM stored.logs
        WHERE severity_number >= 13 AND time >= ? GROUP BY service, body ORDER BY count(*) DESC, body LIMIT 400""",
        [_naive(case.onset - _SLACK)],
    )
    known = {entity.name for entity in case.session.entities.known if entity.kind == "Service"}
    counts: dict[str, list[tuple[int, str, datetime]]] = defaultdict(list)
    for service, body, first, count in rows:
        words = set(re.findall(r"[a-z0-9][a-z0-9-]*", str(body)[:500].lower()))
        for name in sorted((words & known) - {service}):
            counts[name].append((int(count), str(body)[:160], case.session.utc(first)))
    total = sum(count for found in counts.values() for count, _, _ in found)
    for name, found in counts.items():
        share = sum(count for count, _, _ in found) / total
        entity = case.workload_named(case.application(name)) or case.session.service_entity(name)
        yield Clue("logs", entity, 0.4 * share, f"logged elsewhere: {found[0][1]}", found[0][2])


RULES: Mapping[str, Rule] = {
    "changes": changes, "chaos": chaos, "events": events, "blame": blame,
    "alerts": alerts, "saturation": saturation, "logs": logs,
}  # fmt: skip
"""Every rule by its name."""


def closeness(time: datetime, onset: datetime) -> float:
    """How well a moment fits a cause of what began at `onset`: 1 shortly before, less the farther away, 0 to 1."""
    if -_SLACK <= onset - time <= _BEFORE:
        return 1.0
    if time < onset:
        return float(0.5 ** ((onset - time - _BEFORE) / _HALF_LIFE_BEFORE))
    return float(0.5 ** ((time - onset - _SLACK) / _HALF_LIFE_AFTER))


def is_restart(item: FieldChange) -> bool:
    """Whether a field is what `kubectl rollout restart` writes; the first one brings the annotations with it."""
    if item.path.endswith("template.metadata.annotations"):
        return all("restartedAt" in key for value in (item.old, item.new) if isinstance(value, dict) for key in value)
    return "annotations" in item.path and "restartedAt" in item.path


def _is_chaos(entity: Entity) -> bool:
    return entity.kind == "Schedule" or bool(entity.kind and entity.kind.endswith("Chaos"))


def _net(case: Case) -> dict[Entity, frozenset[str]]:
    """By object, the paths that are not at the end what they were at first."""
    first: dict[tuple[Entity, str], object] = {}
    last: dict[tuple[Entity, str], object] = {}
    for change in case.changes:
        for item in change.fields:
            first.setdefault((change.entity, item.path), item.old)
            last[change.entity, item.path] = item.new
    found: dict[Entity, set[str]] = defaultdict(set)
    for key, value in last.items():
        if value != first[key]:
            found[key[0]].add(key[1])
    return defaultdict(frozenset, {entity: frozenset(paths) for entity, paths in found.items()})


def _weight(change: ObjectChange, net: frozenset[str], scaled: bool) -> tuple[float, str]:
    """How much a change weighs by its nature, and what it is."""
    kind, label = change.entity.kind or "", f"{change.entity.kind} {change.entity.name}"
    if change.type == "created":
        return (1.0 if kind in _POLICIES else 0.7 if kind in WORKLOADS else 0.4), f"{label} was created"
    if change.type != "modified":
        return 1.2, f"{label} was deleted"
    telling = [item for item in change.fields if not _is_cosmetic(item, kind)]
    lasting = [item for item in telling if item.path in net]
    if not lasting:
        return (0.15, f"{label}: {telling[0]} (taken back later)") if telling else (0.02, f"{label}: {change.fields[0]}")
    if all(map(is_restart, lasting)):
        return 0.2, f"{label} was restarted"
    by_autoscaler = scaled and all(item.path == "spec.replicas" for item in lasting)
    return (0.15, f"{label} was scaled by its autoscaler") if by_autoscaler else (1.0, f"{label}: {lasting[0]}")


def _is_cosmetic(item: FieldChange, kind: str) -> bool:
    if kind in _LABELS_TELL and item.path.startswith("metadata.labels"):
        return False
    return _COSMETIC.match(item.path) is not None


def _saturated(case: Case) -> Iterator[tuple[str, str, datetime]]:
    """Pods, why, and since when."""
    limits = _memory_limits(case)
    rows = case.session.snapshot.query(
        """SELECT object_name, max(value), arg_max(time, value) FROM stored.metrics
        WHERE metric = 'container_memory_working_set_bytes' AND time >= ? GROUP BY object_name ORDER BY object_name""",
        [_naive(case.onset - _SLACK)],
    )
    for name, most, time in rows:
        limit = limits.get(name)
        if limit and most >= 0.93 * limit:
            yield str(name), f"uses {most / limit:.0%} of its memory limit", case.session.utc(time)
    rows = case.session.snapshot.query(
        """WITH p AS (SELECT object_name, metric, max(value) - min(value) AS grown, min(time) AS time FROM stored.metrics
            WHERE metric IN ('container_cpu_cfs_throttled_periods_total', 'container_cpu_cfs_periods_total') AND time >= ?
            GROUP BY object_name, metric)
        SELECT a.object_name, a.grown / b.grown, a.time FROM p a JOIN p b USING (object_name)
        WHERE a.metric LIKE '%throttled%' AND b.metric NOT LIKE '%throttled%' AND b.grown > 0 AND a.grown > 0.25 * b.grown
        ORDER BY a.object_name""",
        [_naive(case.onset)],
    )
    for name, share, time in rows:
        yield str(name), f"is throttled in {share:.0%} of its periods", case.session.utc(time)


def _memory_limits(case: Case) -> dict[str, float]:
    from itbench.cluster.quantity import quantity
    from itbench.model.errors import InvalidError

    found: dict[str, float] = {}
    for version in case.session.snapshot.objects_at(None, kind="Pod", limit=None):
        for container in (version.manifest.get("spec") or {}).get("containers") or ():
            text = ((container.get("resources") or {}).get("limits") or {}).get("memory")
            try:
                if text is not None:
                    found[version.entity.name] = float(quantity(str(text)))
            except InvalidError:
                continue
    return found


def _naive(time: datetime) -> datetime:
    from datetime import UTC

    return time.astimezone(UTC).replace(tzinfo=None)
