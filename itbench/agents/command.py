"""Agents that are programs: `cmd:` runs any of them, `python:` runs a function or class through itbench.agents.host.

The program finds its task in its working directory as TASK.md and task.json, and in the environment:
TASK (path of TASK.md), WORKSPACE, SNAPSHOT_DIR (absent where the scenario has no data), OUTPUT (path of the answer). In a
live environment also KUBECONFIG, PROMETHEUS_URL (as far as there are such) and FINDINGS (where to append findings).
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from itbench.agents.live_doors import followed, program_doors, write_kubeconfig
from itbench.agents.protocol import AgentResult, Workspace
from itbench.model.errors import SandboxError, UsageError
from itbench.model.outcome import Cause
from itbench.model.task import Task

if TYPE_CHECKING:
    from itbench.model.trajectory import Trajectory
    from itbench.sandbox.box import Ending

SessionReader = Callable[[Path, Path], "tuple[Trajectory | None, tuple[str, ...]]"]
_SHARED = frozenset({Path("/"), Path("/tmp"), Path("/run"), Path.home()})  # noqa: S108 - named, not used
_LIMITS: dict[str, Cause] = {
    "wall_time": "agent_timeout",
    "workspace_size": "budget_exhausted",
    "memory": "budget_exhausted",
}


@dataclass(frozen=True, slots=True)
class CommandAgent:
    """Runs `argv` in the sandbox and takes the file that it leaves.

    Args:
        argv: program and arguments; no shell is involved.
        files: the agent's own files, which must be in sight even where they lie in a hidden place such as /tmp.
        env: more environment variables; `{workspace}` in a value is the workspace as the program sees it.
        session: reads the trajectory of a program that keeps one in its own format, from its workspace and the folder of
            its logs; also says what is wrong with it.
    """

    argv: tuple[str, ...]
    files: tuple[Path, ...] = ()
    is_python: bool = False
    env: tuple[tuple[str, str], ...] = ()
    session: SessionReader | None = None
    sandboxed: bool = True

    @property
    def exposed(self) -> tuple[Path, ...]:
        """What must stay in sight for the agent's files to work: their folders, but never a shared or secret one."""
        from itbench.sandbox.concealment import credentials, within

        secret = credentials()
        return tuple(
            path if path.is_dir() or path.parent in _SHARED or within(path, secret) else path.parent for path in self.files
        )

    @classmethod
    def from_text(cls, text: str) -> CommandAgent:
        """From what follows `cmd:`.

        Raises:
            UsageError: the quoting is broken, or the program does not exist.
        """
        import shutil

        words = split(text)
        if shutil.which(words[0]) is None:
            raise UsageError(
                f"there is no program {words[0]!r}, or it is not executable", key=f"--agent cmd:{text}", hint="Try: chmod +x"
            )
        return cls(tuple(words), named_files(words))

    @classmethod
    def for_python(cls, text: str) -> CommandAgent:
        """From what follows `python:`: MODULE:ATTRIBUTE, and the folder to import from after an @.

        Raises:
            UsageError: it is not of that form.
        """
        target, _, folder = text.partition("@")
        module, colon, attribute = target.partition(":")
        if not (module and colon and attribute):
            raise UsageError("write this agent as python:MODULE:ATTRIBUTE", key=f"--agent python:{target}")
        place = Path(folder) if folder else Path.cwd()
        host = Path(__file__).with_name("host.py")
        argv = (sys.executable, str(host), str(place), module, attribute)
        return cls(argv, (place, host), is_python=True)

    async def run(self, task: Task, workspace: Workspace) -> AgentResult:
        """Run the program until it ends or meets a limit.

        Raises:
            SandboxError: the sandbox cannot be set up.
        """
        from itbench.agents.transcript import read_trajectory, stated_usage, transcript
        from itbench.sandbox.box import Box, inner_workspace
        from itbench.sandbox.environment import agent_environment
        from itbench.sandbox.output import OutputError, OutputMissingError
        from itbench.sandbox.supervisor import run

        boundary = workspace.boundary
        assert boundary is not None, "the runner gives every sandboxed agent a boundary"
        inner = inner_workspace(boundary.mode, workspace.path)
        told = _given(task, workspace, inner)
        told |= {name: value.replace("{workspace}", str(inner)) for name, value in self.env}
        box = Box(
            mode=boundary.mode,
            argv=self.argv,
            workspace=workspace.path,
            input_dir=workspace.input_dir,
            stdout=workspace.logs / "stdout.txt",
            stderr=workspace.logs / "stderr.txt",
            budget=task.budget,
            hidden=boundary.hidden,
            expose=(*boundary.expose, *self.exposed),
            env=agent_environment(inner, extra=told, passed=boundary.passed_env),
            network=boundary.network,
        )
        try:
            async with followed(workspace):
                ending = await run(box)
        except OSError as error:
            raise SandboxError(f"the harness could not run the program ({error})") from error
        workspace.events.emit(
            "program_ended", reason=ending.reason, exit_code=ending.exit_code, signal=ending.signal, seconds=ending.seconds
        )
        trajectory, warnings = read_trajectory(workspace.path)
        if trajectory is None and self.session is not None:
            trajectory, more = self.session(workspace.path, workspace.logs)
            warnings += more
        trajectory = trajectory or transcript(task, self.argv, box.stdout)
        usage, doubts = stated_usage(trajectory)
        kept = AgentResult(trajectory=trajectory, usage=usage, warnings=(*warnings, *doubts))
        if ending.reason in _LIMITS:
            return replace(kept, failure=_LIMITS[ending.reason], detail=_limit_text(ending.reason, task))
        failed = None if ending.exit_code == 0 else f"the program {_status(ending)}{_last_line(box.stderr)}"
        try:
            output = _answer(workspace.path, task)
        except OutputMissingError:
            if ending.out_of_memory:
                return replace(kept, failure="budget_exhausted", detail=_limit_text("memory", task))
            detail = failed or f"the program ended well but wrote no {task.output_file}"
            return replace(kept, failure="agent_error" if failed else "output_missing", detail=detail)
        except OutputError as error:
            return replace(kept, failure="output_invalid", detail=error.message)
        if failed:
            kept = replace(kept, warnings=(*kept.warnings, f"{failed}; its answer is scored all the same"))
        return replace(kept, output=output)


def _given(task: Task, workspace: Workspace, inner: PurePosixPath) -> dict[str, str]:
    """Write the task into the workspace; gives the variables that tell a program of it.

    `inner` is the workspace as the program sees it.

    Raises:
        SandboxError: it cannot be written.
    """
    live = workspace.live
    try:
        (workspace.path / "TASK.md").write_text(task.instructions, encoding="utf-8")
        (workspace.path / "task.json").write_text(task.model_dump_json(indent=1), encoding="utf-8")
        if live is not None and live.kubeconfig is not None:
            write_kubeconfig(live.kubeconfig, workspace.path)
    except OSError as error:
        raise SandboxError(f"the harness could not write the task ({error})") from error
    told = {"TASK": str(inner / "TASK.md"), "WORKSPACE": str(inner), "OUTPUT": str(inner / task.output_file)}
    if task.input_dir is not None:
        told["SNAPSHOT_DIR"] = str(task.input_dir)
    return told if live is None else told | program_doors(live, inner)


def _answer(folder: Path, task: Task) -> bytes:
    """The answer that a program left; to a compliance task that is also the files which such a task asks for.

    Raises:
        OutputError: there is none that can be used.
    """
    from itbench.compliance.answer import pack_folder
    from itbench.datasets.outputs import CISO_FILES
    from itbench.sandbox.output import OutputMissingError, read_output

    try:
        return read_output(folder, task.output_file, task.budget.output_bytes)
    except OutputMissingError:
        if task.domain == "ciso" and any((folder / name).is_file() for name in CISO_FILES):
            return pack_folder(folder)
        raise


def split(text: str) -> list[str]:
    """Split a command as a shell would, without a shell.

    Raises:
        UsageError: the quoting is broken, or there is nothing.
    """
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise UsageError(f"cannot read this command ({error})", key=f"--agent cmd:{text}") from None
    if not words:
        raise UsageError("say which program to run", hint="For example: --agent cmd:./my-agent")
    return words


def named_files(words: Sequence[str]) -> tuple[Path, ...]:
    """The existing files among the words of a command."""
    return tuple(path for word in words if word.startswith("/") and (path := Path(word)).is_file())


def _status(ending: Ending) -> str:
    return f"was ended by signal {ending.signal}" if ending.signal else f"ended with exit code {ending.exit_code}"


def _limit_text(limit: str, task: Task) -> str:
    budget = task.budget
    return {
        "wall_time": f"stopped after {budget.wall_seconds:g} s",
        "workspace_size": f"stopped when its workspace grew beyond {budget.workspace_bytes} bytes, or too deep to measure",
        "memory": f"stopped when it used more than {budget.memory_bytes} bytes of memory",
    }[limit]


def _last_line(stderr: Path) -> str:
    """The last line of standard error, which mostly names the problem."""
    try:
        with stderr.open("rb") as stream:
            stream.seek(max(0, stderr.stat().st_size - 2000))
            lines = stream.read().decode(errors="replace").split("\n")
    except OSError:
        return ""
    said = [line.strip() for line in lines if line.strip()]
    return f": {said[-1][:300]}" if said else ""
