"""Agents in Python that are asked step by step: the loop of `llm:` agents, with a program in the model's place.

Such an agent has one function, `step(messages, tools)`: both as the chat-completions protocol writes them, the task and
what tools answered being in the messages. It returns the next message of the assistant: a dict with `content` and
`tool_calls`, or text. It may also have `begin(task)`, which is called first, and `options`, a dict of those of `llm:`
agents. The loop calls the tools, keeps the trajectory and the budget, and lets interventions step in.
"""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import TypeAdapter

from itbench.agents.interventions.protocol import Intervention
from itbench.agents.llm.agent import Conversation
from itbench.agents.llm.answer import FORMS
from itbench.agents.llm.channel import Reply
from itbench.agents.llm.chat import Request, read_completion
from itbench.agents.llm.failures import ModelError
from itbench.agents.llm.settings import Options, Settings
from itbench.agents.llm.spending import Spending
from itbench.agents.llm.tooling import Tooling, open_tooling
from itbench.agents.protocol import AgentResult, Workspace
from itbench.model.errors import SnapshotError
from itbench.model.task import Task

Step = Callable[[list[dict[str, Any]], list[dict[str, Any]]], Any]


@dataclass(frozen=True, slots=True)
class StepAgent:
    """Asks a step function until it answers.

    Args:
        make: a new step function for a task; what it remembers is its own.
        name: for the trajectory.
        interventions: around it.
        options: budget and window, as of `llm:` agents.
    """

    make: Callable[[Task], Step]
    name: str = "steps"
    interventions: tuple[Intervention, ...] = ()
    options: Options = field(default_factory=Options)
    sandboxed: bool = False

    @classmethod
    def of(cls, make: Callable[[], Any], interventions: tuple[Intervention, ...] = ()) -> StepAgent:
        """An agent whose trials are objects with `step`, and perhaps `begin` and `options`.

        Raises:
            ValidationError: its options are none.
        """

        def begun(task: Task) -> Step:
            made = make()
            getattr(made, "begin", lambda _: None)(task)
            step: Step = made.step
            return step

        sample = make()
        options = TypeAdapter(Options).validate_python(getattr(sample, "options", {}))
        return cls(begun, type(sample).__name__, interventions, options)

    def guarded(self, interventions: tuple[Intervention, ...]) -> StepAgent:
        """The same agent with these interventions around it, outside of those that it has."""
        return replace(self, interventions=(*interventions, *self.interventions))

    async def run(self, task: Task, workspace: Workspace) -> AgentResult:
        """Work until there is an answer or a budget is used up."""
        if task.domain not in FORMS:
            return AgentResult(failure="agent_error", detail=f"agents with steps cannot do {task.domain} tasks yet")
        settings = Settings(self.name, self.options)
        spending = Spending(self.options, task.budget.wall_seconds)
        try:
            async with open_tooling(workspace.input_dir, task.domain, workspace.live) as tooling:
                speaker = _Program(self.make(task), spending)
                talk = Conversation.begin(settings, task, workspace, tooling, speaker, spending, self.interventions)
                return await talk.hold()
        except SnapshotError as error:
            return AgentResult(failure="environment_error", detail=Tooling(None, workspace.input_dir).neutral(str(error)))


@dataclass(slots=True)
class _Program:
    """A step function as a speaker."""

    step: Step
    spending: Spending

    async def complete(self, request: Request) -> Reply:
        body = request.body()
        tools = [] if body.get("tool_choice") == "none" else body.get("tools", [])
        said = await asyncio.to_thread(self.step, body["messages"], tools)
        if inspect.isawaitable(said):
            said = await said
        message = {"content": said} if isinstance(said, str) else said
        try:
            completion = read_completion(json.dumps({"choices": [{"message": message}]}))
        except (ValueError, TypeError, RecursionError) as error:
            raise ModelError(f"step() returned no message: {error}"[:500], "refused") from None
        return Reply(completion, None, self.spending.now(), request)

    def note_timeout(self) -> None:
        """Nothing is recorded."""
