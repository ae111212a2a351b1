"""A running container's process as the kubelet meets it: when it ends, what it answers, how it stops."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from itbench.twin.workload.behaviour import ImageBehaviour, repository_of
from itbench.twin.workload.shell import SHELLS, Run, is_tool, run_command

KILLED = 137
MIB = 2**20
_SHELL_BYTES = 2.0 * MIB
_JSON_TOOL = ["-m", "json.tool"]
# What runc reports of a program for another machine.
_NOT_EXECUTABLE, _ENTRYPOINT = 255, "/entrypoint"


@dataclass(frozen=True, slots=True)
class Launch:
    """What is started.

    Attributes:
        image: name and tag.
        command: replaces the image's entry point; empty for that.
        args: its arguments.
        env: its variables.
        memory_limit: bytes; infinite where there is none.
        cpu_limit: cores, likewise.
        subject: what is started, for whoever wants to tell containers apart: namespace/pod/container.
        now: the second of its start.
        taken: ports on which other containers of the pod serve; they share one address.
        files: that are mounted from ConfigMaps and Secrets: path and text.
        architecture: of the machine.
        lifecycle: the container's hooks.
        cluster_names: whether the pod asks the cluster's resolver; the node's knows none of its names.
    """

    image: str
    command: Sequence[str]
    args: Sequence[str]
    env: Mapping[str, str]
    memory_limit: float
    cpu_limit: float
    subject: str
    now: float
    taken: frozenset[int] = frozenset()
    files: Mapping[str, str] = field(default_factory=dict)
    architecture: str = "amd64"
    lifecycle: Mapping[str, Any] = field(default_factory=dict)
    cluster_names: bool = True


class LaunchError(Exception):
    """The process could not be started; the text is the runtime's."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a process ends: when, with which code, and whether for lack of memory."""

    time: float
    code: int
    out_of_memory: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What comes back from a port.

    Attributes:
        kind: `served` with a status, or no connection, or no answer in time.
        status: of HTTP.
        seconds: how long it took; who does not wait that long sees a time-out.
    """

    kind: Literal["served", "refused", "timeout"]
    status: int = 200
    seconds: float = 0.0


class Process(Protocol):
    """One process."""

    @property
    def ending(self) -> Ending | None:
        """How it will end by itself; None while nothing says that it will."""
        ...

    @property
    def ports(self) -> frozenset[int]:
        """The ports on which it serves, or will."""
        ...

    def answer(self, port: int, path: str | None, now: float) -> Answer:
        """What a request to a port brings; without a path only the connection counts."""
        ...

    def execute(self, command: Sequence[str], now: float) -> tuple[int, str]:
        """Exit code and output of a command run beside it, in the same container."""
        ...

    def stop_seconds(self) -> float | None:
        """How long it takes to exit on SIGTERM; None where it ignores that."""
        ...

    def lines(self, now: float) -> Sequence[str]:
        """What it has printed."""
        ...

    def memory(self, now: float) -> float:
        """Bytes that it holds by itself, whatever it is asked."""
        ...


class Programs(Protocol):
    """What containers run."""

    def launch(self, launch: Launch) -> Process:
        """Start a process.

        Raises:
            LaunchError: there is no such program in the image.
        """
        ...

    def runs_as_root(self, image: str) -> bool:
        """Whether an image's program runs as root by itself."""
        ...


class KnownPrograms:
    """Programs as `ImageBehaviour` describes them.

    Args:
        images: behaviour by repository; others are taken to be servers of which nothing is known.
    """

    def __init__(self, images: Mapping[str, ImageBehaviour]) -> None:
        self._images = images

    def behaviour(self, image: str) -> ImageBehaviour:
        """What is known of an image."""
        repository = repository_of(image)
        return self._images.get(repository) or ImageBehaviour(image=repository)

    def launch(self, launch: Launch) -> Process:
        """Start a container's process."""
        behaviour = self.behaviour(launch.image)
        if not behaviour.runs_on(launch.architecture):
            program = launch.command[0] if launch.command else _ENTRYPOINT
            return Script(Run(code=_NOT_EXECUTABLE, output=[(0.0, f"exec {program}: exec format error")]), launch)
        words = [*launch.command, *launch.args] if launch.command else []
        script = behaviour.shell and (is_script(words, launch.files) or words[1:3] == _JSON_TOOL)
        if not words or (words[0] in behaviour.entrypoint and not script):
            return Server(behaviour, launch)
        if script:
            run = run_command(words, launch.env, files=launch.files)
            if run.programs & set(behaviour.entrypoint):
                return Server(behaviour, launch, delay=run.seconds if run.becomes else 0.0)
            if run.becomes is None:
                return Script(run, launch)
            run.code, run.becomes = 127, None
            return Script(run, launch)
        raise LaunchError(_not_found(words[0]))

    def runs_as_root(self, image: str) -> bool:
        """Whether an image's program runs as root by itself."""
        return self.behaviour(image).root


def is_script(words: Sequence[str], files: Mapping[str, str]) -> bool:
    """Whether a command is one for a shell: a script, or one of the usual tools."""
    return bool(words) and (words[0] in SHELLS or words[0] in files or is_tool(words[0]))


class Server:
    """The program of an image."""

    def __init__(self, behaviour: ImageBehaviour, launch: Launch, delay: float = 0.0) -> None:
        self._behaviour = behaviour
        self._values = {
            effect.effect: value for effect in behaviour.env if (value := _number(launch.env, effect.name)) is not None
        }
        self._codes = {effect.effect: effect.exit_code for effect in behaviour.env}
        self._start = launch.now + delay
        self._answer_seconds = behaviour.request_cpu_seconds / launch.cpu_limit
        throttled = behaviour.startup_cpu_seconds / launch.cpu_limit
        self._serves_from = self._start + max(behaviour.startup_seconds, throttled)
        self._limit = launch.memory_limit / MIB
        self._clash = launch.taken & set(behaviour.listens)
        self._run = Run()

    @property
    def ending(self) -> Ending | None:
        """It ends when a port is taken, when its environment says so, or when its memory exceeds the limit."""
        behaviour = self._behaviour
        if self._clash:
            return Ending(self._serves_from, 1)
        if behaviour.memory_mib > self._limit:
            return Ending(self._start + behaviour.startup_seconds / 2, KILLED, out_of_memory=True)
        exits = self._values.get("exit_after_seconds")
        if exits is not None:
            return Ending(self._start + exits, self._codes["exit_after_seconds"])
        if behaviour.memory_mib + self._values.get("memory_mib", 0.0) > self._limit:
            return Ending(self._serves_from + behaviour.growth_seconds, KILLED, out_of_memory=True)
        return None

    @property
    def ports(self) -> frozenset[int]:
        """As its description says, unless it cannot have them."""
        return frozenset() if self._clash else frozenset(self._behaviour.listens)

    def answer(self, port: int, path: str | None, now: float) -> Answer:
        """It refuses connections until it serves, and on all other ports."""
        if now < self._serves_from or port not in self._behaviour.listens or "exit_after_seconds" in self._values:
            return Answer("refused")
        if path is None:
            return Answer("served", seconds=self._answer_seconds)
        if now >= self._start + self._values.get("unready_after_seconds", math.inf):
            return Answer("served", 503, self._answer_seconds)
        known = path.partition("?")[0] in self._behaviour.paths
        return Answer("served", 200 if known else 404, self._answer_seconds)

    def execute(self, command: Sequence[str], now: float) -> tuple[int, str]:
        """Run a command beside it."""
        return _execute(command, self._run, now - self._start) if self._behaviour.shell else (127, _not_found(command[0]))

    def stop_seconds(self) -> float | None:
        """As its description says."""
        return self._behaviour.stop_seconds if self._behaviour.stops_on_term else None

    def lines(self, now: float) -> Sequence[str]:
        """It says when it serves, or why it cannot."""
        if self._clash and now >= self._serves_from:
            return [f"listen tcp :{port}: bind: address already in use" for port in sorted(self._clash)]
        return [f"listening on {port}" for port in self._behaviour.listens] if now >= self._serves_from else []

    def memory(self, now: float) -> float:
        """As its description and its environment say."""
        grown = self._values.get("memory_mib", 0.0) if now >= self._serves_from + self._behaviour.growth_seconds else 0.0
        return (self._behaviour.memory_mib + grown) * MIB


class Script:
    """A shell script or a tool as a container's first process; such a process ignores SIGTERM."""

    def __init__(self, run: Run, launch: Launch) -> None:
        self._run = run
        self._start = launch.now

    @property
    def ending(self) -> Ending | None:
        """The script's end."""
        return None if self._run.forever else Ending(self._start + self._run.seconds, self._run.code)

    @property
    def ports(self) -> frozenset[int]:
        """None."""
        return frozenset()

    def answer(self, port: int, path: str | None, now: float) -> Answer:  # noqa: ARG002  a Process
        """It serves nothing."""
        return Answer("refused")

    def execute(self, command: Sequence[str], now: float) -> tuple[int, str]:
        """Run a command on the files that the script leaves."""
        return _execute(command, self._run, now - self._start)

    def stop_seconds(self) -> float | None:
        """Never by itself."""
        return None

    def lines(self, now: float) -> Sequence[str]:
        """What it has printed so far."""
        return [line for time, line in self._run.output if self._start + time <= now]

    def memory(self, now: float) -> float:  # noqa: ARG002  a Process
        """A shell needs little."""
        return _SHELL_BYTES


def _execute(command: Sequence[str], before: Run, second: float) -> tuple[int, str]:
    if command[0] not in SHELLS and not is_tool(command[0]):
        return 126, _not_found(command[0])
    run = run_command(command, {}, before, second)
    return run.code, "\n".join(line for _, line in run.output)


def _not_found(word: str) -> str:
    if "/" in word:
        return f'exec: "{word}": stat {word}: no such file or directory'
    return f'exec: "{word}": executable file not found in $PATH'


def _number(env: Mapping[str, str], name: str) -> float | None:
    try:
        return float(env[name])
    except (KeyError, ValueError):
        return None
