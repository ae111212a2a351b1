"""Edits of Kubernetes objects, written in one line each.

    pod hostNetwork = true                    the pod's spec, wherever the kind keeps it (CronJob, Deployment, Pod …)
    one securityContext.privileged = true     one of the containers, drawn
    init image = "x"                          an init container; one is made where there is none
    ephemeral image = "x"                     an ephemeral container (Pods only), likewise
    each securityContext.runAsUser -          every container, of every kind; `-` deletes
    object rules.0.verbs += "*"               the object itself; `+=` appends

Values are YAML. A path is split at dots; a part in double quotes may hold dots: object metadata.labels."a.b/c" = x
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np
import yaml

Place = Literal["object", "pod", "one", "init", "ephemeral", "each"]
Json = Any

_EDIT = re.compile(
    r'(?P<place>object|pod|one|init|ephemeral|each) (?P<path>(?:"[^"]*"|[^\s"])+) '
    r"(?:(?P<op>\+?=) (?P<value>.+)|(?P<delete>-))"
)
_PART = re.compile(r'"([^"]*)"|([^."]+)')
# Where a kind keeps the spec of its pods.
POD_SPEC: dict[str, tuple[str, ...]] = {
    "Pod": ("spec",),
    "CronJob": ("spec", "jobTemplate", "spec", "template", "spec"),
    **dict.fromkeys(
        ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "ReplicationController"),
        ("spec", "template", "spec"),
    ),
}
CONTAINERS = ("containers", "initContainers", "ephemeralContainers")
_NOT_EPHEMERAL = ("resources", "ports", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle")


@dataclass(frozen=True, slots=True)
class Edit:
    """One parsed edit; `op` is `=`, `+=` or `-`."""

    place: Place
    path: tuple[str, ...]
    op: str
    value: Json = None


def parse_edit(text: str) -> Edit:
    """Read one line.

    Raises:
        ValueError: it is not an edit.
    """
    match = _EDIT.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not an edit, such as: pod hostNetwork = true")
    path = tuple(quoted or plain for quoted, plain in _PART.findall(match["path"]))
    value = yaml.safe_load(match["value"]) if match["value"] else None
    place = cast("Place", match["place"])  # the pattern has no others
    return Edit(place, path, match["op"] or "-", value)


def apply(edit: Edit, target: dict[str, Json], rng: np.random.Generator) -> None:
    """Change an object in place.

    Raises:
        ValueError: the object has no such place.
    """
    for parent in _parents(edit.place, target, rng):
        _change(parent, edit)


def pod_spec(target: dict[str, Json]) -> dict[str, Json]:
    """The spec of the object's pods.

    Raises:
        ValueError: its kind has no pods.
    """
    keys = POD_SPEC.get(str(target.get("kind")))
    if keys is None:
        raise ValueError(f"a {target.get('kind')} has no pods")
    found = target
    for key in keys:
        found = found[key]
    return found


def _parents(place: Place, target: dict[str, Json], rng: np.random.Generator) -> Iterator[dict[str, Json]]:
    if place == "object":
        yield target
        return
    spec = pod_spec(target)
    match place:
        case "pod":
            yield spec
        case "one":
            yield spec["containers"][int(rng.integers(len(spec["containers"])))]
        case "init":
            yield _of_kind(spec, "initContainers", "prepare", ("livenessProbe", "readinessProbe"))
        case "ephemeral":
            yield _of_kind(spec, "ephemeralContainers", "debugger", _NOT_EPHEMERAL)
        case _:
            yield from (container for kind in CONTAINERS for container in spec.get(kind, ()))


def _of_kind(spec: dict[str, Json], kind: str, name: str, without: tuple[str, ...]) -> dict[str, Json]:
    if not spec.get(kind):
        made = copy.deepcopy(spec["containers"][0])
        spec[kind] = [{key: value for key, value in made.items() if key not in without} | {"name": name}]
    chosen: dict[str, Json] = spec[kind][-1]
    return chosen


def _change(parent: Json, edit: Edit) -> None:
    *inner, last = edit.path
    for part in inner:
        if isinstance(parent, list):
            parent = parent[int(part)]
        elif edit.op == "-":
            if not isinstance(parent.get(part), dict | list):
                return
            parent = parent[part]
        else:
            parent = parent.setdefault(part, {})
    key: Any = int(last) if isinstance(parent, list) else last
    value = copy.deepcopy(edit.value)
    match edit.op:
        case "=":
            parent[key] = value
        case "+=":
            grown = parent.setdefault(key, []) if isinstance(parent, dict) else parent[key]
            grown.append(value)
        case _:
            if isinstance(parent, list):
                del parent[key]
            else:
                parent.pop(key, None)
