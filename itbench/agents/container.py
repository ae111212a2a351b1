"""`container:IMAGE`: an agent in a container of its own, through the Docker engine.

The image's own entry point runs with the recorded files mounted read-only, a workspace, and nothing else of this machine:
no network unless asked for, no capabilities, a read-only root, bounded memory, processors, processes, time and output. The
container is removed however the trial ends; one that a killed harness left is removed by the next run.
"""

from __future__ import annotations

import asyncio
import os
import socket
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal
from urllib.parse import parse_qsl

from pydantic import Field, ValidationError

from itbench.agents.findings import FILE
from itbench.agents.live_doors import container_doors, followed, write_kubeconfig
from itbench.agents.protocol import AgentResult, LiveAccess, Workspace, own_seconds
from itbench.model.base import Model
from itbench.model.errors import AgentError, MissingExtraError, UsageError
from itbench.model.outcome import Cause
from itbench.model.task import Task
from itbench.sandbox.capture import Capture
from itbench.sandbox.output import OutputError, OutputMissingError, read_output
from itbench.sandbox.trees import exceeds

INPUT, WORKSPACE = "/snapshot", "/workspace"
LABEL = "itbench.owner"
_POLL_SECONDS = 0.2
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"  # of images that set none
_NOBODY = "192.0.2.1"  # an address that nobody has: Docker's resolver would ask that of this machine


class Options(Model):
    """What may follow the image: `container:my-agent:1?network=full&env=OPENAI_API_KEY`."""

    network: Literal["none", "full"] = "none"
    cpus: float = Field(default=2.0, gt=0, le=1024)
    root: Literal["read-only", "writable"] = Field(default="read-only", description="the image's own file system")
    env: str = Field(default="", pattern=r"^[A-Za-z0-9_,]*$", description="variables to pass on, separated by commas")

    @property
    def passed(self) -> tuple[str, ...]:
        """The names of `env`."""
        return tuple(filter(None, self.env.split(",")))


@dataclass(frozen=True, slots=True)
class ContainerAgent:
    """Runs an image that the engine has; none is pulled."""

    image: str
    options: Options
    sandboxed: bool = False
    isolation: Literal["container"] = "container"

    @classmethod
    def from_text(cls, text: str) -> ContainerAgent:
        """From what follows `container:`.

        Raises:
            UsageError: no image, or an option that does not exist.
        """
        image, _, query = text.partition("?")
        key = f"--agent container:{text}"
        if not image.strip():
            raise UsageError("say which image", key=key, hint="For example: --agent container:my-agent:latest")
        try:
            return cls(image.strip(), Options.model_validate(dict(parse_qsl(query, keep_blank_values=True))))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            known = ", ".join(Options.model_fields)
            name = ".".join(map(str, first["loc"]))
            raise UsageError(f"option {name}: {first['msg']}", key=key, hint=f"Options: {known}") from None

    def prepare(self) -> None:
        """Look for the engine and the image, and remove what a killed harness left.

        Raises:
            MissingExtraError: the extra `container` is not installed.
            AgentError: no engine can be reached.
            UsageError: the image is not there, or a variable to pass on is not set.
        """
        self._environment()
        client = connect()
        try:
            _reap(client)
            self._find_image(client)
        finally:
            client.close()

    async def run(self, task: Task, workspace: Workspace) -> AgentResult:
        """Run the container until it ends or meets a limit.

        Raises:
            AgentError: the engine cannot be reached or refuses.
        """
        from itbench.agents.transcript import read_trajectory, stated_usage, transcript

        seconds = own_seconds(task.budget)
        deadline = None if seconds is None else time.monotonic() + seconds
        access = None if workspace.live is None else workspace.live.container
        inner = _inside(task, workspace.live)
        if access is not None:
            write_kubeconfig(access.kubeconfig, workspace.path)
        (workspace.path / "TASK.md").write_text(inner.instructions, encoding="utf-8")
        (workspace.path / "task.json").write_text(inner.model_dump_json(indent=1), encoding="utf-8")
        client = await asyncio.to_thread(connect)
        container = None
        try:
            creating = asyncio.ensure_future(asyncio.to_thread(self._create, client, inner, workspace))
            try:
                container = await asyncio.shield(creating)
            except asyncio.CancelledError:
                container = await creating  # it may be half made; it must be known to be removed
                raise
            async with followed(workspace):
                ending = await self._watch(container, workspace, inner, deadline)
            await asyncio.to_thread(_keep_logs, container, workspace.logs, task.budget.stdout_bytes)
        except _engine_errors() as error:
            raise AgentError(f"the container engine failed: {str(error)[:500]}") from error
        finally:
            await asyncio.shield(asyncio.to_thread(_remove, client, container))
        workspace.events.emit("container_ended", exit_code=ending.exit_code, limit=ending.limit, oom=ending.out_of_memory)
        trajectory, warnings = read_trajectory(workspace.path)
        trajectory = trajectory or transcript(inner, (self.image,), workspace.logs / "stdout.txt")
        usage, doubts = stated_usage(trajectory)
        answer = _answer(ending, inner, workspace)
        return AgentResult(
            output=answer.output,
            failure=answer.failure,
            detail=answer.detail,
            trajectory=trajectory,
            usage=usage,
            warnings=(*warnings, *doubts, *answer.warnings),
        )

    def _environment(self) -> dict[str, str]:
        if missing := [name for name in self.options.passed if name not in os.environ]:
            raise UsageError(f"the environment variable {missing[0]} is to be passed on but is not set", key="env")
        return {name: os.environ[name] for name in self.options.passed}

    def _find_image(self, client: Any) -> None:
        import docker

        try:
            client.images.get(self.image)
        except docker.errors.ImageNotFound:
            raise UsageError(
                f"the container engine has no image {self.image!r}", hint=f"Build it, or: docker pull {self.image}"
            ) from None
        except docker.errors.DockerException as error:
            raise AgentError(f"the container engine failed: {str(error)[:500]}") from error

    def _create(self, client: Any, task: Task, workspace: Workspace) -> Any:
        from docker.types import LogConfig, Mount

        budget = task.budget
        mounts = [Mount(WORKSPACE, str(workspace.path.absolute()), type="bind")]
        if workspace.input_dir is not None:
            mounts.append(Mount(INPUT, str(workspace.input_dir.absolute()), type="bind", read_only=True))
        told = {
            "TASK": f"{WORKSPACE}/TASK.md",
            "WORKSPACE": WORKSPACE,
            "OUTPUT": f"{WORKSPACE}/{task.output_file}",
            "HOME": WORKSPACE,
        }
        if workspace.input_dir is not None:
            told["SNAPSHOT_DIR"] = INPUT
        network: dict[str, Any] = {"network_mode": "none" if self.options.network == "none" else "bridge"}
        live = workspace.live
        if live is not None:
            told["FINDINGS"] = f"{WORKSPACE}/{FILE}"
        if live is not None and live.container is not None:
            doors = container_doors(live, live.container, PurePosixPath(WORKSPACE), _path_in(client, self.image))
            told |= doors.environment
            mounts += [Mount(target, str(source), type="bind", read_only=True) for target, source in doors.files.items()]
            network = {"network": live.container.network}
            if self.options.network == "none":
                network["dns"] = [_NOBODY]
        container = client.containers.create(
            self.image,
            working_dir=WORKSPACE,
            environment=self._environment() | told,
            mounts=mounts,
            user=f"{os.getuid()}:{os.getgid()}",  # so that what it writes can be read and removed
            **network,
            cap_drop=["ALL"],
            security_opt=["no-new-privileges"],
            read_only=self.options.root == "read-only",
            tmpfs={"/tmp": f"size={budget.workspace_bytes},mode=1777"},  # noqa: S108 - the container's own
            mem_limit=budget.memory_bytes,
            memswap_limit=budget.memory_bytes,
            pids_limit=budget.processes,
            nano_cpus=int(self.options.cpus * 1e9),
            init=True,
            log_config=LogConfig(type="json-file", config={"max-size": str(2 * budget.stdout_bytes), "max-file": "1"}),
            labels={LABEL: _owner(os.getpid())},
        )
        if "network" in network and self.options.network == "full":
            client.networks.get("bridge").connect(container)
        return container

    async def _watch(self, container: Any, workspace: Workspace, task: Task, deadline: float | None) -> Ending:
        await asyncio.to_thread(container.start)
        limit: Cause | None = None
        while True:
            await asyncio.to_thread(container.reload)
            state = container.attrs["State"]
            if not state["Running"]:
                return Ending(state["ExitCode"], limit, bool(state.get("OOMKilled")))
            if deadline is not None and time.monotonic() > deadline:
                limit = "agent_timeout"
            elif await asyncio.to_thread(exceeds, [workspace.path], task.budget.workspace_bytes):
                limit = "budget_exhausted"
            if limit is not None:
                await asyncio.to_thread(_kill, container)
            await asyncio.sleep(_POLL_SECONDS)


@dataclass(frozen=True, slots=True)
class Ending:
    """How a container ended; `limit` is the one that ended it."""

    exit_code: int
    limit: Cause | None
    out_of_memory: bool


def connect() -> Any:
    """A client of the engine that the environment names (DOCKER_HOST), or of this machine.

    Raises:
        MissingExtraError: the docker package is not installed.
        AgentError: no engine answers.
    """
    try:
        import docker
    except ImportError:
        raise MissingExtraError("docker", "container", "a container: agent") from None
    try:
        _knock(os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock")
        client = docker.from_env(timeout=60)
    except (docker.errors.DockerException, OSError) as error:
        raise AgentError(
            f"no container engine can be reached ({str(error)[:200]})", hint="Start Docker, or set DOCKER_HOST"
        ) from None
    return client


def _knock(address: str) -> None:
    """Raise OSError if nobody listens at a local address: the docker package would leave the socket open."""
    if address.startswith("unix://"):
        with socket.socket(socket.AF_UNIX) as attempt:
            attempt.connect(address.removeprefix("unix://"))


def _inside(task: Task, live: LiveAccess | None) -> Task:
    """The task with the paths and addresses of the container."""
    words = task.words(INPUT)
    if live is not None and live.container is not None and live.prometheus is not None:
        words = words.replace(live.prometheus, live.container.prometheus)
    folder = None if task.input_dir is None else PurePosixPath(INPUT)
    return task.model_copy(update={"instructions": words, "input_dir": folder})


def _path_in(client: Any, image: str) -> str:
    """PATH, as an image sets it."""
    settings = client.images.get(image).attrs["Config"].get("Env") or ()
    found = dict(setting.partition("=")[::2] for setting in settings)
    return found.get("PATH") or _PATH


def _answer(ending: Ending, task: Task, workspace: Workspace) -> AgentResult:
    budget = task.budget
    if ending.limit == "agent_timeout":
        return AgentResult(failure="agent_timeout", detail=f"no answer within {budget.wall_seconds:g} s")
    if ending.limit is not None:
        return AgentResult(
            failure=ending.limit, detail=f"stopped when its workspace grew beyond {budget.workspace_bytes} bytes"
        )
    failed = f"the container ended with exit code {ending.exit_code}" if ending.exit_code else ""
    try:
        output = read_output(workspace.path, task.output_file, budget.output_bytes)
    except OutputMissingError:
        if ending.out_of_memory:
            return AgentResult(
                failure="budget_exhausted", detail=f"stopped when it used more than {budget.memory_bytes} bytes of memory"
            )
        detail = failed or f"the container ended well but wrote no {task.output_file}"
        return AgentResult(failure="agent_error" if failed else "output_missing", detail=detail)
    except OutputError as error:
        return AgentResult(failure="output_invalid", detail=error.message)
    return AgentResult(output=output, warnings=(f"{failed}; its answer is scored all the same",) if failed else ())


def _keep_logs(container: Any, logs: Path, limit: int) -> None:
    for name, which in (("stdout", {"stderr": False}), ("stderr", {"stdout": False})):
        with Capture(logs / f"{name}.txt", limit) as capture:
            for chunk in container.logs(stream=True, **which):
                capture.feed(chunk)


def _kill(container: Any) -> None:
    import docker

    with suppress(docker.errors.APIError):  # it may have ended by itself meanwhile
        container.kill()


def _remove(client: Any, container: Any) -> None:
    if container is not None:
        with suppress(*_engine_errors()):  # it may be gone already, or the engine; the next run removes what is left
            container.remove(force=True, v=True)
    client.close()


def _reap(client: Any) -> None:
    """Remove containers whose harness is gone. Of another machine, whose processes cannot be seen, only those that ended."""
    import docker

    here = _owner(os.getpid()).partition("@")[2].partition("/")[0]
    for container in client.containers.list(all=True, filters={"label": LABEL}, ignore_removed=True):
        process, _, place = container.labels[LABEL].partition("@")
        if place.partition("/")[0] != here:
            gone = container.status in ("exited", "dead")
        else:
            gone = not process.isdigit() or _owner(int(process)) != container.labels[LABEL]
        if gone:
            with suppress(docker.errors.APIError):  # another run may be removing it just now
                container.remove(force=True, v=True)


def _owner(process: int) -> str:
    """A process of this boot of this machine: its number and when it was started. Empty if there is none."""
    try:
        started = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19]
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
    except (OSError, IndexError):
        return ""
    return f"{process}@{boot}/{started}"


def _engine_errors() -> tuple[type[Exception], ...]:
    import docker
    import requests

    return (docker.errors.DockerException, requests.RequestException)
