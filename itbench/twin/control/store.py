"""The cluster as controllers see it: a cache that the watch feeds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from itbench.cluster.protocol import KubeObject
from itbench.cluster.selectors import Selector
from itbench.twin.objects import is_controlled_by, name_of, namespace_of

Key: TypeAlias = tuple[str, str]
"""Namespace and name; the namespace is empty for objects that lie in none."""


def key_of(obj: KubeObject) -> Key:
    """The key of an object within its kind."""
    return namespace_of(obj), name_of(obj)


class Store:
    """Objects by kind and key, as of the last event. What it gives is shared: read it, copy it, never change it."""

    def __init__(self) -> None:
        self._kinds: dict[str, dict[Key, KubeObject]] = {}

    def put(self, obj: KubeObject) -> KubeObject | None:
        """Keep an object; gives the state before."""
        objects = self._kinds.setdefault(obj["kind"], {})
        before = objects.get(key_of(obj))
        objects[key_of(obj)] = obj
        return before

    def drop(self, obj: KubeObject) -> None:
        """Forget an object."""
        self._kinds.get(obj["kind"], {}).pop(key_of(obj), None)

    def get(self, kind: str, key: Key) -> KubeObject | None:
        """One object."""
        return self._kinds.get(kind, {}).get(key)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds that there are, or were."""
        return tuple(self._kinds)

    def list(self, kind: str, namespace: str | None = None, selector: Selector | None = None) -> list[KubeObject]:
        """The objects of a kind in the order of their creation."""
        return [
            obj
            for key, obj in self._kinds.get(kind, {}).items()
            if (namespace is None or key[0] == namespace) and (selector is None or selector.selects(obj))
        ]

    def controlled_by(self, owner: KubeObject, kind: str) -> Iterable[KubeObject]:
        """The objects of a kind that `owner` manages."""
        return [obj for obj in self.list(kind, namespace_of(owner)) if is_controlled_by(obj, owner)]
