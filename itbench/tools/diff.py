"""What differs between two versions of a Kubernetes object, without what changes by itself.

Left out are book-keeping (managedFields, resourceVersion, generation, …), times of heartbeats and transitions, and
annotations that repeat them. Lists of named things are compared by name, so that an item put in front changes one line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

_NOISE = frozenset(
    "metadata.managedFields metadata.resourceVersion metadata.generation metadata.uid metadata.selfLink "
    "metadata.creationTimestamp status.observedGeneration".split()
)
# lastTransitionTime, lastHeartbeatTime, renewTime, startTime, …; but deletionTimestamp tells.
_TIMES = re.compile(r"(Time|Timestamp|[a-z]At)$")
_TOLD_TIMES = frozenset({"deletionTimestamp", "schedulingTime"})
_NOISY_ANNOTATIONS = re.compile(
    r"kubectl\.kubernetes\.io/last-applied-configuration|deployment\.kubernetes\.io/(revision|desired-replicas|max-replicas)"
    r"|last-change-trigger-time|control-plane\.alpha\.kubernetes\.io/leader"
)
# What names an item in a list, the most telling first.
_KEYS = ("name", "type", "key", "mountPath", "containerPort", "port", "ip", "uid", "host", "path")


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One path that differs: `spec.template.spec.containers[cart].image`. What was not there is None."""

    path: str
    type: Literal["added", "removed", "changed"]
    old: Any
    new: Any

    @property
    def in_status(self) -> bool:
        """Whether it is the cluster's report and not somebody's wish."""
        return self.path.startswith("status")

    def __str__(self) -> str:
        if self.type == "added":
            return f"+ {self.path}: {shown(self.new)}"
        if self.type == "removed":
            return f"- {self.path}: {shown(self.old)}"
        return f"{self.path}: {shown(self.old)} → {shown(self.new)}"


def diff(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[FieldChange, ...]:
    """The changes from `old` to `new`, by path."""
    return tuple(sorted(_compare(old, new, ""), key=lambda change: change.path))


def shown(value: Any, most: int = 160) -> str:
    """A value as JSON on one line, cut."""
    text = json.dumps(value, ensure_ascii=False) if not isinstance(value, str) or not value else value
    text = " ⏎ ".join(text.splitlines())
    return text if len(text) <= most else f"{text[:most]}…"


def _compare(old: Any, new: Any, path: str) -> Iterator[FieldChange]:
    if old == new:
        return
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in old.keys() | new.keys():
            where = f"{path}.{key}" if path else str(key)
            if not _is_noise(where, path, str(key)):
                yield from _child(old, new, key, where)
        return
    if isinstance(old, list) and isinstance(new, list):
        key = _common_key(old, new)
        if key is not None:
            before, after = ({str(item[key]): item for item in items} for items in (old, new))
            for name in before.keys() | after.keys():
                yield from _child(before, after, name, f"{path}[{name}]")
            return
        if len(old) == len(new) and all(isinstance(item, Mapping) for item in [*old, *new]):
            for index, (before_item, after_item) in enumerate(zip(old, new, strict=True)):
                yield from _compare(before_item, after_item, f"{path}[{index}]")
            return
    if isinstance(old, str) and isinstance(new, str) and "\n" in old + new:
        yield from _lines(old, new, path)
        return
    yield FieldChange(path, "changed", old, new)


def _child(old: Mapping[Any, Any], new: Mapping[Any, Any], key: Any, where: str) -> Iterator[FieldChange]:
    if key not in old:
        yield FieldChange(where, "added", None, new[key])
    elif key not in new:
        yield FieldChange(where, "removed", old[key], None)
    else:
        yield from _compare(old[key], new[key], where)


def _lines(old: str, new: str, path: str) -> Iterator[FieldChange]:
    """A text of many lines, such as a file in a ConfigMap: the lines that differ; as JSON where both are."""
    try:
        before, after = json.loads(old), json.loads(new)
    except (ValueError, RecursionError):
        pass
    else:
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            yield from _compare(before, after, f"{path}:json")
            return
    gone, come = old.splitlines(), new.splitlines()
    removed = [each for each in gone if each not in set(come)]
    added = [each for each in come if each not in set(gone)]
    yield FieldChange(path, "changed", "\n".join(removed) or old, "\n".join(added) or new)


def _is_noise(path: str, parent: str, key: str) -> bool:
    if path in _NOISE:
        return True
    if parent.endswith("annotations"):
        return _NOISY_ANNOTATIONS.search(key) is not None
    # In `data` of a ConfigMap, keys are names that people chose.
    return key not in _TOLD_TIMES and _TIMES.search(key) is not None and not path.startswith("data.")


def _common_key(old: Sequence[Any], new: Sequence[Any]) -> str | None:
    """A field that names each item in both lists, or None."""
    if not all(isinstance(item, Mapping) for item in [*old, *new]):
        return None
    return next((key for key in _KEYS if _names(old, key) and _names(new, key)), None)


def _names(items: Sequence[Any], key: str) -> bool:
    values = [item.get(key) for item in items]
    return all(isinstance(value, (str, int)) and value != "" for value in values) and len(set(values)) == len(values)
