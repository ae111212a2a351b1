"""Run an agent's fetch.sh on one variant, in a sandbox: no network, inputs read-only, its own /tmp and HOME, limits."""

from __future__ import annotations

import json
import re
import secrets
import shutil
import stat
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from itbench.compliance.place import Place
from itbench.model.compliance import Fetched
from itbench.model.task import Budget
from itbench.sandbox.box import Box, Ending, inner_workspace
from itbench.sandbox.environment import agent_environment
from itbench.sandbox.output import OutputError, read_output
from itbench.sandbox.supervisor import run

SCRIPT = "fetch.sh"
DATA = "collected_data.json"
RESOURCES = "static-resources"
SECONDS = 60.0
MAX_DATA = 10_000_000
_BUDGET = Budget(
    wall_seconds=SECONDS,
    output_bytes=MAX_DATA,
    stdout_bytes=100_000,
    workspace_bytes=50_000_000,
    processes=128,
    memory_bytes=1_000_000_000,
)
# An answer may name the folders that its author saw; they are the current folder here.
_FOREIGN = re.compile(r"(?<![\w.$}])(?:/[\w.@+-]+)+/(?=(?:static-resources|collected_data\.json)\b)")


@dataclass(frozen=True, slots=True)
class Collected:
    """What a fetch script left: its data as JSON text, None if there is none; and what it said on standard error."""

    fetched: Fetched
    data: bytes | None
    said: str = ""


async def fetch(files: Mapping[str, str], resources: Mapping[str, bytes], place: Place) -> Collected:
    """Run the answer's fetch.sh once, in a fresh workspace that holds the answer's files and the resources.

    Raises:
        SandboxError: the sandbox cannot be set up; that is not the answer's fault.
    """
    with tempfile.TemporaryDirectory(prefix="itbench-") as folder:
        # A script can read the names of what is mounted, so they say nothing about the variant.
        workspace, stage = Path(folder) / secrets.token_hex(8), Path(folder) / secrets.token_hex(8)
        workspace.mkdir()
        _write(stage / RESOURCES, resources)
        for name, text in files.items():
            content = _FOREIGN.sub("", text) if name == SCRIPT else text
            (workspace / name).write_text(content, encoding="utf-8", newline="")
        script = workspace / SCRIPT
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
        mounted = place.mode == "bubblewrap"
        if mounted:
            (workspace / RESOURCES).mkdir()
        else:
            shutil.copytree(stage / RESOURCES, workspace / RESOURCES)
        inner = inner_workspace(place.mode, workspace)
        environment = agent_environment(inner)
        # python3 is the harness's own, so that PyYAML is there whatever the host has.
        environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
        box = Box(
            mode=place.mode,
            argv=(f"./{SCRIPT}",) if files[SCRIPT].startswith("#!") else ("bash", SCRIPT),
            workspace=workspace,
            input_dir=stage,
            read_only={RESOURCES: stage / RESOURCES} if mounted else {},
            stdout=Path(folder) / "stdout",
            stderr=Path(folder) / "stderr",
            budget=_BUDGET,
            hidden=place.hidden,
            env=environment,
            network=False,
        )
        ending = await run(box)
        said = box.stderr.read_text(errors="replace")
        return _collected(ending, workspace, said)


def _collected(ending: Ending, workspace: Path, said: str) -> Collected:
    seconds = round(ending.seconds, 3)

    def failed(problem: str, size: int = 0) -> Collected:
        return Collected(Fetched(ok=False, problem=problem, seconds=seconds, size=size), None, said)

    if ending.reason != "exited":
        return failed(_LIMITS[ending.reason])
    if ending.exit_code != 0:
        how = f"exit code {ending.exit_code}" if ending.exit_code is not None else f"signal {ending.signal}"
        last = next((line.strip() for line in reversed(said.splitlines()) if line.strip()), "")
        return failed(f"fetch.sh ended with {how}" + (f": {last[:300]}" if last else ""))
    try:
        data = read_output(workspace, DATA, MAX_DATA)
    except OutputError as error:
        return failed(f"{DATA}: {error.message}")
    try:
        value = json.loads(data, parse_constant=_refuse)
    except RecursionError:
        return failed(f"{DATA} is nested too deeply", len(data))
    except ValueError as error:
        return failed(f"{DATA} is not valid JSON ({error})"[:300], len(data))
    del value
    return Collected(Fetched(ok=True, seconds=seconds, size=len(data)), data, said)


_LIMITS = {
    "wall_time": f"fetch.sh was stopped after {SECONDS:g} s",
    "workspace_size": f"fetch.sh wrote more than {_BUDGET.workspace_bytes:,} bytes",
    "memory": f"fetch.sh used more than {_BUDGET.memory_bytes:,} bytes of memory",
}


def _refuse(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _write(folder: Path, resources: Mapping[str, bytes]) -> None:
    folder.mkdir(parents=True)
    for name, content in resources.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
