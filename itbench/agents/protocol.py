"""The Agent contract: a task and a workspace go in, an answer comes back.

Two kinds of agents exist. An `Agent` sees only the task and the workspace; most of them run a program in the sandbox.
An `Insider` runs on the harness's side and knows the scenario: the oracle and the replay of an earlier run.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from itbench.agents.findings import Findings
from itbench.model.base import Domain
from itbench.model.outcome import Cause
from itbench.model.task import Budget, Task
from itbench.model.trial import Isolation, Usage
from itbench.model.truth import GroundTruth
from itbench.sandbox.box import Mode

if TYPE_CHECKING:
    from itbench.cluster.protocol import Cluster
    from itbench.model.trajectory import Trajectory


LAST_MOMENT = 0.96
"""The share of the wall time after which an adapter ends by itself: the runner's own clock leaves no trajectory."""


def own_seconds(budget: Budget) -> float | None:
    """How long an adapter waits for its agent; None without a limit."""
    return None if budget.wall_seconds is None else LAST_MOMENT * budget.wall_seconds


class EventLog:
    """What happened during one trial, in order; becomes events.jsonl.

    `t` is seconds since the trial began.
    """

    def __init__(self) -> None:
        self._start = time.monotonic()
        self.events: list[dict[str, Any]] = []

    def emit(self, kind: str, **data: Any) -> None:
        """Note one event; `data` must be JSON."""
        self.events.append({"t": round(time.monotonic() - self._start, 6), "kind": kind, **data})


@dataclass(frozen=True, slots=True)
class Boundary:
    """What separates the agent's programs from the host."""

    mode: Mode
    hidden: tuple[Path, ...] = ()
    expose: tuple[Path, ...] = ()
    network: bool = True
    passed_env: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ContainerAccess:
    """The same ways into a live system for an agent in a container.

    Args:
        network: of the container engine; from it the system is reached, and nothing else.
        kubeconfig: text of a kubeconfig with an address in that network.
        prometheus: address of Prometheus there.
    """

    network: str
    kubeconfig: str
    prometheus: str


@dataclass(frozen=True, slots=True)
class LiveAccess:
    """A live system, as the agent may use it.

    Args:
        kubeconfig: text of a kubeconfig with the agent's own rights; None where there is no API server.
        cluster: the same for agents in this process. What is done with it counts as the agent's.
        kubectl: folder of the program kubectl, where PATH has none.
        prometheus: address of the Prometheus that watches it; None where none does.
        findings: takes what the agent finds before its answer.
        container: the same for agents in containers; None where these cannot reach it.
    """

    kubeconfig: str | None
    cluster: Cluster
    kubectl: Path | None = None
    prometheus: str | None = None
    findings: Findings = field(default_factory=Findings)
    container: ContainerAccess | None = None


@dataclass(frozen=True, slots=True)
class Workspace:
    """Where one trial happens. Paths are the host's.

    Args:
        folder: where the agent's workspace is, once somebody asks for `path`.
        input_dir: the folder that `Task.input_dir` names as the agent sees it.
        logs: where an adapter may leave stdout.txt and stderr.txt; kept with the trial.
        events: what happens, for events.jsonl.
        boundary: None for agents that run in this process.
        live: None where the incident is a recording.
        hidden: where answers lie, for agents in this process that let the harness run something for them.
    """

    folder: Path
    input_dir: Path | None
    logs: Path
    events: EventLog = field(default_factory=EventLog)
    boundary: Boundary | None = None
    live: LiveAccess | None = None
    hidden: tuple[Path, ...] = ()

    @property
    def path(self) -> Path:
        """The folder that the agent may write to; made when it is first asked for, removed after the trial."""
        self.folder.mkdir(exist_ok=True)
        return self.folder


@dataclass(frozen=True, slots=True)
class AgentResult:
    """What an agent leaves: the raw answer, or why there is none."""

    output: bytes | None = None
    failure: Cause | None = None
    detail: str = ""
    trajectory: Trajectory | None = None
    usage: Usage = field(default_factory=Usage)
    warnings: tuple[str, ...] = ()


@runtime_checkable
class Agent(Protocol):
    """Solves one task."""

    @property
    def sandboxed(self) -> bool:
        """Whether its work happens in programs inside the sandbox."""
        ...

    async def run(self, task: Task, workspace: Workspace) -> AgentResult:
        """Work on the task until done; cancelling this coroutine must stop everything it started."""
        ...


@runtime_checkable
class Isolated(Protocol):
    """An agent that works elsewhere than in the sandbox or in this process, and says where."""

    @property
    def isolation(self) -> Isolation:
        """What the trial's record says."""
        ...


@runtime_checkable
class Prepared(Protocol):
    """An agent that can tell before the run that it cannot work: a missing key, package or image."""

    def prepare(self) -> None:
        """Look for what will be needed.

        Raises:
            ItbenchError: something is missing.
        """
        ...


@dataclass(frozen=True, slots=True)
class Assignment:
    """A trial as the harness knows it; only insiders get to see one.

    Attributes:
        repair: repairs the incident by accepted fixes, with the agent's own rights; None where there is nothing to repair.
    """

    scenario: str
    trial: int
    domain: Domain
    truth: GroundTruth
    repair: Callable[[], None] | None = None


@runtime_checkable
class Insider(Protocol):
    """Answers from the harness's own knowledge, without a sandbox."""

    def answer(self, assignment: Assignment) -> AgentResult:
        """The answer to this trial."""
        ...


AnyAgent = Agent | Insider
