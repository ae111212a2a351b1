"""Control planes whose keeper was killed: they are found by their folders, and only what belongs to these is ended."""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from itbench.cluster.control_plane import FOLDER_PREFIX
from itbench.cluster.guard import PIDS

_OLD_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Leftover:
    """A folder of a control plane that nobody keeps any more, and its processes that still run."""

    folder: Path
    processes: tuple[int, ...]


def leftovers() -> Iterator[Leftover]:
    """What control planes of this user have left behind on this machine."""
    for folder in sorted(Path(tempfile.gettempdir()).glob(f"{FOLDER_PREFIX}*")):
        try:
            state = folder.lstat()
        except FileNotFoundError:  # its guard has just removed it
            continue
        if not stat.S_ISDIR(state.st_mode) or state.st_uid != os.getuid():
            continue
        pids = _pids(folder)
        # Without a note it is just being made, or was never finished; its guard tells, which names the folder.
        if any(_names(pid, str(folder)) and _names(pid, "itbench.cluster.guard") for pid in _processes()):
            continue
        if not pids and time.time() - state.st_mtime < _OLD_SECONDS:
            continue
        yield Leftover(folder, tuple(pid for name, pid in pids.items() if name != "guard" and _belongs(pid, folder)))


def reap(found: Leftover) -> None:
    """End the processes, and remove the folder."""
    for pid in found.processes:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    shutil.rmtree(found.folder, ignore_errors=True)


def _pids(folder: Path) -> dict[str, int]:
    try:
        noted = json.loads((folder / PIDS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(name): pid for name, pid in noted.items() if isinstance(pid, int)} if isinstance(noted, dict) else {}


def _belongs(pid: int, folder: Path) -> bool:
    """Whether a process works in a folder; its number may be another's by now."""
    try:
        return Path(f"/proc/{pid}/cwd").readlink().resolve() == folder.resolve()
    except OSError:
        return False


def _processes() -> Iterator[int]:
    return (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())


def _names(pid: int, text: str) -> bool:
    try:
        return text.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
