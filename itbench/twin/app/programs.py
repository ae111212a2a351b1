"""The programs of an application, as the kubelet meets them: when they listen, end, or outgrow their memory."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from itbench.twin.app.application import Application
from itbench.twin.app.services import Service
from itbench.twin.kubelet.environment import expanded
from itbench.twin.workload.process import KILLED, Answer, Ending, Launch, Process, Programs, is_script
from itbench.twin.workload.shell import Run, run_command

# How long a program that lacks something tries before it exits, and how long one grows that outgrows its limit at once.
_PATIENCE = 10.0
_GROWTH = 0.5
_NUMBER = re.compile(r"\d{1,12}(\.\d{1,12})?")


def setting(service: Service, env: Mapping[str, str], sets: str) -> float | None:
    """What the environment of a service's program sets; None for nothing, or for what is no number."""
    for variable, known in service.settings.items():
        if known.sets == sets and _NUMBER.fullmatch(env.get(variable, "")):
            return float(env[variable]) * known.unit
    return None


def own_run(service: Service, container: Mapping[str, Any], env: Mapping[str, str], files: Mapping[str, str]) -> Run | None:
    """How a container of a service comes to run the service's program; None if it runs something else.

    Args:
        service: what should run.
        container: as in the pod.
        env: its variables.
        files: that are mounted, with their text.
    """
    command = [str(word) for word in container.get("command") or ()]
    if container["image"] != service.image:
        return None
    if tuple(command) == service.command or (command and command[0] in service.entrypoint):
        return _beside(Run(), container, env, files)
    words = [*command, *(str(word) for word in container.get("args") or ())]
    if not is_script(words, files):
        return None
    run = run_command([expanded(word, env) for word in words], env, files=files)
    return _beside(run, container, env, files) if run.programs & set(service.entrypoint) else None


def _beside(run: Run, container: Mapping[str, Any], env: Mapping[str, str], files: Mapping[str, str]) -> Run:
    """The same with what a hook after the start runs beside the program."""
    hook = (container.get("lifecycle") or {}).get("postStart") or {}
    words = [expanded(str(word), env) for word in (hook.get("exec") or {}).get("command") or ()]
    if words:
        run.growth += run_command(words, env, files=files).growth
    return run


class ApplicationPrograms:
    """Programs of an application's services; everything else is left to other programs.

    Args:
        application: its containers are called like its services.
        others: what runs in all other containers, and in those whose image or command was changed.
        exists: whether an address leads to something that will answer once it is ready, for who can resolve the cluster's
            names, or cannot.
    """

    def __init__(self, application: Application, others: Programs, exists: Callable[[str, bool], bool]) -> None:
        self._application = application
        self._others = others
        self._exists = exists

    def launch(self, launch: Launch) -> Process:
        """Start a container's process."""
        namespace, _, container = launch.subject.split("/")
        service = self._application.services.get(container)
        if service is None or namespace != self._application.namespace:
            return self._others.launch(launch)
        described = {"image": launch.image, "command": launch.command, "args": launch.args, "lifecycle": launch.lifecycle}
        run = own_run(service, described, launch.env, launch.files)
        if run is None:
            return self._others.launch(launch)
        if not all(self._exists(expanded(address, launch.env), launch.cluster_names) for address in service.needs):
            return ServiceProcess(service, launch, math.inf, _PATIENCE)
        slower = 1 / min(launch.cpu_limit, 1.0) - 1
        delay = run.seconds if run.becomes else 0.0
        return ServiceProcess(service, launch, delay + service.startup + service.startup_cpu * slower, growth=run.growth)

    def runs_as_root(self, image: str) -> bool:
        """As the other programs say."""
        return self._others.runs_as_root(image)


class ServiceProcess:
    """The program of a service: it listens after its start, leaks what it leaks, and exits when told to.

    Args:
        service: what it is.
        launch: how it was started.
        startup: seconds until it listens.
        patience: seconds after which it gives up to start.
        growth: bytes a second that something beside it makes it store.
    """

    def __init__(
        self, service: Service, launch: Launch, startup: float, patience: float = math.inf, growth: float = 0.0
    ) -> None:
        self._start = launch.now
        self._listens_from = launch.now + startup
        port = setting(service, launch.env, "port")
        self._port = service.port if port is None else int(port)
        lifetime = setting(service, launch.env, "lifetime")
        self._lifetime = min(patience, math.inf if lifetime is None else lifetime)
        base = setting(service, launch.env, "memory")
        leak = setting(service, launch.env, "leak")
        self._base = service.memory.base if base is None else base
        self._limit = launch.memory_limit
        self._room = launch.memory_limit - self._base
        self._leaked, self._since = 0.0, self._listens_from
        self._leak = (service.memory.leak if leak is None else leak) + growth

    @property
    def ending(self) -> Ending | None:
        """The end of its life, or of its memory, whichever comes first."""
        full = self._listens_from + max(self._room, 0.0) / self._leak if self._leak > 0 else math.inf
        if self._room < 0:
            full = self._start + _GROWTH
        over = self._start + self._lifetime
        if full <= over and math.isfinite(full):
            return Ending(full, KILLED, out_of_memory=True)
        return Ending(over, 1) if math.isfinite(over) else None

    @property
    def ports(self) -> frozenset[int]:
        """The one on which it listens."""
        return frozenset() if self._port is None else frozenset({self._port})

    def answer(self, port: int, path: str | None, now: float) -> Answer:  # noqa: ARG002  a Process
        """It answers everything on its port, once it listens."""
        return Answer("served") if port == self._port and now >= self._listens_from else Answer("refused")

    def execute(self, command: Sequence[str], now: float) -> tuple[int, str]:  # noqa: ARG002  a Process
        """Commands beside it succeed and say nothing."""
        return 0, ""

    def stop_seconds(self) -> float | None:
        """It stops at once."""
        return 0.5

    def lines(self, now: float) -> Sequence[str]:
        """It says when it listens."""
        return [f"listening on {self._port}"] if self._port is not None and now >= self._listens_from else []

    def memory(self, now: float) -> float:
        """What it starts with, and what it has leaked since."""
        return self._base + self.leaked(now)

    def leaked(self, now: float) -> float:
        """Bytes that it has leaked since its start."""
        return self._leaked + self._leak * max(now - self._since, 0.0)

    def outgrown(self, now: float) -> bool:
        """Whether it holds more than its limit."""
        return self.memory(now) > self._limit

    def leak(self, rate: float, now: float) -> None:
        """From now on, leak so many bytes a second."""
        if rate != self._leak:
            self._leaked = self.leaked(now)
            self._leak, self._since = rate, max(now, self._listens_from)
