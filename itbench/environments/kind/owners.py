"""Whose a cluster is: its name tells the process that made it, so that clusters of dead processes can be found by label.

kind labels a node's container with the cluster's name and takes no other label. The name says nothing of the harness:
agents see it as part of their node's name.
"""

from __future__ import annotations

import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path

LABEL = "io.x-k8s.kind.cluster"
_NAME = re.compile(r"^live-(?P<boot>[0-9a-f]{8})-(?P<pid>\d+)-(?P<started>\d+)-[0-9a-f]{4}$")


@dataclass(frozen=True, slots=True)
class Owner:
    """A process of this machine: when it was booted, the process's number, and when that was started (clock ticks)."""

    boot: str
    pid: int
    started: int

    @property
    def alive(self) -> bool:
        """Whether the process still runs. One of another boot does not."""
        return self == owner(self.pid)


def owner(pid: int | None = None) -> Owner | None:
    """This process, or another one; None if there is none of this number."""
    number = os.getpid() if pid is None else pid
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip().replace("-", "")[:8]
        status = Path(f"/proc/{number}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = status.rpartition(")")[2].split()
    return None if fields[0] == "Z" else Owner(boot, number, int(fields[19]))


def new_cluster_name() -> str:
    """A name for a cluster of this process."""
    ours = owner()
    assert ours is not None, "this process runs"
    return f"live-{ours.boot}-{ours.pid}-{ours.started}-{secrets.token_hex(2)}"


def owner_of(cluster: str) -> Owner | None:
    """Who made the cluster of this name; None if it is none of ours."""
    found = _NAME.match(cluster)
    if found is None:
        return None
    return Owner(found["boot"], int(found["pid"]), int(found["started"]))
