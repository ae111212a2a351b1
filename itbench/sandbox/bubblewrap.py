"""Isolation by bubblewrap: the host read-only, without what is hidden, in namespaces of its own."""

from __future__ import annotations

import functools
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from itbench.model.errors import SandboxError
from itbench.sandbox.box import SNAPSHOT, WORKSPACE, Box
from itbench.sandbox.concealment import PRIVATE, answers, credentials, exposed, needed_from_run, within
from itbench.sandbox.prepared import Prepared

_NAMESPACES = ("--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts")
_CONFINEMENT = ("--die-with-parent", "--new-session", "--cap-drop", "ALL", "--hostname", "sandbox")


@dataclass(frozen=True, slots=True)
class Bubblewrap:
    """An installed bubblewrap; older releases lack some options."""

    program: str
    disables_namespaces: bool
    sizes_tmpfs: bool


@functools.cache
def find() -> Bubblewrap | None:
    """The bubblewrap on PATH, or None."""
    program = shutil.which("bwrap")
    if program is None:
        return None
    try:
        usage = subprocess.run([program, "--help"], capture_output=True, text=True, check=False, timeout=10)
    except subprocess.TimeoutExpired:  # `trial_start` will tell
        return Bubblewrap(program, disables_namespaces=False, sizes_tmpfs=False)
    options = usage.stdout + usage.stderr
    return Bubblewrap(program, "--disable-userns" in options, "--size " in options)


def trial_start() -> str | None:
    """Start a shell in an empty sandbox; None if that worked, else what bubblewrap said."""
    installed = find()
    if installed is None:
        return "the program bwrap is not installed"
    options = (*_namespaces(installed, network=False), *_CONFINEMENT, "--ro-bind", "/", "/", *_private(installed, 1 << 20))
    try:
        done = subprocess.run(
            [installed.program, *options, "/bin/sh", "-c", ":"], capture_output=True, text=True, check=False, timeout=10
        )
    except subprocess.TimeoutExpired:
        return "bwrap did not start within 10 s"
    return None if done.returncode == 0 else done.stderr.strip() or f"bwrap ended with {done.returncode}"


@contextmanager
def prepare(box: Box) -> Iterator[Prepared]:
    """The box as a start of bubblewrap.

    Raises:
        SandboxError: bubblewrap is not installed.
        UsageError: as `arguments`.
    """
    installed = find()
    if installed is None:
        raise SandboxError("the program bwrap is not installed", hint="Install the package bubblewrap")
    program = installed.program

    def command(orders: int, gate: int, status: int) -> list[str]:
        descriptors = ["--args", str(orders), "--block-fd", str(gate), "--json-status-fd", str(status)]
        return [program, *descriptors, "--", *box.argv]

    text = "".join(f"{argument}\0" for argument in arguments(box, installed))
    yield Prepared(command=command, orders=text.encode(), env=dict(box.env), writable=(box.workspace,))


def arguments(box: Box, installed: Bubblewrap) -> list[str]:
    """Options of bubblewrap for the box. Later mounts cover earlier ones, so what is hidden stays hidden.

    Raises:
        UsageError: what is to be exposed lies in a hidden place.
    """
    blanked: list[str] = ["/run"]
    hidden = answers(box)
    shown = exposed(box, hidden)
    options = [*_namespaces(installed, network=box.network), *_CONFINEMENT, "--ro-bind", "/", "/"]
    options += _private(installed, box.budget.workspace_bytes)
    for path in needed_from_run():
        options += ["--ro-bind", str(path), str(path)]
    secrets = [path for path in credentials() if not within(path, PRIVATE)]
    options += _cover(secrets, blanked)
    for path in shown:
        options += ["--ro-bind", str(path), str(path)]
    covered = [*PRIVATE, *secrets]
    options += _cover([path for path in hidden if within(path, shown) or not within(path, covered)], blanked)
    for folder in blanked:
        options += ["--remount-ro", folder]
    options += ["--bind", str(box.workspace.absolute()), str(WORKSPACE)]
    for name, source in box.read_only.items():
        options += ["--ro-bind", str(source.absolute()), str(WORKSPACE / name)]
    if box.input_dir is not None:
        options += ["--ro-bind", str(box.input_dir.absolute()), str(SNAPSHOT)]
    return [*options, "--chdir", str(WORKSPACE)]


def _namespaces(installed: Bubblewrap, *, network: bool) -> tuple[str, ...]:
    nested = ("--disable-userns",) if installed.disables_namespaces else ()
    return (*_NAMESPACES, *nested, *(() if network else ("--unshare-net",)))


def _private(installed: Bubblewrap, size: int) -> list[str]:
    """A /proc, /dev, /tmp and /run of its own. Sizes are bytes; an older bubblewrap allows half of the memory."""
    limit = ["--size", str(size)] if installed.sizes_tmpfs else []
    options = ["--proc", "/proc", "--dev", "/dev", *limit, "--tmpfs", "/dev/shm", *limit, "--tmpfs", "/tmp"]  # noqa: S108
    old_run = [] if Path("/var/run").is_symlink() or not Path("/var/run").is_dir() else ["--tmpfs", "/var/run"]
    return [*options, "--tmpfs", "/run", *old_run]


def _cover(paths: list[Path], blanked: list[str]) -> list[str]:
    """Options that put nothing in the place of the paths; folders that need a later remount join `blanked`."""
    options: list[str] = []
    for path in paths:
        if path.is_dir():
            options += ["--tmpfs", str(path)]
            blanked.append(str(path))
        else:
            options += ["--ro-bind", "/dev/null", str(path)]
    return options
