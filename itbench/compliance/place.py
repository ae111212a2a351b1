"""Where what agents wrote is run: the sandbox, and what nothing inside may read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from itbench.bundled import bundled
from itbench.model.errors import SandboxError
from itbench.sandbox.box import Mode
from itbench.sandbox.modes import choose


@dataclass(frozen=True, slots=True)
class Place:
    """A way to run hostile programs.

    Args:
        mode: the isolation; `none` only where the user asked for it.
        hidden: folders that hold answers: the datasets and the scenarios that ship.
    """

    mode: Mode
    hidden: tuple[Path, ...] = ()


def find_place(hidden: tuple[Path, ...] = (), *, unprotected: bool = False) -> Place:
    """The strongest sandbox of this machine.

    Args:
        hidden: what must not be read besides the scenarios that ship.
        unprotected: run without one if none can be had. Scores say so.

    Raises:
        SandboxError: there is none, and `unprotected` is not set: nothing that an agent wrote is ever run bare.
    """
    paths = tuple(path for path in (bundled("scenarios").resolve(), *hidden) if path.exists())
    try:
        return Place(choose("auto"), paths)
    except SandboxError as error:
        if unprotected:
            return Place("none", paths)
        raise SandboxError(
            "scripts of agents run only in a sandbox, and there is none here",
            hint=f"{error}. To run them unprotected all the same: --unprotected",
        ) from error
