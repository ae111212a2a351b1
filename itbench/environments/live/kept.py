"""The environments that `itbench env up` has made and nobody has ended: start, list, end and reap them."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from itbench.cluster.leftovers import leftovers
from itbench.cluster.leftovers import reap as reap_plane
from itbench.environments.live.keeper import ABOUT, EVENTS, FAILED, READY, state_folder
from itbench.environments.live.stage import LiveSettings
from itbench.model.errors import ItbenchError, UsageError

_LOOK = 0.2
_END_SECONDS = 60.0
State = Literal["starting", "ready", "failed", "dead"]


@dataclass(frozen=True, slots=True)
class Kept:
    """One environment.

    Attributes:
        name: as `env status` and `env down` know it.
        about: scenario, seed, environment, pid and time of its start.
        access: how to get in; empty unless it is ready.
    """

    name: str
    folder: Path
    about: dict[str, Any]
    state: State
    access: dict[str, str]


def start(
    scenario: Path,
    scenario_id: str,
    seed: int,
    settings: LiveSettings,
    tell: Callable[[dict[str, Any]], None],
    node_image: str | None = None,
) -> Kept:
    """Start an environment and wait until it is ready. If that is interrupted, nothing is left.

    Args:
        scenario: its scenario.yaml.
        scenario_id: for people.
        seed: of everything random.
        settings: what it is to be.
        tell: is told each step, as in events.jsonl.
        node_image: of a kind cluster.

    Raises:
        ItbenchError: it does not come up; says why.
    """
    words = [str(scenario.resolve()), str(seed), settings.name, str(settings.scale), node_image or ""]
    return _started("keeper", settings.name, words, {"scenario": scenario_id, "seed": seed}, tell)


def start_replay(snapshot: Path, at: str, tell: Callable[[dict[str, Any]], None]) -> Kept:
    """Show a snapshot behind an API server, as `start` does.

    Args:
        snapshot: its folder.
        at: the time, as tools take it; empty for the end.
        tell: is told each step.

    Raises:
        UsageError: there is no such folder.
        ItbenchError: it does not come up; says why.
    """
    if not snapshot.is_dir():
        raise UsageError("there is no such folder", path=snapshot)
    return _started("replay", "snapshot", [str(snapshot.resolve()), at], {"scenario": str(snapshot.resolve())}, tell)


def _started(
    module: str, environment: str, words: list[str], what: dict[str, Any], tell: Callable[[dict[str, Any]], None]
) -> Kept:
    name = f"{environment}-{secrets.token_hex(3)}"
    folder = state_folder() / name
    folder.mkdir(mode=0o700)
    program = [sys.executable, "-m", f"itbench.environments.live.{module}", str(folder), *words]
    pid = _spawn(program, folder / "keeper.log")
    about = {
        **what,
        "environment": environment,
        "pid": pid,
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    whole = folder / f".{ABOUT}"  # others look at any moment
    whole.write_text(json.dumps(about), encoding="utf-8")
    whole.rename(folder / ABOUT)
    told = 0
    try:
        while True:
            lines = _events(folder)
            for event in lines[told:]:
                tell(event)
            told = len(lines)
            if (folder / READY).exists():
                return _kept(folder)
            if _has_ended(pid):
                raise ItbenchError(f"the environment did not come up: {_why(folder)}")
            time.sleep(_LOOK)
    except BaseException:
        _end(pid, folder)
        raise


def kept() -> Iterator[Kept]:
    """All environments of this user, by name."""
    for folder in sorted(state_folder().iterdir()):
        if (folder / ABOUT).is_file():
            yield _kept(folder)


def end(name: str) -> None:
    """End one environment.

    Raises:
        UsageError: there is none of this name.
    """
    found = {each.name: each for each in kept()}
    if name not in found:
        names = ", ".join(found) or "none"
        raise UsageError(f"there is no environment {name!r}", hint=f"There are: {names}. See: itbench env status")
    _end(int(found[name].about["pid"]), found[name].folder)


def reap() -> list[str]:
    """End and remove what was left behind by programs that were killed; gives a line for each."""
    told = []
    for each in kept():
        if each.state in ("dead", "failed"):
            shutil.rmtree(each.folder, ignore_errors=True)
            told.append(f"{each.name} ({each.state}): its folder")
    for found in leftovers():
        reap_plane(found)
        told.append(f"{found.folder.name}: its folder and {len(found.processes)} processes")
    return [*told, *_reap_kind()]


def _reap_kind() -> list[str]:
    """As far as there is a Docker daemon."""
    from itbench.environments.kind.engine import Engine
    from itbench.environments.kind.provision import reap_clusters

    try:
        engine = Engine.connect()
    except ItbenchError:
        return []
    with engine:
        return reap_clusters(engine)


def _kept(folder: Path) -> Kept:
    about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
    alive = _is_keeper(int(about["pid"]), folder)
    state: State = "dead"
    if (folder / FAILED).exists():
        state = "failed"
    elif alive:
        state = "ready" if (folder / READY).exists() else "starting"
    access = json.loads((folder / READY).read_text(encoding="utf-8")) if state == "ready" else {}
    return Kept(folder.name, folder, about, state, access)


def _is_keeper(pid: int, folder: Path) -> bool:
    """Whether this process keeps this environment; its number may be another's by now."""
    try:
        return str(folder).encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def _spawn(words: list[str], log: Path) -> int:
    """Start a program that outlives us, away from our terminal; gives its process id."""
    output = os.open(log, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        actions = [
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_DUP2, output, 1),
            (os.POSIX_SPAWN_DUP2, output, 2),
        ]
        return os.posix_spawn(words[0], words, os.environ, file_actions=actions, setsid=True)
    finally:
        os.close(output)


def _has_ended(pid: int) -> bool:
    """Whether a child of ours has ended. One that has keeps its number until it is asked."""
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:  # it is none of ours, or was asked before
        return False


def _end(pid: int, folder: Path) -> None:
    deadline = time.monotonic() + _END_SECONDS
    if _is_keeper(pid, folder):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    while _is_keeper(pid, folder) and time.monotonic() < deadline:
        _has_ended(pid)
        time.sleep(_LOOK)
    if _is_keeper(pid, folder):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)  # the guard of its control plane notices
    shutil.rmtree(folder, ignore_errors=True)


def _events(folder: Path) -> list[dict[str, Any]]:
    try:
        lines = (folder / EVENTS).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    return [json.loads(line) for line in lines if line.endswith("}")]


def _why(folder: Path) -> str:
    for name in (FAILED, "keeper.log"):
        with suppress(OSError):
            lines = (folder / name).read_text(encoding="utf-8", errors="replace").strip().splitlines()
            if lines:
                return lines[-1]
    return "it ended without a word"
