"""What an injection did: the objects before and after, field by field. It survives on disk."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from itbench.cluster.protocol import KubeObject
from itbench.cluster.reference import ObjectRef
from itbench.faults.fields import FieldPath, overlapping, written
from itbench.model.base import Document, Model

Deed: TypeAlias = Literal["changed", "created", "deleted"]


class FieldChange(Model):
    """One field of one object.

    Attributes:
        object: whose it is.
        path: steps as in `itbench.faults.fields`; empty for the object as a whole.
        old: its value before; None where it was not there.
        new: its value after; None where it is gone.
    """

    object: ObjectRef
    path: FieldPath
    old: Any
    new: Any

    @property
    def field(self) -> str:
        """The path as people write it; empty for the whole object."""
        return written(self.path)


class ObjectChange(Model):
    """One object.

    Attributes:
        object: which.
        before: as it was; None for one that was created.
        after: as it became; None for one that was deleted.
        fields: what was changed of one that was there and stayed.
    """

    object: ObjectRef
    before: KubeObject | None
    after: KubeObject | None
    fields: tuple[FieldChange, ...] = ()

    @property
    def deed(self) -> Deed:
        """What was done to it."""
        return "created" if self.before is None else "deleted" if self.after is None else "changed"


class Injection(Document):
    """A fault as it was injected; `Injection.model_validate_json` reads what `model_dump_json` wrote.

    Attributes:
        fault: its id.
        arguments: as given.
        roots: the objects that are the root cause, the most telling first.
        objects: what was changed, created and deleted, in this order of time.
    """

    fault: str
    arguments: dict[str, Any]
    roots: tuple[ObjectRef, ...]
    objects: tuple[ObjectChange, ...]

    @property
    def changes(self) -> tuple[FieldChange, ...]:
        """Every change of a field; an object that came or went is one change with an empty path."""
        found: list[FieldChange] = []
        for item in self.objects:
            whole = FieldChange(object=item.object, path=(), old=item.before, new=item.after)
            found += item.fields if item.deed == "changed" else (whole,)
        return tuple(found)

    @property
    def fields(self) -> frozenset[tuple[ObjectRef, FieldPath]]:
        """The fields that it owns until it is undone."""
        return frozenset((change.object, change.path) for change in self.changes)


def shared_fields(one: Injection, other: Injection) -> list[str]:
    """The fields that two injections both change, as `object: field`; such faults must not be combined."""
    return sorted(
        f"{ref}: {written(max(path, path_there, key=len)) or 'the whole object'}"
        for ref, path in one.fields
        for ref_there, path_there in other.fields
        if ref == ref_there and overlapping(path, path_there)
    )
