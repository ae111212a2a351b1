"""Three-way merge of objects: what a client changed is put onto what the simulation has made of the object meanwhile."""

from __future__ import annotations

from typing import Any

from itbench.cluster.protocol import KubeObject

_ABSENT: Any = object()


def merged(base: KubeObject, ours: KubeObject, theirs: KubeObject) -> KubeObject:
    """`ours` with the changes that lead from `base` to `theirs`. Where both changed a field, `theirs` has it.

    Lists are one field each. The result shares parts with its sources.
    """
    result = _merged(base, ours, theirs)
    assert isinstance(result, dict)
    return result


def _merged(base: Any, ours: Any, theirs: Any) -> Any:
    if not (isinstance(base, dict) and isinstance(ours, dict) and isinstance(theirs, dict)):
        return ours if theirs == base else theirs
    result = {}
    for key in [*ours, *(key for key in theirs if key not in ours)]:
        parts = tuple(tree.get(key, _ABSENT) for tree in (base, ours, theirs))
        value = _merged(*parts)
        if value is not _ABSENT:
            result[key] = value
    return result
