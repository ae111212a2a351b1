"""What happened to the objects of a snapshot: created, changed, deleted, or no longer there."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple

from itbench.model.entity import Entity
from itbench.snapshot.snapshot import Snapshot
from itbench.tools.diff import FieldChange, diff

ChangeType = Literal["created", "modified", "deleted", "gone"]
# These beat: they are renewed or rewritten all the time and say nothing of a change. Events have tools of their own.
_BEATING = frozenset({"Lease", "Event"})
# An object without a creationTimestamp was created if it is first seen so long after the first one of all.
_FIRST_DUMP = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class ObjectChange:
    """One change of one object.

    Attributes:
        time: when it happened: by the object's own account (creationTimestamp, deletionTimestamp, managedFields) where it
            lies between the two observations, else that of the observation that showed it.
        observed: when the recorder saw it.
        previous: when the recorder saw the object the last time before.
        type: `gone` is inferred, where a recorder that dumps all objects again and again no longer lists one.
        fields: what differs, for `modified`.
    """

    time: datetime
    observed: datetime
    previous: datetime | None
    entity: Entity
    type: ChangeType
    fields: tuple[FieldChange, ...] = ()

    @property
    def in_spec(self) -> bool:
        """Whether more than the status changed."""
        return self.type != "modified" or any(not field.in_status for field in self.fields)


class _Observed(NamedTuple):
    """When an object was seen first and last, and how often."""

    first: datetime
    last: datetime
    times: int


def object_changes(snapshot: Snapshot) -> tuple[ObjectChange, ...]:
    """All changes, by time and identifier."""
    sightings = _sightings(snapshot)
    begin = min((seen.first for seen in sightings.values()), default=None)
    found: list[ObjectChange] = []
    fresh = 0
    for kind in _kinds(snapshot):
        rows = _fresh_versions(snapshot, kind)
        found += _of_kind(rows, kind, begin)
        fresh += len(rows)
    # A recorder that dumps repeats most objects unchanged; one that watches reports only what is new.
    seen = sum(each.times for each in sightings.values())
    if begin is not None and (seen - fresh) * 2 > seen - len(sightings):
        found += _gone(sightings, {change.entity for change in found if change.type == "deleted"})
    return tuple(sorted(found, key=lambda change: (change.time, str(change.entity), change.observed)))


def _kinds(snapshot: Snapshot) -> list[str]:
    return [
        kind for (kind,) in snapshot.query("SELECT DISTINCT kind FROM stored.objects ORDER BY 1") if kind not in _BEATING
    ]


def _sightings(snapshot: Snapshot) -> dict[Entity, _Observed]:
    rows = snapshot.query(
        "SELECT namespace, kind, name, min(time), max(time), count(*) FROM stored.objects GROUP BY namespace, kind, name"
    )
    return {
        Entity(namespace=namespace or None, kind=kind or None, name=name): _Observed(_utc(first), _utc(last), count)
        for namespace, kind, name, first, last, count in rows
        if kind not in _BEATING
    }


def _fresh_versions(snapshot: Snapshot, kind: str) -> list[tuple[Any, ...]]:
    """Versions of a kind's objects that are not the same to the letter as the one before."""
    return snapshot.query(
        """SELECT namespace, name, time, before, manifest, deleted FROM (
            SELECT *, lag(manifest) OVER own AS last, lag(deleted) OVER own AS was_deleted, lag(time) OVER own AS before
            FROM stored.objects WHERE kind = ? WINDOW own AS (PARTITION BY namespace, name ORDER BY time, row))
        WHERE manifest IS DISTINCT FROM last OR deleted IS DISTINCT FROM was_deleted
        ORDER BY namespace, name, time""",
        [kind],
    )


def _of_kind(rows: Iterable[tuple[Any, ...]], kind: str, begin: datetime | None) -> Iterator[ObjectChange]:
    entity: Entity | None = None
    manifest: Mapping[str, Any] = {}
    gone = False
    for namespace, name, at, before, text, deleted in rows:
        time, previous = _utc(at), None if before is None else _utc(before)
        current = _manifest(text)
        if entity is None or entity.name != name or (entity.namespace or "") != namespace:
            entity = Entity(namespace=namespace or None, kind=kind or None, name=name)
            created = _time(current, "creationTimestamp")
            if begin is not None and (created >= begin if created else time > begin + _FIRST_DUMP) and not deleted:
                yield ObjectChange(created if created and created <= time else time, time, None, entity, "created")
        elif gone and not deleted:
            yield ObjectChange(_time(current, "creationTimestamp") or time, time, previous, entity, "created")
        elif not deleted and (fields := diff(manifest, current)):
            yield ObjectChange(_changed_at(current, previous, time), time, previous, entity, "modified", fields)
        if deleted and not gone:
            yield ObjectChange(time, time, previous, entity, "deleted")
        manifest, gone = current, deleted


def _gone(sightings: Mapping[Entity, _Observed], deleted: set[Entity]) -> Iterator[ObjectChange]:
    """Objects that the dumps no longer list. Where most are not seen to the end, that cannot be told: none."""
    counts = sorted(seen.times for seen in sightings.values())
    usual = counts[len(counts) // 2]
    if usual < 2:
        return
    begin, end = min(seen.first for seen in sightings.values()), max(seen.last for seen in sightings.values())
    period = (end - begin) / (usual - 1)
    lasting = sum(seen.last > end - period / 2 for seen in sightings.values())
    if lasting * 2 < len(sightings):
        return
    for entity, seen in sightings.items():
        if entity not in deleted and end - seen.last > max(period * 1.5, timedelta(seconds=1)):
            yield ObjectChange(seen.last + period, seen.last + period, seen.last, entity, "gone")


def _changed_at(manifest: Mapping[str, Any], previous: datetime | None, observed: datetime) -> datetime:
    """The last write that the object itself tells of, if it fits between the two observations."""
    metadata = manifest.get("metadata") or {}
    fields = metadata.get("managedFields") if isinstance(metadata, Mapping) else None
    times = [
        time
        for field in (fields if isinstance(fields, list) else ())
        if isinstance(field, Mapping) and field.get("subresource") != "status" and (time := parsed(field.get("time")))
    ]
    fitting = [time for time in times if time <= observed and (previous is None or time > previous - timedelta(seconds=1))]
    return max(fitting, default=observed)


def _time(manifest: Mapping[str, Any], field: str) -> datetime | None:
    metadata = manifest.get("metadata")
    return parsed(metadata.get(field)) if isinstance(metadata, Mapping) else None


def parsed(text: Any) -> datetime | None:
    """A time of the Kubernetes API, or None."""
    try:
        time = datetime.fromisoformat(text)
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None


def _manifest(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _utc(time: datetime) -> datetime:
    return time.replace(tzinfo=UTC)
