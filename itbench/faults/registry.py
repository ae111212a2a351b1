"""Faults by id: the library's, and those that plug-ins add.

An entry point of the group `itbench.faults` is a subclass of `Fault`, or a function that gives several.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from importlib.metadata import entry_points
from types import MappingProxyType
from typing import Any, TypeAlias

from itbench.faults.arguments import Unknown, near, read_arguments
from itbench.faults.library import LIBRARY
from itbench.faults.protocol import Fault
from itbench.model.errors import FaultError

ENTRY_POINT_GROUP = "itbench.faults"
AnyFault: TypeAlias = Fault[Any]

FAULTS: Mapping[str, type[AnyFault]] = MappingProxyType({known.id: known for known in LIBRARY})
"""The library's faults by id, in the order of their numbers."""


def known_faults() -> dict[str, type[AnyFault]]:
    """The library's faults, then those of plug-ins; a plug-in that cannot be used warns and is left out."""
    found = dict(FAULTS)
    for point in entry_points(group=ENTRY_POINT_GROUP):
        try:
            added = list(_faults_of(point.load()))
        except Exception as error:
            # A broken plug-in must not stop a scenario that does not use it.
            warnings.warn(f"fault plug-in {point.value} cannot be loaded: {error}", stacklevel=2)
            continue
        for each in added:
            if each.id in found:
                warnings.warn(f"fault plug-in {point.value} is ignored: the id {each.id!r} is taken", stacklevel=2)
            else:
                found[each.id] = each
    return found


def fault(id: str, args: object, *, unknown: Unknown = "refuse") -> AnyFault:  # noqa: A002  the library's own word
    """The fault of an id with its arguments.

    Args:
        id: of the fault.
        args: as read from a file.
        unknown: what to do about arguments that the fault does not know. Scenario files of the public library have some
            that mean nothing; `ignore` leaves them out and lists them in `ignored`.

    Raises:
        FaultError: there is no such fault.
        ArgumentsError: the arguments do not fit; `problems` has them one by one.
    """
    kind = FAULTS.get(id) or known_faults().get(id)
    if kind is None:
        raise FaultError(f"there is no fault {id!r}", hint=near(id, known_faults()) + " See: itbench fault list")
    model, ignored = read_arguments(kind.model, id, args, unknown)
    return kind(model, ignored)


def _faults_of(loaded: object) -> Iterator[type[AnyFault]]:
    if isinstance(loaded, type) and issubclass(loaded, Fault):
        yield loaded
        return
    if not callable(loaded):
        raise TypeError(f"{loaded!r} is no fault")
    for each in loaded():
        if not (isinstance(each, type) and issubclass(each, Fault)):
            raise TypeError(f"{each!r} is no fault")
        yield each
