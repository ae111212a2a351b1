"""Fields of objects: what differs between two states of one object, and how to set single fields back.

A field is named by its path, a tuple of steps: a key of an object, `[name=cart]` or `[0]` for an item of a list, and
`(json)` for what lies inside a text that is a JSON document, as in a ConfigMap.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from itbench.cluster.protocol import KubeObject
from itbench.cluster.tree import copied, same

FieldPath: TypeAlias = tuple[str, ...]
JSON_TEXT = "(json)"

_ABSENT: Any = object()
# What identifies an item of a list, in the order of preference.
_ITEM_KEYS = ("name", "mountPath", "containerPort", "port", "uid")
_SERVER_METADATA = (
    *("resourceVersion", "generation", "managedFields", "uid", "creationTimestamp", "selfLink"),
    *("deletionTimestamp", "deletionGracePeriodSeconds"),
)
_SERVER_ANNOTATIONS = ("deployment.kubernetes.io/revision", "kubectl.kubernetes.io/last-applied-configuration")
# The node controller's answer to a cordon.
_SERVER_TAINT = "node.kubernetes.io/unschedulable"


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that is not the same in two states; None where it is not there."""

    path: FieldPath
    old: Any
    new: Any


def written(path: Sequence[str]) -> str:
    """A path as people write it: `spec.template.spec.containers[name=cart].image`."""
    text = ""
    for step in path:
        text += step if step.startswith(("[", "(")) or not text else f".{step}"
    return text


def own_part(obj: Mapping[str, Any]) -> KubeObject:
    """A copy of what people write of an object: without its status and what the server keeps in its metadata."""
    found: KubeObject = copied({key: value for key, value in obj.items() if key != "status"})
    metadata = found.get("metadata") or {}
    for key in _SERVER_METADATA:
        metadata.pop(key, None)
    annotations = metadata.get("annotations") or {}
    for key in _SERVER_ANNOTATIONS:
        annotations.pop(key, None)
    if not annotations:
        metadata.pop("annotations", None)
    if found.get("kind") == "Node" and "taints" in (found.get("spec") or {}):
        kept = [taint for taint in found["spec"]["taints"] if taint.get("key") != _SERVER_TAINT]
        found["spec"]["taints"] = kept
        if not kept:
            del found["spec"]["taints"]
    return found


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Difference]:
    """What people would see changed between two states of an object."""
    return list(_compare((), own_part(old), own_part(new)))


def value_at(obj: Mapping[str, Any], path: FieldPath) -> Any:
    """The value of a field; None where it is not there."""
    found: Any = obj
    for step in path:
        found = _child(found, step)
        if found is _ABSENT:
            return None
    return found


def set_back(obj: KubeObject, before: Mapping[str, Any], path: FieldPath) -> None:
    """Set one field of `obj` to what it was in `before`; what lies on the way and is gone comes back with it."""
    _set_back(obj, before, path)


def overlapping(one: FieldPath, other: FieldPath) -> bool:
    """Whether two fields of one object are the same, or one lies in the other."""
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]


def _compare(path: FieldPath, old: Any, new: Any) -> Iterator[Difference]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in (*old, *(key for key in new if key not in old)):
            yield from _compare((*path, key), old.get(key, _ABSENT), new.get(key, _ABSENT))
    elif isinstance(old, list) and isinstance(new, list):
        yield from _compare_lists(path, old, new)
    elif isinstance(old, str) and isinstance(new, str) and old != new:
        inside = _document(old), _document(new)
        if None in inside:
            yield Difference(path, old, new)
        else:
            yield from _compare((*path, JSON_TEXT), *inside)
    elif old is _ABSENT or new is _ABSENT or not same(old, new):
        yield Difference(path, None if old is _ABSENT else old, None if new is _ABSENT else new)


def _compare_lists(path: FieldPath, old: list[Any], new: list[Any]) -> Iterator[Difference]:
    if same(old, new):
        return
    key = next((key for key in _ITEM_KEYS if _identifies(key, old) and _identifies(key, new)), None)
    if key is not None:
        names = [f"[{key}={item[key]}]" for item in old], [f"[{key}={item[key]}]" for item in new]
        common = [name for name in names[0] if name in names[1]]
        if common == [name for name in names[1] if name in names[0]]:
            items = dict(zip(names[0], old, strict=True)), dict(zip(names[1], new, strict=True))
            for name in (*names[0], *(name for name in names[1] if name not in names[0])):
                yield from _compare((*path, name), items[0].get(name, _ABSENT), items[1].get(name, _ABSENT))
            return
    elif len(old) == len(new) and all(isinstance(item, dict) for item in (*old, *new)):
        for index, pair in enumerate(zip(old, new, strict=True)):
            yield from _compare((*path, f"[{index}]"), *pair)
        return
    yield Difference(path, old, new)


def _identifies(key: str, items: list[Any]) -> bool:
    """Whether a key tells the items of a list apart."""
    values = [item.get(key) if isinstance(item, dict) else None for item in items]
    return all(isinstance(value, str | int) for value in values) and len(set(values)) == len(values)


def _document(text: str) -> Any:
    """The JSON object that a text is; None for any other text."""
    if not text.lstrip().startswith("{"):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _index(items: Sequence[Any], step: str) -> int | None:
    """Where an item stands in a list."""
    key, equals, value = step[1:-1].partition("=")
    if not equals:
        return int(key) if int(key) < len(items) else None
    found = (index for index, item in enumerate(items) if isinstance(item, dict) and str(item.get(key)) == value)
    return next(found, None)


def _child(tree: Any, step: str) -> Any:
    if step == JSON_TEXT:
        found = _document(tree) if isinstance(tree, str) else None
        return _ABSENT if found is None else found
    if isinstance(tree, list) and step.startswith("["):
        index = _index(tree, step)
        return _ABSENT if index is None else tree[index]
    return tree.get(step, _ABSENT) if isinstance(tree, dict) else _ABSENT


def _set_back(current: Any, before: Any, path: FieldPath) -> None:
    step = path[0]
    old, now = _child(before, step), _child(current, step)
    if old is _ABSENT:
        _remove(current, step)
    elif len(path) == 1 or now is _ABSENT:
        _put(current, before, step, copied(old) if isinstance(old, dict | list) else old)
    elif path[1] == JSON_TEXT:
        _put(current, before, step, _text_set_back(now, old, path[2:]))
    elif isinstance(now, dict | list):
        _set_back(now, old, path[1:])
    else:
        _put(current, before, step, copied(old) if isinstance(old, dict | list) else old)


def _text_set_back(now: str, old: str, path: FieldPath) -> str:
    """A JSON text with one field as it was; where nothing else differs, the very text that it was."""
    documents = _document(now), _document(old)
    if documents[0] is None or documents[1] is None or not path:
        return old
    _set_back(*documents, path)
    return old if same(*documents) else rewritten(now, documents[0])


def rewritten(text: str, document: Any) -> str:
    """A JSON document in the layout of `text`, as far as json.dumps can do that."""
    second = text.lstrip("{\r\n").splitlines()
    indent = len(second[0]) - len(second[0].lstrip()) if "\n" in text and second else None
    end = "\n" if text.endswith("\n") else ""
    return json.dumps(document, indent=indent, ensure_ascii=False) + end


def _remove(tree: Any, step: str) -> None:
    if isinstance(tree, list):
        index = _index(tree, step)
        if index is not None:
            del tree[index]
    elif isinstance(tree, dict):
        tree.pop(step, None)


def _put(tree: Any, before: Any, step: str, value: Any) -> None:
    if isinstance(tree, dict):
        tree[step] = value
        return
    index = _index(tree, step)
    if index is not None:
        tree[index] = value
    else:
        tree.insert(_place(tree, before, step), value)


def _place(items: Sequence[Any], before: Sequence[Any], step: str) -> int:
    """Where an item of `before` belongs in `items`: behind the last of those that came before it and are there."""
    key = step[1:-1].partition("=")[0]
    former = before[: _index(before, step) or 0]
    places = (_index(items, f"[{key}={item[key]}]") for item in reversed(former))
    return next((place + 1 for place in places if place is not None), 0)
