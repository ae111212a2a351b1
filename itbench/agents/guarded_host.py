"""What the host of Python agents does for those with steps, or with interventions around them. Runs inside the sandbox."""

from __future__ import annotations

import asyncio
import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from itbench.agents.host import as_bytes
from itbench.agents.interventions.catalogue import INTERVENTIONS, read_interventions
from itbench.agents.interventions.outside import AskedAgain
from itbench.agents.interventions.protocol import Intervention
from itbench.agents.protocol import Agent, AgentResult, Workspace
from itbench.agents.stepping import StepAgent
from itbench.agents.transcript import TRAJECTORY_FILE, read_trajectory
from itbench.model.task import Task

Solve = Callable[[Task, Path], Any]


def work(found: Any, solve: Solve | None, guards: str, task: Task, folder: Path) -> None:
    """Work on the task, and leave the answer and the trajectory in the folder.

    Args:
        found: the agent; without `solve` it has a `step`.
        solve: its function from task to answer.
        guards: the interventions as text; may be empty.
        task: what to do.
        folder: the workspace.

    Raises:
        SystemExit: there is no answer; the message says why.
    """
    interventions = read_interventions(guards) if guards else ()
    agent: Agent
    if solve is None:
        agent = StepAgent.of(lambda: found, interventions)
    else:
        _refuse_inner(interventions)
        agent = AskedAgain(_Solver(solve), interventions)
    workspace = Workspace(folder, None if task.input_dir is None else Path(task.input_dir), folder)
    result = asyncio.run(agent.run(task, workspace))
    if result.trajectory is not None:
        (folder / TRAJECTORY_FILE).write_bytes(
            result.trajectory.model_dump_json(exclude_none=True).encode("utf-8", "replace")
        )
    if result.output is not None:
        (folder / task.output_file).write_bytes(result.output)
    if result.failure is not None:
        sys.exit(f"{result.failure}: {result.detail}")


@dataclass(frozen=True, slots=True)
class _Solver:
    """A function from task to answer, as an agent."""

    solve: Solve
    sandboxed: bool = False

    async def run(self, task: Task, workspace: Workspace) -> AgentResult:
        answer = await asyncio.to_thread(self.solve, task, workspace.path)
        if inspect.isawaitable(answer):
            answer = await answer
        trajectory, warnings = read_trajectory(workspace.path)
        if answer is not None:
            return AgentResult(output=as_bytes(answer), trajectory=trajectory, warnings=warnings)
        file = workspace.path / task.output_file
        if not file.is_file():
            return AgentResult(
                failure="output_missing", detail="it returned nothing and wrote nothing", trajectory=trajectory
            )
        return AgentResult(output=file.read_bytes(), trajectory=trajectory, warnings=warnings)


def _refuse_inner(interventions: tuple[Intervention, ...]) -> None:
    inner = [each.name for each in interventions if not each.outside]
    if inner:
        outside = ", ".join(name for name, kind in INTERVENTIONS.items() if kind.outside)
        sys.exit(f"{inner[0]} needs an agent with step(messages, tools); around others stand: {outside}")
