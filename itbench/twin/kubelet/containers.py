"""What the kubelet knows of the containers of one pod."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from itbench.cluster.protocol import KubeObject
from itbench.twin.workload.process import KILLED, Process

ContainerKind = Literal["init", "sidecar", "app"]


@dataclass(frozen=True, slots=True)
class Exit:
    """How a run of a container ended."""

    code: int
    reason: str
    message: str
    started_at: float | None
    finished_at: float
    container_id: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """Why a container does not run."""

    reason: str
    message: str = ""


@dataclass
class Container:
    """One container over its restarts.

    Attributes:
        spec: as in the pod.
        kind: init containers run one after the other before the others; sidecars stay.
        process: of the present run; None while it does not run.
        exit: how the present run ended; None while it runs or before it ever ran.
        last: how the run before ended.
        reported: the process that the status tells of; probes ask no other.
        waiting: why it could not be started.
        restarts: how often it was started anew.
        ready: as its readiness probe says.
        started: as its startup probe says.
        failing: why it shall be killed and started anew: a liveness or startup probe, or another image.
    """

    spec: KubeObject
    kind: ContainerKind
    process: Process | None = None
    reported: Process | None = None
    container_id: str = ""
    started_at: float | None = None
    exit: Exit | None = None
    last: Exit | None = None
    waiting: Waiting | None = None
    restarts: int = 0
    ready: bool = False
    started: bool = False
    failing: str | None = None
    past_lines: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Its name in the pod."""
        return str(self.spec["name"])

    @property
    def field_path(self) -> str:
        """How events refer to it."""
        part = "containers" if self.kind == "app" else "initContainers"
        return f"spec.{part}{{{self.name}}}"

    @property
    def running(self) -> bool:
        """Whether its process lives."""
        return self.process is not None

    def probe(self, kind: str) -> KubeObject | None:
        """The description of its liveness, readiness or startup probe."""
        found: KubeObject | None = self.spec.get(f"{kind}Probe")
        return found

    def begin(self, process: Process, container_id: str, now: float) -> None:
        """A run starts."""
        if self.exit is not None:
            self.last, self.exit = self.exit, None
            self.restarts += 1
        self.process, self.container_id, self.started_at = process, container_id, now
        self.waiting = self.failing = None
        self.ready = self.probe("readiness") is None
        self.started = self.probe("startup") is None

    def end(self, code: int, reason: str, now: float, message: str = "") -> None:
        """The present run ends."""
        self.past_lines = list(self.process.lines(now)) if self.process is not None else []
        self.exit = Exit(code, reason, message, self.started_at, now, self.container_id)
        self.process, self.started_at = None, None
        self.ready = self.started = False
        self.failing = None

    def fail_to_start(self, message: str, container_id: str, now: float) -> None:
        """The runtime could not start what it had created; that counts as a run."""
        if self.exit is not None:
            self.last = self.exit
            self.restarts += 1
        self.container_id = container_id
        self.exit = Exit(128, "StartError", message, None, now, container_id)


@dataclass
class PodState:
    """One pod on its node.

    Attributes:
        sandbox: whether it has a network and an address.
        ip: that address.
    """

    init: list[Container]
    apps: list[Container]
    sandbox: bool = False
    ip: str | None = None

    @classmethod
    def of(cls, pod: KubeObject) -> PodState:
        """The state of a pod of which nothing runs yet."""
        spec = pod["spec"]
        init = [
            Container(item, "sidecar" if item.get("restartPolicy") == "Always" else "init")
            for item in spec.get("initContainers") or ()
        ]
        return cls(init, [Container(item, "app") for item in spec["containers"]])

    def __iter__(self) -> Iterator[Container]:
        yield from self.init
        yield from self.apps

    def take_images(self, pod: KubeObject) -> None:
        """Note images that were changed in the pod: what runs is to be replaced, what waits starts from the new one."""
        specs = {item["name"]: item for item in (*(pod["spec"].get("initContainers") or ()), *pod["spec"]["containers"])}
        for container in self:
            image = specs[container.name]["image"]
            if image != container.spec["image"]:
                container.spec = {**container.spec, "image": image}
                container.waiting = None
                if container.running and container.kind != "init":
                    container.failing = "definition changed"

    @property
    def ports(self) -> frozenset[int]:
        """The ports on which its processes serve."""
        return frozenset(port for item in self if item.process is not None for port in item.process.ports)

    @property
    def initialised(self) -> bool:
        """Whether the other containers may start."""
        return all(
            container.started if container.kind == "sidecar" else container.exit is not None and container.exit.code == 0
            for container in self.init
        )


def exit_reason(code: int, *, out_of_memory: bool) -> str:
    """The word for an exit."""
    if out_of_memory:
        return "OOMKilled"
    return "Completed" if code == 0 else "Error"


LOST = Exit(
    KILLED, "ContainerStatusUnknown", "The container could not be located when the pod was terminated", None, 0.0, ""
)
"""What is said of a container that never came to be when its pod is terminated."""
