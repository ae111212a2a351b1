"""What to run, with what in sight and within which limits, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Literal

from itbench.model.task import Budget

Mode = Literal["bubblewrap", "landlock", "none"]
Reason = Literal["exited", "wall_time", "workspace_size", "memory"]

WORKSPACE = PurePosixPath("/tmp/workspace")  # noqa: S108 - inside a private /tmp
SNAPSHOT = PurePosixPath("/tmp/snapshot")  # noqa: S108 - inside a private /tmp


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """One program and its surroundings.

    Host paths of `workspace` and `input_dir` must not name the scenario: the program can read them, in
    /proc/self/mountinfo or as they are.

    Args:
        mode: how it is isolated; see `itbench.sandbox.modes.choose`.
        argv: the program and its arguments, looked up on PATH of `env`.
        workspace: existing folder that the program may write to; its working directory.
        stdout: file for what is kept of standard output.
        stderr: file for what is kept of standard error.
        budget: limits; `output_bytes` is left to `itbench.sandbox.output.read_output`.
        input_dir: folder that it may only read.
        read_only: names in the workspace that are folders of the host, read-only. Only bubblewrap can do that: the other
            modes refuse it.
        hidden: folders and files that it must not read, such as datasets and run folders.
        expose: exceptions from what is hidden by default (credentials, /tmp, /run). One that lies in a hidden place is
            refused.
        env: its whole environment; see `itbench.sandbox.environment.agent_environment`.
        network: False cuts it off.
    """

    mode: Mode
    argv: tuple[str, ...]
    workspace: Path
    stdout: Path
    stderr: Path
    budget: Budget = field(default_factory=Budget)
    input_dir: Path | None = None
    read_only: Mapping[str, Path] = field(default_factory=dict)
    hidden: tuple[Path, ...] = ()
    expose: tuple[Path, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    network: bool = True


@dataclass(frozen=True, slots=True)
class Ending:
    """How a program ended.

    Attributes:
        reason: `exited` by itself, or the limit that ended it.
        exit_code: its exit code, None if a signal ended it.
        signal: the signal that ended it. As in a shell, an exit code of 128 + n is read as signal n.
        out_of_memory: the kernel killed a process of it for its use of memory, whatever became of the others.
        seconds: from its start to its end.
        stdout_truncated: the middle of standard output was left out.
        stderr_truncated: the middle of standard error was left out.
    """

    reason: Reason
    exit_code: int | None
    signal: int | None
    out_of_memory: bool
    seconds: float
    stdout_truncated: bool
    stderr_truncated: bool


def inner_workspace(mode: Mode, workspace: Path) -> PurePosixPath:
    """Where the program finds its workspace: an absolute path."""
    return WORKSPACE if mode == "bubblewrap" else PurePosixPath(workspace.absolute())


def inner_input(mode: Mode, input_dir: Path) -> PurePosixPath:
    """Where the program finds its input: an absolute path."""
    return SNAPSHOT if mode == "bubblewrap" else PurePosixPath(input_dir.absolute())
