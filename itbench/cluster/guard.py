"""A program that keeps other programs: they end, and their folder goes, when whoever started it does, however that ends.

Run as `python -m itbench.cluster.guard FOLDER COMMANDS`, where COMMANDS is JSON: a list of argument lists. It runs them
in FOLDER, each with its output in FOLDER/NAME.log, notes the process ids in FOLDER/pids.json (for the case that it is
killed itself, see `itbench.cluster.leftovers`), prints one line `NAME CODE` for each that ends by itself, and stops
when its standard input is closed, which also happens when the other end is killed.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

_LOOK_SECONDS = 0.1
_STOP_SECONDS = 10.0
PIDS = "pids.json"


def keep(folder: Path, commands: Sequence[Sequence[str]]) -> None:
    """Run the commands until standard input ends; then end them, last first, and remove the folder."""
    running: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for command in commands:
            running[Path(command[0]).name] = _start(folder, command)
        pids = {"guard": os.getpid(), **{name: process.pid for name, process in running.items()}}
        (folder / PIDS).write_text(json.dumps(pids))
        reported: set[str] = set()
        while not select.select([sys.stdin], [], [], _LOOK_SECONDS)[0]:
            for name, process in running.items():
                if name not in reported and process.poll() is not None:
                    reported.add(name)
                    os.write(sys.stdout.fileno(), f"{name} {process.returncode}\n".encode())
    finally:
        for process in reversed(running.values()):
            _stop(process)
        shutil.rmtree(folder, ignore_errors=True)


def _start(folder: Path, command: Sequence[str]) -> subprocess.Popen[bytes]:
    log = (folder / f"{Path(command[0]).name}.log").open("wb")
    with log:
        return subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.kill()  # their state goes with the folder, so there is nothing to save
    process.wait(_STOP_SECONDS)


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # the end of standard input is the only order
        signal.signal(number, signal.SIG_IGN)
    keep(Path(sys.argv[1]), json.loads(sys.argv[2]))
