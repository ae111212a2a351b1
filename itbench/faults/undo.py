"""Taking an injection back: object by object, field by field, and then looking whether it is as it was.

What somebody repaired meanwhile stays as it is. What others changed beside the fault is theirs: it is told, not touched.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from itbench.cluster.protocol import Cluster, KubeObject
from itbench.cluster.reference import ObjectRef
from itbench.cluster.tree import same
from itbench.faults.fields import FieldPath, differences, own_part, set_back, value_at, written
from itbench.faults.injection import Injection, ObjectChange
from itbench.faults.operation import CREATOR, DELETER, edited
from itbench.faults.pacing import Pacer
from itbench.model.errors import InvalidError, NotFoundError, UndoError

# How long finalizers may hold an object, and controllers a field.
_PATIENCE = 60.0
# The server gives a Service its address anew; nothing names it by that.
_ALLOCATED = frozenset({("spec", "clusterIP"), ("spec", "clusterIPs")})


@dataclass(slots=True)
class Undone:
    """What undoing did; entries are `object: field`, or an object alone.

    Attributes:
        restored: what was set back.
        already: what somebody had repaired before.
        left: what others changed on the same objects, and is still so.
        held: created objects that are being deleted, which finalizers hold.
    """

    restored: list[str] = field(default_factory=list)
    already: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    held: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        parts = [f"{len(self.restored)} set back" if self.restored else "nothing to do: it was repaired already"]
        if self.restored and self.already:
            parts.append(f"{len(self.already)} repaired already")
        parts += [f"{what} {', '.join(names)}" for what, names in (("left", self.left), ("held", self.held)) if names]
        return "; ".join(parts)


def undo(cluster: Cluster, pacer: Pacer, injection: Injection, *, exact: bool = True) -> Undone:
    """Set back what an injection changed, the last first.

    Args:
        cluster: where it was injected.
        pacer: lets finalizers and controllers do their part.
        injection: what `Fault.inject` gave, perhaps read from disk.
        exact: whether fields that others changed on the same objects are an error, too. Turn it off where somebody else
            works on the cluster, or where another fault on the same objects is still in.

    Raises:
        UndoError: something is not as it was; the message names the object and the field.
    """
    done = Undone()
    for item in reversed(injection.objects):
        match item.deed:
            case "created":
                _remove(cluster, pacer, item, done)
            case "deleted":
                _bring_back(cluster, item, done)
            case "changed":
                _set_back(cluster, item, done)
    wrong: list[str] = []

    def is_as_before() -> bool:
        found = [_verdict(cluster, item) for item in injection.objects if item.before is not None]
        wrong[:] = [name for own, _ in found for name in own]
        done.left[:] = [name for _, others in found for name in others]
        return not wrong and not (exact and done.left)

    if not pacer.until(is_as_before, _PATIENCE):
        names = [*wrong, *(done.left if exact else ())]
        raise UndoError(
            f"{injection.fault} is not undone: {', '.join(names[:5])} differ{'s' if len(names) == 1 else ''} from before",
            hint=None if wrong else "Somebody else changed that; undo with exact=False leaves it as it is.",
        )
    return done


def _remove(cluster: Cluster, pacer: Pacer, item: ObjectChange, done: Undone) -> None:
    def state() -> KubeObject | None:
        try:
            return cluster.get(item.object)
        except NotFoundError:
            return None

    there = state()
    if there is None or not _is(there, item.after):
        done.already.append(str(item.object))
        return
    if "deletionTimestamp" not in there["metadata"]:
        cluster.acting_as(DELETER).delete(item.object)
        done.restored.append(str(item.object))
    else:
        done.already.append(str(item.object))
    if not pacer.until(lambda: state() is None, _PATIENCE):
        done.held.append(str(item.object))


def _is(there: KubeObject, made: KubeObject | None) -> bool:
    """Whether an object is the one that was made, not another of the same name."""
    return made is not None and there["metadata"].get("uid") == made["metadata"].get("uid")


def _bring_back(cluster: Cluster, item: ObjectChange, done: Undone) -> None:
    assert item.before is not None
    before = item.before
    try:
        there = cluster.get(item.object)
    except NotFoundError:
        _make_again(cluster, before)
        done.restored.append(str(item.object))
        return
    paths = [path for path, _ in _open(before, there)]
    if not paths:
        done.already.append(str(item.object))
        return
    edited(cluster, item.object, _setter(before, paths))
    done.restored += [f"{item.object}: {written(path)}" for path in paths]


def _set_back(cluster: Cluster, item: ObjectChange, done: Undone) -> None:
    assert item.before is not None
    try:
        there = cluster.get(item.object)
    except NotFoundError:
        _make_again(cluster, item.before)
        done.restored.append(str(item.object))
        return
    paths = [change.path for change in item.fields if not _same_at(item.before, there, change.path)]
    done.already += [f"{item.object}: {change.field}" for change in item.fields if change.path not in paths]
    if paths:
        edited(cluster, item.object, _setter(item.before, paths))
        done.restored += [f"{item.object}: {written(path)}" for path in paths]


def _make_again(cluster: Cluster, before: KubeObject) -> None:
    """Create an object as it was; a Service whose address somebody else has by now gets another."""
    manifest, creator = own_part(before), cluster.acting_as(CREATOR)
    try:
        creator.create(manifest)
    except InvalidError:
        if "clusterIP" not in (manifest.get("spec") or {}):
            raise
        for path in _ALLOCATED:
            manifest["spec"].pop(path[-1], None)
        creator.create(manifest)


def _setter(before: KubeObject, paths: list[FieldPath]) -> Callable[[KubeObject], None]:
    def change(obj: KubeObject) -> None:
        for path in paths:
            set_back(obj, before, path)

    return change


def _verdict(cluster: Cluster, item: ObjectChange) -> tuple[list[str], list[str]]:
    """What differs from before: of the fields of the fault, and of others."""
    assert item.before is not None
    try:
        there = cluster.get(item.object)
    except NotFoundError:
        return [str(item.object)], []
    own = [change.path for change in item.fields if not _same_at(item.before, there, change.path)]
    rest = [path for path, _ in _open(item.before, there) if not any(path[: len(mine)] == mine for mine in own)]
    if item.deed == "deleted":
        own, rest = rest, []
    return _named(item.object, own), _named(item.object, rest)


def _open(before: KubeObject, there: KubeObject) -> list[tuple[FieldPath, object]]:
    return [(found.path, found.new) for found in differences(before, there) if found.path not in _ALLOCATED]


def _named(ref: ObjectRef, paths: list[FieldPath]) -> list[str]:
    return [f"{ref}: {written(path)}" for path in paths]


def _same_at(before: KubeObject, there: KubeObject, path: FieldPath) -> bool:
    return same(value_at(before, path), value_at(there, path))
