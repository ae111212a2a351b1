"""Which entities a snapshot knows, and which of them a word means."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from itbench.model.entity import Entity
from itbench.snapshot.snapshot import Snapshot
from itbench.tools.errors import ToolError, near

# Of several objects with one name, the one that somebody most likely means.
_ORDER = (
    "Deployment StatefulSet DaemonSet Service Pod CronJob Job ConfigMap Secret Node Namespace HorizontalPodAutoscaler "
    "Ingress NetworkPolicy ReplicaSet PersistentVolumeClaim"
).split()
_RANK = {kind: place for place, kind in enumerate(_ORDER)}

_ALL = """
SELECT DISTINCT namespace, kind, name FROM (
    SELECT namespace, kind, name FROM stored.objects
    UNION ALL SELECT namespace, kind, name FROM stored.events
    UNION ALL SELECT coalesce(m->>'$."k8s.namespace.name"', ''), 'Pod', m->>'$."k8s.pod.name"' FROM (
        SELECT map_json(resource) AS m FROM (
            SELECT DISTINCT resource FROM stored.logs UNION SELECT DISTINCT resource FROM stored.spans))
    UNION ALL SELECT coalesce(max(map_json(labels)->>'namespace'), ''),
        CASE object_kind WHEN 'pod' THEN 'Pod' WHEN 'service' THEN 'Service' ELSE object_kind END, object_name
        FROM stored.metrics GROUP BY object_kind, object_name
) WHERE name <> ''"""
_SERVICES = """
SELECT DISTINCT service FROM (SELECT DISTINCT service FROM stored.spans UNION ALL SELECT DISTINCT service FROM stored.logs)
WHERE service <> '' ORDER BY service"""


@dataclass(frozen=True, slots=True)
class Entities:
    """All entities of a snapshot by identifier, and the names of the services that sent telemetry."""

    known: tuple[Entity, ...]
    services: tuple[str, ...]

    @classmethod
    def of(cls, snapshot: Snapshot) -> Entities:
        """From objects, events, and the pods and services of telemetry."""
        found = {
            Entity(namespace=namespace or None, kind=kind or None, name=name)
            for namespace, kind, name in snapshot.query(_ALL)
        }
        # Telemetry does not always say the namespace; objects do.
        placed = {(entity.kind, entity.name) for entity in found if entity.namespace}
        kept = (entity for entity in found if entity.namespace or (entity.kind, entity.name) not in placed)
        return cls(tuple(sorted(kept, key=str)), tuple(service for (service,) in snapshot.query(_SERVICES)))

    def resolve(self, word: str) -> tuple[Entity, ...]:
        """The entities that `word` may mean, the likeliest first: of this name, and namespace and kind where it says.

        Raises:
            ToolError: there is none; the message has the nearest.
        """
        try:
            wanted = Entity.parse(word)
        except ValueError:
            raise ToolError("an empty name means no entity", hint="Write namespace/Kind/name, Kind/name or a name") from None
        found = [entity for entity in self.known if _fits(entity, wanted)]
        if not found:
            raise ToolError(f"nothing here is called {word[:200]!r}", hint=self._hint(wanted))
        return tuple(sorted(found, key=likelihood))

    def _hint(self, wanted: Entity) -> str:
        by_name: dict[str, list[Entity]] = {}
        for entity in self.known:
            by_name.setdefault(entity.name, []).append(entity)
        same = [entity for entity in self.known if entity.name.casefold() == wanted.name.casefold()]
        if same:
            return f"There are {listed(same)}"
        alike = [entity for name in near(wanted.name, by_name) for entity in sorted(by_name[name], key=likelihood)[:2]]
        if alike:
            return f"Did you mean {listed(alike)}?"
        return f"Known, for example: {listed(sorted(self.known, key=likelihood)[:8])}" if self.known else ""


def likelihood(entity: Entity) -> tuple[int, str]:
    """To sort by: what somebody most likely means, first."""
    return _RANK.get(entity.kind or "", len(_RANK)), str(entity)


def listed(entities: Iterable[Entity], most: int = 8) -> str:
    """Identifiers with commas, and how many more there are."""
    every = [str(entity) for entity in entities]
    return ", ".join(every[:most]) + (f" and {len(every) - most} more" if len(every) > most else "")


def _fits(entity: Entity, wanted: Entity) -> bool:
    namespace, kind, name = entity.key
    other_namespace, other_kind, other_name = wanted.key
    if name != other_name or (other_kind is not None and kind != other_kind):
        return False
    # Namespaces and nodes are in no namespace, but people write one before them.
    return other_namespace is None or namespace == other_namespace or namespace is None
