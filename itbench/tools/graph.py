"""How the objects of a cluster hang together: a graph of entities with namespaces, from manifests and spans.

| relation | from → to |
|---|---|
| owns | owner → owned object (ownerReferences) |
| selects | Service, NetworkPolicy, PodDisruptionBudget, chaos object … → Pod by labels |
| scales | HorizontalPodAutoscaler → workload |
| uses | workload or Pod → ConfigMap, Secret, PersistentVolumeClaim, ServiceAccount (mounts and environment) |
| runs_on | Pod → Node |
| routes | Ingress → Service |
| limits | ResourceQuota, LimitRange → Namespace |
| calls | Service → Service, from spans |
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from itbench.model.entity import Entity
from itbench.snapshot.records import ObjectVersion

_WORKLOADS = frozenset({"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job"})
_NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Edge:
    """`source` relation `target`; `note` says by what, such as a selector."""

    source: Entity
    relation: str
    target: Entity
    note: str = ""


class Graph:
    """Edges in a stable order, and the neighbours of an entity."""

    def __init__(self, edges: Iterable[Edge]) -> None:
        unique = {(str(edge.source), edge.relation, str(edge.target)): edge for edge in edges}
        self.edges = tuple(unique[key] for key in sorted(unique))
        self._at: dict[Entity, list[Edge]] = defaultdict(list)
        for edge in self.edges:
            self._at[edge.source].append(edge)
            if edge.target != edge.source:
                self._at[edge.target].append(edge)

    def around(self, centre: Entity, depth: int) -> list[tuple[int, Edge]]:
        """The edges that touch what is within `depth` - 1 steps of `centre`, nearest first, with their distance."""
        distance = {centre: 0}
        queue = deque([centre])
        found: dict[Edge, int] = {}
        while queue:
            entity = queue.popleft()
            if distance[entity] >= depth:
                continue
            for edge in self._at.get(entity, ()):
                found.setdefault(edge, distance[entity] + 1)
                other = edge.target if edge.source == entity else edge.source
                if other not in distance:
                    distance[other] = distance[entity] + 1
                    # A namespace or a node touches everything: what is behind it is no neighbour.
                    if other.kind not in ("Namespace", "Node"):
                        queue.append(other)
        return [
            (found[edge], edge) for edge in sorted(found, key=lambda edge: (found[edge], str(edge.source), str(edge.target)))
        ]


def build(objects: Iterable[ObjectVersion], calls: Iterable[tuple[Entity, Entity, str]]) -> Graph:
    """The graph of objects as they are at one time, and of `calls` (caller, callee, note)."""
    every = {version.entity: version.manifest for version in objects}
    by_uid = {uid: entity for entity, manifest in every.items() if (uid := _map(manifest, "metadata").get("uid"))}
    pods: dict[str | None, list[tuple[Entity, Mapping[str, Any], bool]]] = defaultdict(list)
    for entity, manifest in every.items():
        if entity.kind == "Pod":
            owned = bool(_items(_map(manifest, "metadata").get("ownerReferences")))
            pods[entity.namespace].append((entity, _map(manifest, "metadata", "labels"), owned))
    edges = [edge for entity, manifest in every.items() for edge in _of(entity, manifest, pods, by_uid)]
    edges += [Edge(caller, "calls", callee, note) for caller, callee, note in calls]
    return Graph(edges)


# By namespace: pods with their labels, and whether they say who owns them.
_Pods = Mapping[str | None, list[tuple[Entity, Mapping[str, Any], bool]]]


def _of(entity: Entity, manifest: Mapping[str, Any], pods: _Pods, by_uid: Mapping[Any, Entity]) -> Iterator[Edge]:
    spec = _map(manifest, "spec")
    for owner in _items(_map(manifest, "metadata").get("ownerReferences")):
        kind, name = str(owner.get("kind") or ""), str(owner.get("name") or "")
        if name:
            place = None if kind in ("Node", "Namespace") else entity.namespace
            yield Edge(by_uid.get(owner.get("uid")) or Entity(namespace=place, kind=kind or None, name=name), "owns", entity)
    yield from _selections(entity, spec, pods)
    target = _map(spec, "scaleTargetRef")
    if target.get("name"):
        yield Edge(entity, "scales", _named(entity, str(target.get("kind") or "Deployment"), target["name"]))
    if entity.kind in ("ResourceQuota", "LimitRange") and entity.namespace:
        yield Edge(entity, "limits", Entity(kind="Namespace", name=entity.namespace))
    if entity.kind == "Ingress":
        for service in _backends(spec):
            yield Edge(entity, "routes", _named(entity, "Service", service))
    pod = (
        spec
        if entity.kind == "Pod"
        else _map(spec, "jobTemplate", "spec", "template", "spec") or _map(spec, "template", "spec")
    )
    if pod:
        for kind, name, how in _dependencies(pod):
            yield Edge(entity, "uses", _named(entity, kind, name), how)
        if entity.kind == "Pod" and pod.get("nodeName"):
            yield Edge(entity, "runs_on", Entity(kind="Node", name=str(pod["nodeName"])))


def _selections(entity: Entity, spec: Mapping[str, Any], pods: _Pods) -> Iterator[Edge]:
    """Pods that an object acts on by their labels, and those of a workload where ownerReferences were not recorded."""
    if entity.kind in _WORKLOADS:
        wanted = _map(spec, "selector", "matchLabels")
        unowned = [(pod, labels) for pod, labels, owned in pods.get(entity.namespace, ()) if wanted and not owned]
        yield from (Edge(entity, "owns", pod, "by labels") for pod, labels in unowned if _carries(labels, wanted))
        return
    selector = _selector(entity, spec)
    if selector is None:
        return
    note = ", ".join(f"{key}={value}" for key, value in sorted(selector.items())) or "all pods"
    chosen = _map(spec, "selector").get("namespaces")  # Chaos Mesh
    for namespace in map(str, chosen) if isinstance(chosen, list) else [entity.namespace]:
        for pod, labels, _ in pods.get(namespace, ()):
            if _carries(labels, selector):
                yield Edge(entity, "selects", pod, note)


def _selector(entity: Entity, spec: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The labels that an object asks for, an empty map for all pods, None where it selects none."""
    selector = _map(spec, "selector")
    if entity.kind == "Service":
        return selector or None
    if entity.kind == "NetworkPolicy":
        return _map(spec, "podSelector", "matchLabels")
    if entity.kind == "PodDisruptionBudget":
        return _map(selector, "matchLabels")
    if "labelSelectors" in selector or "namespaces" in selector:
        return _map(selector, "labelSelectors")  # Chaos Mesh
    return None


def _carries(labels: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return all(labels.get(key) == value for key, value in wanted.items())


def _dependencies(pod: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Kind, name and how, of what a pod's specification needs."""
    for volume in _items(pod.get("volumes")):
        for source in (volume, *_items(_map(volume, "projected").get("sources"))):
            for field, kind, key in _VOLUMES:
                if name := _map(source, field).get(key):
                    yield kind, str(name), f"volume {volume.get('name', '')}"
    for container in (*_items(pod.get("initContainers")), *_items(pod.get("containers"))):
        yield from _environment(container)
    for reference in _items(pod.get("imagePullSecrets")):
        if reference.get("name"):
            yield "Secret", str(reference["name"]), "pulls images"
    if pod.get("serviceAccountName"):
        yield "ServiceAccount", str(pod["serviceAccountName"]), "runs as"


# The Secret of a volume goes by secretName, that of a projected source by name.
_VOLUMES = (
    ("configMap", "ConfigMap", "name"),
    ("secret", "Secret", "secretName"),
    ("secret", "Secret", "name"),
    ("persistentVolumeClaim", "PersistentVolumeClaim", "claimName"),
)


def _environment(container: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    owner = container.get("name", "")
    for entry in _items(container.get("envFrom")):
        for field, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
            if name := _map(entry, field).get("name"):
                yield kind, str(name), f"environment of {owner}"
    for entry in _items(container.get("env")):
        for field, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
            if name := _map(entry, "valueFrom", field).get("name"):
                yield kind, str(name), f"{entry.get('name', '')} of {owner}"


def _backends(spec: Mapping[str, Any]) -> Iterator[str]:
    paths = [path for rule in _items(spec.get("rules")) for path in _items(_map(rule, "http").get("paths"))]
    for backend in (_map(spec, "defaultBackend"), *(_map(path, "backend") for path in paths)):
        if name := _map(backend, "service").get("name"):
            yield str(name)


def _named(by: Entity, kind: str, name: Any) -> Entity:
    return Entity(namespace=by.namespace, kind=kind, name=str(name))


def _map(value: Any, *path: str) -> Mapping[str, Any]:
    """The map at `path`, empty where there is none: manifests of strangers have anything anywhere."""
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value if isinstance(value, Mapping) else _NOTHING


def _items(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []
