"""Around an agent that shows only its answer: the answer is checked, and the agent is asked again with what is wrong.

So a program, a container or a remote agent can be guarded by whatever judges answers (the gate, the format guard). What it
does in between is its own business.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from itbench.agents.interventions.guards import Guards
from itbench.agents.interventions.protocol import Course, Draft, Intervention, Made
from itbench.agents.llm.answer import FORMS, check
from itbench.agents.protocol import Agent, AgentResult, Workspace
from itbench.model.task import Task
from itbench.model.trajectory import Content, Step, Trajectory
from itbench.model.trial import Isolation, Usage

_ROUNDS = 4
_ENOUGH_TIME = 0.85
_BLOCK = 1 << 20
_SEARCHED = 2_000_000_000
_OVERLAP = 300
_ASKED_AGAIN = frozenset({"output_missing", "output_invalid"})


@dataclass(frozen=True, slots=True)
class AskedAgain:
    """Asks `agent` until no intervention objects to its answer, at most four times, within the time of the trial."""

    agent: Agent
    interventions: tuple[Intervention, ...]

    @property
    def sandboxed(self) -> bool:
        """As the agent."""
        return self.agent.sandboxed

    @property
    def isolation(self) -> Isolation:
        """As the agent."""
        return getattr(self.agent, "isolation", "in-process")

    def prepare(self) -> None:
        """As the agent."""
        getattr(self.agent, "prepare", lambda: None)()

    async def run(self, task: Task, workspace: Workspace) -> AgentResult:
        """Ask, check, ask again."""
        began, seconds = time.monotonic(), task.budget.wall_seconds
        result = await self.agent.run(task, workspace)
        if task.domain not in FORMS:
            return result
        guards = Guards.begin(self.interventions, Course(task.domain), workspace.events.emit)
        for _ in range(_ROUNDS - 1):
            spent = time.monotonic() - began
            if seconds is not None and spent > _ENOUGH_TIME * seconds:
                return result
            objection = self._objection(guards, result, task, workspace)
            if objection is None:
                return result
            left = None if seconds is None else seconds - spent
            again = task.model_copy(
                update={
                    "instructions": f"{task.instructions}\n\n## You have answered before\n\n{objection}\n",
                    "budget": task.budget.model_copy(update={"wall_seconds": left}),
                }
            )
            result = _joined(result, objection, await self.agent.run(again, workspace))
        return result

    def _objection(self, guards: Guards, result: AgentResult, task: Task, workspace: Workspace) -> str | None:
        if result.failure is not None and result.failure not in _ASKED_AGAIN:
            return None
        calls = list(_calls(result.trajectory))
        guards.course.calls = calls
        guards.course.tools = frozenset(call.name for call in calls)
        guards.course.holds = _finder(workspace.input_dir) if workspace.input_dir is not None and not calls else None
        guards.course.replies += 1
        if result.output is None:
            draft = Draft("", None, f"there is no {task.output_file} that can be read")
        else:
            text = result.output.decode("utf-8", "replace")
            checked = check(text, task.domain)
            draft = Draft(text, checked.value, checked.problem)
        found = guards.before_answer(draft)
        return found[1] if found else None


def _calls(trajectory: Trajectory | None) -> Iterator[Made]:
    for step in trajectory.steps if trajectory else ():
        results = {each.source_call_id: each for each in (step.observation.results if step.observation else ())}
        for call in step.tool_calls or ():
            found = results.get(call.tool_call_id)
            wrong = bool(found and found.extra and found.extra.get("is_error"))
            name = call.function_name.rsplit("__", 1)[-1]
            text = _text(found.content) if found else ""
            yield Made(name, call.arguments, str(call.arguments), text, wrong, step.step_id)


def _text(content: Content | None) -> str:
    return content if isinstance(content, str) else "\n".join(part.text or "" for part in content or ())


def _finder(folder: Path) -> Callable[[str], bool]:
    """Whether the recorded files hold a word, whatever its case; answers are remembered. Reads at most 2 GB."""
    known: dict[str, bool] = {}

    def holds(word: str) -> bool:
        if word not in known:
            known[word] = _found(folder, word.lower().encode())
        return known[word]

    return holds


def _found(folder: Path, word: bytes) -> bool:
    left = _SEARCHED
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        with path.open("rb") as stream:
            kept = b""
            while left > 0 and (block := stream.read(_BLOCK)):
                left -= len(block)
                if word in (kept + block).lower():
                    return True
                kept = block[-_OVERLAP:]
    return left <= 0  # what was not looked through may hold it


def _joined(first: AgentResult, objection: str, second: AgentResult) -> AgentResult:
    """Both rounds as one result: the second answer if there is one, all steps, all tokens."""
    warnings = (*first.warnings, f"asked again: {objection[:300]}", *second.warnings)
    usage = Usage(
        prompt_tokens=_sum(first.usage.prompt_tokens, second.usage.prompt_tokens),
        completion_tokens=_sum(first.usage.completion_tokens, second.usage.completion_tokens),
        cost_usd=_sum(first.usage.cost_usd, second.usage.cost_usd),
    )
    kept = replace(second, warnings=warnings, usage=usage, trajectory=_trajectory(first, objection, second))
    if second.output is None and first.output is not None:
        return replace(kept, output=first.output, failure=first.failure, detail=first.detail)
    return kept


def _trajectory(first: AgentResult, objection: str, second: AgentResult) -> Trajectory | None:
    if first.trajectory is None or second.trajectory is None:
        return second.trajectory or first.trajectory
    said = Step(step_id=1, source="user", message=objection, extra={"intervention": "asked again"})
    later = second.trajectory.steps
    while later and later[0].source != "agent":  # the task again
        later = later[1:]
    steps = [*first.trajectory.steps, said, *later]
    numbered = tuple(step.model_copy(update={"step_id": n}) for n, step in enumerate(steps, start=1))
    try:
        return Trajectory.model_validate(second.trajectory.model_dump() | {"steps": [s.model_dump() for s in numbered]})
    except ValidationError:
        return second.trajectory


_Number = TypeVar("_Number", int, float)


def _sum(one: _Number | None, other: _Number | None) -> _Number | None:
    return None if one is None or other is None else one + other
