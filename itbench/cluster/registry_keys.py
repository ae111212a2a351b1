"""Where an API server keeps its objects in etcd, as of Kubernetes 1.34."""

from __future__ import annotations

from functools import cache

from itbench.cluster.kinds import KINDS, Kind

ROOT = "/registry/"

# Where the place is not the plural, for reasons of history.
_PLACES = {"Node": "minions", "Service": "services/specs", "Endpoints": "services/endpoints", "Ingress": "ingress"}


def registry_key(kind: Kind, namespace: str, name: str) -> str:
    """The key of an object; `namespace` is empty for objects that lie in none."""
    return f"{ROOT}{_place(kind)}/{namespace}/{name}" if kind.namespaced else f"{ROOT}{_place(kind)}/{name}"


def object_at(key: str) -> tuple[Kind, str, str] | None:
    """The kind, namespace and name of an object by its key; None for what is of no kind known here."""
    parts = key.removeprefix(ROOT).split("/")
    for length in (1, 2):
        kind = _by_place().get("/".join(parts[:length]))
        rest = parts[length:]
        if kind is not None and len(rest) == (2 if kind.namespaced else 1):
            return (kind, rest[0], rest[1]) if kind.namespaced else (kind, "", rest[0])
    return None


def _place(kind: Kind) -> str:
    if kind.custom:
        return f"{kind.group}/{kind.plural}"
    if kind.name == "CustomResourceDefinition":
        return f"{kind.group}/{kind.plural}"
    return _PLACES.get(kind.name, kind.plural)


@cache
def _by_place() -> dict[str, Kind]:
    return {_place(kind): kind for kind in KINDS}
