"""Whom an object belongs to, whatever its generated name is: the pod web-5d9-x2 is one of Deployment/web."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from itbench.cluster.protocol import KubeObject
from itbench.twin.objects import ALPHABET, controller_of, labels_of, name_of

_SERVICE = "kubernetes.io/service-name"
# What controllers put behind the names of what they make.
_GENERATED = re.compile(
    rf"(?:-[{ALPHABET}0-9]{{6,10}})?-[{ALPHABET}]{{5}}$|-[{ALPHABET}0-9]{{8,10}}$|-\d{{8,}}(?:-[{ALPHABET}]{{5}})?$"
)
_DEEPEST = 4

Subject = str
"""`Kind/name` of what people wrote."""


class Subjects:
    """Learns from every object that is seen, and remembers those that are gone: events tell of them later."""

    def __init__(self) -> None:
        self._owner: dict[tuple[str, str], tuple[str, str]] = {}

    def learn(self, obj: KubeObject) -> None:
        """Remember to whom an object belongs."""
        owner = controller_of(obj)
        if owner is not None:
            self._owner[obj["kind"], name_of(obj)] = str(owner["kind"]), str(owner["name"])
        elif obj["kind"] == "EndpointSlice" and _SERVICE in labels_of(obj):
            self._owner[obj["kind"], name_of(obj)] = "Service", labels_of(obj)[_SERVICE]

    def of(self, obj: KubeObject) -> Subject:
        """The owner of the owner … of an object; itself if it has none."""
        return self.named(str(obj["kind"]), name_of(obj))

    def named(self, kind: str, name: str) -> Subject:
        """The same, of an object by name."""
        key = kind, name
        for _ in range(_DEEPEST):
            if key not in self._owner:
                break
            key = self._owner[key]
        return "/".join(key)

    def told_of(self, involved: Mapping[str, Any]) -> Subject:
        """What an event is about: the kind that it names, and the name of what that belongs to.

        `Pod web` is not `Deployment web`: the kubelet tells of the one, controllers of the other.
        """
        kind, name = str(involved.get("kind", "")), str(involved.get("name", ""))
        if (kind, name) in self._owner:
            name = self.named(kind, name).partition("/")[2]
        elif kind in ("Pod", "ReplicaSet", "EndpointSlice"):  # gone before it was seen
            name = _GENERATED.sub("", name)
        return f"{kind} {name}"
