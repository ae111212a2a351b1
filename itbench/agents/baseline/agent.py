"""The agent itself: opens the snapshot, asks the rules, writes the answer and what led to it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from itbench.agents.baseline.answer import diagnose
from itbench.agents.baseline.case import Case
from itbench.agents.baseline.clues import RULES, Clue
from itbench.agents.baseline.diary import trajectory
from itbench.agents.baseline.ranking import rank
from itbench.agents.builtin import cost_answer, sre_answer
from itbench.agents.protocol import AgentResult, Workspace
from itbench.model.diagnosis import Diagnosis
from itbench.model.errors import SnapshotError, UsageError
from itbench.model.task import Task
from itbench.snapshot.snapshot import open_snapshot
from itbench.tools.errors import ToolError
from itbench.tools.session import Session


class Baseline:
    """Finds root causes of SRE incidents by general rules, and of cost anomalies by arithmetic, without a language model.

    Args:
        without: rules of SRE incidents to leave out, with commas between them; empty for none.

    Raises:
        UsageError: there is no such rule.
    """

    sandboxed = False

    def __init__(self, without: str = "") -> None:
        left_out = [name.strip() for name in without.removeprefix("without=").split(",") if name.strip()]
        unknown = [name for name in left_out if name not in RULES]
        if unknown:
            raise UsageError(f"the baseline has no rule {unknown[0]!r}", hint=f"Rules: {', '.join(RULES)}")
        self.rules = {name: rule for name, rule in RULES.items() if name not in left_out}

    async def run(self, task: Task, workspace: Workspace) -> AgentResult:
        """The answer to an SRE or FinOps task."""
        if task.domain == "ciso":
            return AgentResult(failure="agent_error", detail="the baseline has no rules for ciso")
        if workspace.input_dir is None:
            return AgentResult(failure="agent_error", detail="this scenario has no data to look at")
        if task.domain == "finops":
            return await self._explain_costs(task, workspace.input_dir)
        try:
            diagnosis, found = await asyncio.to_thread(self.diagnose, workspace.input_dir)
        except (SnapshotError, ToolError) as error:
            return AgentResult(failure="agent_error", detail=str(error))
        for name, clues in found.items():
            workspace.events.emit("rule", name=name, clues=len(clues))
        return AgentResult(
            output=json.dumps(sre_answer(diagnosis), indent=1).encode(),
            trajectory=trajectory(task.instructions, found, diagnosis),
        )

    async def _explain_costs(self, task: Task, folder: Path) -> AgentResult:
        from itbench.agents.baseline.cost_agent import diagnose_costs

        try:
            found, steps = await asyncio.to_thread(diagnose_costs, folder, task.instructions)
        except SnapshotError as error:
            return AgentResult(failure="agent_error", detail=str(error))
        return AgentResult(output=json.dumps(cost_answer(found), indent=1).encode(), trajectory=steps)

    def diagnose(self, folder: Path) -> tuple[Diagnosis, dict[str, list[Clue]]]:
        """The diagnosis of a snapshot, and the clues that each rule found.

        Raises:
            SnapshotError: it cannot be read.
            ToolError: it holds nothing with a time.
        """
        with open_snapshot(folder) as snapshot:
            case = Case(Session(snapshot))
            found = {name: list(rule(case)) for name, rule in self.rules.items()}
            suspects = rank(case, [clue for clues in found.values() for clue in clues])
            return diagnose(case, suspects), found
