"""Run what collects an answer's data on one variant, in a sandbox: no network, inputs read-only, its own /tmp and HOME.

`run_collector` does that for every form of task; `StaticFetch` is fetch.sh over files. The others stand in
`itbench.compliance.playbook` (Ansible) and `itbench.compliance.live` (kubectl).
"""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import stat
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Protocol

from itbench.compliance.place import Place
from itbench.compliance.variants import Variant
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
    cpu_seconds=40,
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


class Collector(Protocol):
    """One way to collect data from a variant: which file of the answer does it, and how many run at a time."""

    @property
    def script(self) -> str:
        """The file of the answer that is run."""
        ...

    @property
    def at_once(self) -> int:
        """How many variants may be collected from at a time."""
        ...

    async def __call__(self, files: Mapping[str, str], variant: Variant) -> Collected:
        """Run it once, in a fresh workspace.

        Raises:
            SandboxError: the sandbox cannot be set up; that is not the answer's fault.
        """
        ...


@dataclass(frozen=True, slots=True)
class Errand:
    """One run of a collector.

    Args:
        script: the file of the answer that is run.
        argv: the program and its arguments, given where the workspace is as the program sees it.
        folders: what stands read-only in the workspace: a name, and what writes the folder's content.
        mounts: folders of the host that stand there too; only bubblewrap can do that.
        env: further variables of the environment, likewise.
        expose: what the program needs to see although it lies in a hidden place.
        seconds: after which it is stopped.
    """

    script: str
    argv: Callable[[PurePosixPath], tuple[str, ...]]
    folders: Mapping[str, Callable[[Path], None]] = field(default_factory=dict)
    mounts: Mapping[str, Path] = field(default_factory=dict)
    env: Callable[[PurePosixPath], Mapping[str, str]] = lambda _: {}
    expose: tuple[Path, ...] = ()
    seconds: float = SECONDS


@dataclass(frozen=True, slots=True)
class StaticFetch:
    """fetch.sh over the files of a set, below static-resources/."""

    place: Place
    script: str = SCRIPT

    @property
    def at_once(self) -> int:
        """Two for each processor: a set waits for its mounts as long as it computes."""
        return min(16, 2 * (os.cpu_count() or 1))

    async def __call__(self, files: Mapping[str, str], variant: Variant) -> Collected:
        """Run fetch.sh once."""
        errand = Errand(
            SCRIPT, lambda _: start_of(files[SCRIPT]), {RESOURCES: lambda folder: write_files(folder, variant.files)}
        )
        return await run_collector(errand, files, self.place)


def start_of(script: str) -> tuple[str, ...]:
    """How fetch.sh is started: by its own first line, or by bash."""
    return (f"./{SCRIPT}",) if script.startswith("#!") else ("bash", SCRIPT)


async def run_collector(errand: Errand, files: Mapping[str, str], place: Place) -> Collected:
    """Run the errand once, in a fresh workspace that holds the answer's files.

    Raises:
        SandboxError: the sandbox cannot be set up; that is not the answer's fault.
    """
    with tempfile.TemporaryDirectory(prefix="itbench-") as folder:
        # A script can read the names of what is mounted, so they say nothing about the variant.
        workspace, stage = Path(folder) / secrets.token_hex(8), Path(folder) / secrets.token_hex(8)
        workspace.mkdir()
        stage.mkdir()
        for name, text in files.items():
            if name in errand.folders or name in errand.mounts or PurePosixPath(name).name != name:
                continue  # readers of answers leave names with a path out; nothing is written elsewhere in any case
            content = _FOREIGN.sub("", text) if name == errand.script else text
            (workspace / name).write_text(content, encoding="utf-8", newline="")
        script = workspace / errand.script
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
        mounted = place.mode == "bubblewrap"
        for name, write in errand.folders.items():
            write((stage if mounted else workspace) / name)
            (workspace / name).mkdir(exist_ok=True)
        inner = inner_workspace(place.mode, workspace)
        environment = agent_environment(inner, extra=errand.env(inner))
        # python3 is the harness's own, so that PyYAML is there whatever the host has.
        environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
        box = Box(
            mode=place.mode,
            argv=errand.argv(inner),
            workspace=workspace,
            input_dir=stage,
            read_only={**({name: stage / name for name in errand.folders} if mounted else {}), **errand.mounts},
            stdout=Path(folder) / "stdout",
            stderr=Path(folder) / "stderr",
            budget=_BUDGET.model_copy(update={"wall_seconds": errand.seconds}),
            hidden=place.hidden,
            expose=errand.expose,
            env=environment,
            network=False,
        )
        ending = await run(box)
        said = box.stderr.read_text(errors="replace")
        if errand.script != SCRIPT:  # Ansible tells of failures on standard output
            said = f"{box.stdout.read_text(errors='replace')}\n{said}"
        return _collected(errand, ending, workspace, said)


def _collected(errand: Errand, ending: Ending, workspace: Path, said: str) -> Collected:
    seconds = round(ending.seconds, 3)

    def failed(problem: str, size: int = 0) -> Collected:
        return Collected(Fetched(ok=False, problem=problem, seconds=seconds, size=size), None, said)

    if (problem := _failure(errand, ending, said)) is not None:
        return failed(problem)
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


def _failure(errand: Errand, ending: Ending, said: str) -> str | None:
    """What was wrong with how it ended; None if it ended well."""
    script = errand.script
    if ending.reason != "exited":
        told = _LIMITS.get(ending.reason, f"was stopped after {errand.seconds:g} s")
        return f"{script} {told}"
    if ending.signal in (signal.SIGXCPU, signal.SIGKILL) and not ending.out_of_memory:
        return f"{script} was killed: a process may use {_BUDGET.cpu_seconds} s of processor time"
    if ending.exit_code != 0:
        how = f"exit code {ending.exit_code}" if ending.exit_code is not None else f"signal {ending.signal}"
        last = _complaint(said)
        return f"{script} ended with {how}" + (f": {last[:300]}" if last else "")
    return None


_LIMITS = {
    "workspace_size": f"wrote more than {_BUDGET.workspace_bytes:,} bytes",
    "memory": f"used more than {_BUDGET.memory_bytes:,} bytes of memory",
}


def _refuse(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _complaint(said: str) -> str:
    """The line that says best what went wrong: Ansible's errors, else the last one."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if re.match(r"\[?(?:fatal|ERROR|failed)\b", line)]
    return (errors or lines or [""])[-1]


def write_files(folder: Path, resources: Mapping[str, bytes]) -> None:
    """Write files by relative path."""
    folder.mkdir(parents=True)
    for name, content in resources.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
