"""What an injection touches: the objects that follow from it, and the services of the application that these belong to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from itbench.cluster.protocol import KubeObject
from itbench.cluster.reference import ObjectRef
from itbench.cluster.selectors import Selector
from itbench.faults.injection import Injection
from itbench.twin.app.application import Application
from itbench.twin.app.objects import pod_labels, service_name
from itbench.twin.app.services import FromConfigMap, FromSecret
from itbench.twin.incident.chain import Root
from itbench.twin.objects import name_of, namespace_of
from itbench.twin.telemetry.history import Observation

_WORKLOADS = frozenset(("Deployment", "StatefulSet", "DaemonSet"))


def last_versions(observations: Sequence[Observation]) -> dict[ObjectRef, KubeObject]:
    """The last version of every object that there ever was, without events."""
    return {ObjectRef.of(seen.object): seen.object for seen in observations if seen.object["kind"] != "Event"}


def root_of(injection: Injection, time: float, application: Application, objects: Mapping[ObjectRef, KubeObject]) -> Root:
    """What one injection is known to have touched.

    Args:
        injection: what was done.
        time: when, seconds from the beginning of the recording.
        application: that runs.
        objects: last versions of all objects.
    """
    touched = {_key(item.object) for item in injection.objects} | {_key(ref) for ref in injection.roots}
    owned = touched | set(_owned(touched, objects.values()))
    services: set[str] = set()
    for ref in (*(item.object for item in injection.objects), *injection.roots):
        obj = objects.get(ref) or next((item.before or item.after for item in injection.objects if item.object == ref), None)
        services |= set(_services(ref, obj or {}, application))
    return Root(frozenset(owned), frozenset(services), time)


def _owned(owners: set[tuple[str, str]], objects: Iterable[KubeObject]) -> Iterator[tuple[str, str]]:
    """Everything that some objects own, however far down."""
    below: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for obj in objects:
        for owner in obj["metadata"].get("ownerReferences") or ():
            below.setdefault((owner["kind"], owner["name"]), []).append((obj["kind"], name_of(obj)))
    queue = list(owners)
    while queue:
        children = below.pop(queue.pop(), [])
        yield from children
        queue += children


def _services(ref: ObjectRef, obj: KubeObject, application: Application) -> Iterator[str]:
    if (ref.namespace or namespace_of(obj)) not in ("", application.namespace):
        return
    spec = obj.get("spec") or {}
    match ref.kind:
        case kind if kind in _WORKLOADS:
            yield from (name for name in application.services if name == ref.name)
        case "Service":
            yield from (name for name, body in application.services.items() if service_name(name, body) == ref.name)
        case "ConfigMap" | "Secret":
            yield from _users(ref, application)
        case "HorizontalPodAutoscaler":
            target = (spec.get("scaleTargetRef") or {}).get("name")
            yield from (name for name in application.services if name == target)
        case "NetworkPolicy" | "PodDisruptionBudget" | "AuthorizationPolicy" | "PeerAuthentication":
            selector = spec.get("podSelector") or spec.get("selector")
            if selector:
                chosen = Selector.of(selector)
                yield from (name for name in application.services if chosen.matches(pod_labels(application, name)))
        case _:
            return


def _users(ref: ObjectRef, application: Application) -> Iterator[str]:
    """The services that take variables or files from a ConfigMap or Secret; flags are told by what they do."""
    flags = application.flags
    if flags is not None and _key(ref) == ("ConfigMap", flags.config_map):
        return
    for name, body in application.services.items():
        sources = {_source(value) for value in body.env.values()}
        sources |= {("ConfigMap", mount.config_map) for mount in body.mounts}
        if _key(ref) in sources:
            yield name


def _source(value: str | FromSecret | FromConfigMap) -> tuple[str, str] | None:
    match value:
        case FromSecret(secret=source):
            return "Secret", source.name
        case FromConfigMap(config_map=source):
            return "ConfigMap", source.name
        case _:
            return None


def _key(ref: ObjectRef) -> tuple[str, str]:
    return ref.kind, ref.name
