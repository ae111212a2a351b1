"""A live environment that outlives the command that made it: `itbench env up`.

`python -m itbench.environments.live.keeper FOLDER SCENARIO SEED NAME SCALE [NODE_IMAGE]` plays a scenario, shows it, and
keeps it until it is told to end (SIGTERM, SIGINT). What it does stands in FOLDER/events.jsonl, a line a step;
FOLDER/ready.json says how to get in, FOLDER/failed.txt why it did not work. It removes FOLDER at its end unless it failed.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from types import FrameType
from typing import cast

from itbench.environments.live.stage import LiveName, LiveSettings, LiveStage, Note, Stage
from itbench.model.errors import ItbenchError
from itbench.twin.incident.plan import Plan

READY, FAILED, EVENTS, ABOUT = "ready.json", "failed.txt", "events.jsonl", "about.json"


def state_folder() -> Path:
    """Where the environments of this user are noted: among temporary files, which no agent in a sandbox can see.

    Raises:
        ItbenchError: somebody else has made the folder.
    """
    folder = Path(tempfile.gettempdir()) / f"itbench-live-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():
        raise ItbenchError("this folder is not ours", path=folder, hint="Remove it, or set TMPDIR to another place.")
    return folder


def keep(folder: Path, scenario: Path, seed: int, settings: LiveSettings, node_image: str | None = None) -> None:
    """Play a scenario and keep it until told to end."""
    from itbench.datasets.scenario_file import read_scenario
    from itbench.twin.incident.plan import plan

    @contextmanager
    def shown(note: Note) -> Iterator[Doors]:
        with _stage(plan(read_scenario(scenario)), seed, settings, node_image, note) as stage:
            stage.begin()
            stage.hand_over(folder / "snapshot")
            yield Doors({"snapshot": str(folder / "snapshot"), **stage.doors}, stage.kubeconfig)

    hold(folder, shown)


@dataclass(frozen=True, slots=True)
class Doors:
    """How to get in: files and addresses by what they are, and the text of a kubeconfig, if there is an API server."""

    named: Mapping[str, str]
    kubeconfig: str | None


def hold(folder: Path, shown: Callable[[Note], AbstractContextManager[Doors]]) -> None:
    """Open something and keep it until told to end.

    Args:
        folder: where this process says how it goes.
        shown: opens it; is given what is told of every step.
    """
    ended = Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        if ended.is_set():
            return  # it is on its way out
        ended.set()
        raise KeyboardInterrupt  # wherever it is; everything is torn down on the way out

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, end)
    events = (folder / EVENTS).open("a", encoding="utf-8", buffering=1)

    def note(kind: str, **data: object) -> None:
        events.write(json.dumps({"kind": kind, **data}, default=str) + "\n")

    try:
        with events, shown(note) as doors:
            _write_ready(folder, doors)
            while not ended.is_set():
                signal.pause()
    except KeyboardInterrupt:
        pass
    except ItbenchError as error:
        (folder / FAILED).write_text(str(error), encoding="utf-8")
        return
    shutil.rmtree(folder, ignore_errors=True)


def _write_ready(folder: Path, doors: Doors) -> None:
    ready = dict(doors.named)
    if doors.kubeconfig is not None:
        (folder / "kubeconfig").write_text(doors.kubeconfig, encoding="utf-8")
        (folder / "kubeconfig").chmod(0o600)
        ready["kubeconfig"] = str(folder / "kubeconfig")
    temporary = folder / f".{READY}"
    temporary.write_text(json.dumps(ready), encoding="utf-8")
    temporary.rename(folder / READY)


@contextmanager
def _stage(planned: Plan, seed: int, settings: LiveSettings, node_image: str | None, note: Note) -> Iterator[LiveStage]:
    if settings.name != "kind":
        with Stage(planned, seed, settings, note) as stage:
            yield stage
        return
    from itbench.environments.kind.settings import load_kind_settings
    from itbench.environments.kind.stage import KindStage
    from itbench.environments.kind.system import KindSystems

    found = load_kind_settings()
    with (
        KindSystems(found, node_image) as systems,
        KindStage(planned, seed, systems, found, settings, note, reused=False) as on_kind,
    ):
        yield on_kind


def main(folder: str, scenario: str, seed: str, name: str, scale: str, node_image: str = "") -> None:
    """As the module's documentation says."""
    settings = LiveSettings(cast("LiveName", name), scale=float(scale))
    keep(Path(folder), Path(scenario), int(seed), settings, node_image or None)


if __name__ == "__main__":
    main(*sys.argv[1:])
