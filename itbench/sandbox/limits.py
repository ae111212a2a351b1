"""Limits that the kernel keeps per process, set from outside before the program starts."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

from itbench.sandbox.box import Box
from itbench.sandbox.cgroups import ControlGroup


def apply(pid: int, box: Box, group: ControlGroup) -> None:
    """Limit a waiting process and all that it will start.

    A single file may be as large as the workspace, and there are no core dumps. Where no control group limits memory
    and processes, each process gets the memory limit as address space, and processes are counted per user: all those
    of the box in bubblewrap, whose user namespace counts apart, else this user's running ones plus the limit. The
    kernel never counts root's.
    """
    if sys.platform != "linux":
        return
    limits: dict[int, int] = {resource.RLIMIT_FSIZE: box.budget.workspace_bytes, resource.RLIMIT_CORE: 0}
    if box.budget.cpu_seconds is not None:
        limits[resource.RLIMIT_CPU] = box.budget.cpu_seconds
    if box.budget.memory_bytes is not None and not group.limits("memory"):
        limits[resource.RLIMIT_AS] = box.budget.memory_bytes
    if not group.limits("pids"):
        others = 0 if box.mode == "bubblewrap" else _tasks_of_this_user()
        limits[resource.RLIMIT_NPROC] = others + box.budget.processes
    for kind, value in limits.items():
        _, hard = resource.prlimit(pid, kind)
        allowed = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.prlimit(pid, kind, (allowed, allowed))


def _tasks_of_this_user() -> int:
    """Threads that run as this user, which is what RLIMIT_NPROC counts."""
    user = Path("/proc/self").stat().st_uid
    count = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if folder.stat().st_uid == user:
                count += sum(1 for _ in (folder / "task").iterdir())
        except OSError:
            continue
    return count
