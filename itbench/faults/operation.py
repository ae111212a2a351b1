"""An operation on a cluster that remembers what it changed, and can be broken off without a trace."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from itbench.cluster.protocol import Cluster, KubeObject
from itbench.cluster.reference import ObjectRef
from itbench.cluster.tree import copied
from itbench.faults.fields import Difference, differences
from itbench.faults.injection import FieldChange, ObjectChange
from itbench.model.errors import ConflictError

ATTEMPTS = 8
# managedFields tell who changed what: somebody at a keyboard, as always.
EDITOR, CREATOR, DELETER = "kubectl-edit", "kubectl-create", "kubectl"


class Operation:
    """Changes of a cluster, recorded.

    Args:
        cluster: what is changed.
        noted: called after each change.

    Attributes:
        cluster: the same, to be read.
    """

    def __init__(self, cluster: Cluster, noted: Callable[[Operation], None] = lambda _: None) -> None:
        self.cluster = cluster
        self._noted = noted
        self._objects: dict[ObjectRef, ObjectChange] = {}

    @property
    def objects(self) -> tuple[ObjectChange, ...]:
        """What was done so far; objects that are again as they were are left out."""
        return tuple(item for item in self._objects.values() if item.deed != "changed" or item.fields)

    def edit(self, ref: ObjectRef, change: Callable[[KubeObject], None]) -> ObjectRef:
        """Change an object that is there.

        Args:
            ref: the object.
            change: changes the object that it is given; called again if somebody else was faster.
        """
        before, after = edited(self.cluster, ref, change)
        known = ObjectRef.of(after)
        found = self._objects.get(known)
        if found is None:
            fields = _changes(known, differences(before, after))
            self._note(ObjectChange(object=known, before=before, after=after, fields=fields))
        elif found.before is None:
            self._note(found.model_copy(update={"after": after}))
        else:
            mine = {change.path for change in found.fields} | {item.path for item in differences(before, after)}
            whole = [item for item in differences(found.before, after) if _within(item.path, mine)]
            self._note(found.model_copy(update={"after": after, "fields": _changes(known, whole)}))
        return known

    def create(self, obj: Mapping[str, Any]) -> ObjectRef:
        """Add an object."""
        made = self.cluster.acting_as(CREATOR).create(obj)
        ref = ObjectRef.of(made)
        self._note(ObjectChange(object=ref, before=None, after=made))
        return ref

    def delete(self, ref: ObjectRef) -> ObjectRef:
        """Delete an object."""
        before = self.cluster.get(ref)
        known = ObjectRef.of(before)
        self.cluster.acting_as(DELETER).delete(ref)
        self._note(ObjectChange(object=known, before=before, after=None))
        return known

    def _note(self, done: ObjectChange) -> None:
        self._objects[done.object] = done
        self._noted(self)


def edited(cluster: Cluster, ref: ObjectRef, change: Callable[[KubeObject], None]) -> tuple[KubeObject, KubeObject]:
    """Change an object as `kubectl edit` does, again if it changed meanwhile; gives it before and after."""
    editor = cluster.acting_as(EDITOR)
    for attempt in range(ATTEMPTS):
        before = cluster.get(ref)
        wanted: KubeObject = copied(before)
        change(wanted)
        try:
            return before, editor.replace(wanted)
        except ConflictError:
            if attempt == ATTEMPTS - 1:
                raise
    raise AssertionError  # the loop returns or raises


def _changes(ref: ObjectRef, found: list[Difference]) -> tuple[FieldChange, ...]:
    return tuple(FieldChange(object=ref, path=item.path, old=item.old, new=item.new) for item in found)


def _within(path: tuple[str, ...], known: set[tuple[str, ...]]) -> bool:
    return any(path[: len(other)] == other or other[: len(path)] == path for other in known)
