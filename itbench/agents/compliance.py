"""Agents that need no program: the floor `template` of compliance tasks, and adversaries that must never pass."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from itbench.agents.protocol import AgentResult, Workspace
from itbench.model.errors import UsageError
from itbench.model.task import Task

_ONLY = "this agent answers CISO tasks only"


class Template:
    """Picks a policy by words of the requirement."""

    sandboxed = False

    async def run(self, task: Task, workspace: Workspace) -> AgentResult:
        """An answer from a skeleton."""
        from itbench.compliance.answer import pack
        from itbench.compliance.asked import asked_in
        from itbench.compliance.baselines import template

        if task.domain != "ciso" or workspace.input_dir is None:
            return AgentResult(failure="output_missing", detail=_ONLY)
        problem = await asyncio.to_thread((workspace.input_dir / "problem.md").read_text, "utf-8")
        return AgentResult(output=pack(template(problem, await asyncio.to_thread(asked_in, workspace.input_dir))))


class Adversary:
    """Answers without looking at what is asked for; of a cost anomaly, names everything that the bill has.

    Raises:
        UsageError: there is no adversary of that name.
    """

    sandboxed = False

    def __init__(self, name: str) -> None:
        from itbench.compliance.baselines import ADVERSARIES

        self._name = name or "file-hashes"
        if self._name not in ADVERSARIES:
            raise UsageError(f"there is no adversary {name!r}", hint=f"Known: {', '.join(ADVERSARIES)}")

    async def run(self, task: Task, workspace: Workspace) -> AgentResult:
        """The answer that knows the visible set and nothing else."""
        from itbench.compliance.answer import pack
        from itbench.compliance.asked import asked_in
        from itbench.compliance.baselines import adversary

        if task.domain == "finops" and workspace.input_dir is not None:
            return await self._name_everything(workspace.input_dir)
        if task.domain != "ciso" or workspace.input_dir is None:
            return AgentResult(failure="output_missing", detail="this agent answers CISO and FinOps tasks only")
        visible = await asyncio.to_thread(_visible, workspace.input_dir / "static-resources")
        asked = await asyncio.to_thread(asked_in, workspace.input_dir)
        return AgentResult(output=pack(adversary(self._name, asked, visible)))

    async def _name_everything(self, folder: Path) -> AgentResult:
        from itbench.agents.cost_adversary import everything
        from itbench.model.errors import SnapshotError

        try:
            answer = await asyncio.to_thread(everything, folder)
        except SnapshotError as error:
            return AgentResult(failure="agent_error", detail=str(error))
        return AgentResult(output=json.dumps(answer).encode())


def _visible(folder: Path) -> dict[str, bytes]:
    from itbench.datasets.compliance_folder import read_tree

    return read_tree(folder)


def solution(folder: Path) -> AgentResult:
    """The reference solution of a task."""
    from itbench.compliance.answer import pack
    from itbench.compliance.task import read_task

    files = read_task(folder).solution()
    if files is None:
        return AgentResult(failure="output_missing", detail="this task has no reference solution")
    return AgentResult(output=pack(files))
