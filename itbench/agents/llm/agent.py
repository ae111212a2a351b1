"""The `llm:` agent: ask the model, call the tools that it asks for, tell it what they said, until it answers.

It runs in the harness's process, because it is our own code; what the model says is only ever read as text, tool calls and
JSON. The recorded files are reached through the tools alone.
"""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import dataclass, replace
from string import Template
from typing import Any

from itbench.agents.interventions.catalogue import written
from itbench.agents.interventions.guards import Guards
from itbench.agents.interventions.protocol import Course, Draft, Intervention
from itbench.agents.llm import pricing
from itbench.agents.llm.answer import FORMS, Checked, check, schema_text
from itbench.agents.llm.channel import Reply, Speaker, open_channel
from itbench.agents.llm.chat import Call, Completion, Message, Request
from itbench.agents.llm.diary import Diary
from itbench.agents.llm.endpoint import BASE_URL, check_access
from itbench.agents.llm.failures import Kind, ModelError, TapeError
from itbench.agents.llm.settings import Settings
from itbench.agents.llm.spending import Spending
from itbench.agents.llm.tape import Tape
from itbench.agents.llm.tooling import FOLDER, Answered, Tooling, open_tooling
from itbench.agents.llm.window import DEFAULT_WINDOW, Window, shortened
from itbench.agents.protocol import AgentResult, Workspace
from itbench.bundled import bundled
from itbench.model.base import Domain
from itbench.model.errors import SnapshotError, UsageError
from itbench.model.outcome import Cause
from itbench.model.task import Task

_RESENT_REPLY = 20_000
_CAUSES: dict[Kind, Cause] = {"endpoint": "environment_error", "timeout": "agent_timeout"}


@dataclass(frozen=True, slots=True)
class LlmAgent:
    """Asks `settings.model`; with a tape, records the traffic or answers from it. `interventions` stand around it."""

    settings: Settings
    tape: Tape | None = None
    interventions: tuple[Intervention, ...] = ()
    sandboxed: bool = False

    @classmethod
    def from_text(cls, text: str) -> LlmAgent:
        """From what follows `llm:`.

        Raises:
            UsageError: no model, or an option that does not exist.
        """
        return cls(Settings.from_text(text))

    def with_tape(self, tape: Tape) -> LlmAgent:
        """The same agent, recording or replaying."""
        return replace(self, tape=tape)

    def guarded(self, interventions: tuple[Intervention, ...]) -> LlmAgent:
        """The same agent with these interventions around it, outside of those that it has."""
        return replace(self, interventions=(*interventions, *self.interventions))

    def prepare(self) -> None:
        """Refuse early what cannot work. A replay needs neither key nor packages.

        Raises:
            MissingExtraError: the extra `llm` is not installed.
            UsageError: there is no key, or a cost limit for a model without a price.
        """
        if self.tape is not None and self.tape.mode == "replay":
            return
        check_access()
        if self.settings.options.cost is not None and not pricing.is_priced(self.settings.model, os.environ.get(BASE_URL)):
            raise UsageError(
                f"there is no price for the model {self.settings.model!r}, so that a limit of cost cannot be kept",
                hint="Limit tokens instead, for example ?tokens=500k",
            )

    async def run(self, task: Task, workspace: Workspace) -> AgentResult:
        """Work until the model answers or a budget is used up."""
        if task.domain not in FORMS:
            return AgentResult(failure="agent_error", detail=f"llm: agents cannot do {task.domain} tasks yet")
        spending = Spending(self.settings.options, task.budget.wall_seconds)
        try:
            async with (
                open_tooling(workspace.input_dir, task.domain, workspace.live, workspace.hidden) as tooling,
                open_channel(self.tape, task.seed, spending.began, spending.deadline, workspace.events.emit) as channel,
            ):
                talk = Conversation.begin(self.settings, task, workspace, tooling, channel, spending, self.interventions)
                return await talk.hold()
        except SnapshotError as error:
            return AgentResult(failure="environment_error", detail=Tooling(None, workspace.input_dir).neutral(str(error)))


@dataclass(slots=True)
class Conversation:
    """One trial: what was said so far, and what may still be spent."""

    request: Request
    domain: Domain
    output_bytes: int
    workspace: Workspace
    tooling: Tooling
    channel: Speaker
    spending: Spending
    window: Window
    diary: Diary
    guards: Guards
    repaired: bool = False
    shrunk: bool = False

    @classmethod
    def begin(
        cls,
        settings: Settings,
        task: Task,
        workspace: Workspace,
        tooling: Tooling,
        channel: Speaker,
        spending: Spending,
        interventions: tuple[Intervention, ...] = (),
    ) -> Conversation:
        """The prompt of the domain, and the task in the words that every agent gets."""
        definitions, options = tooling.definitions, settings.options
        system = _prompt(task.domain, options.turns, has_tools=bool(definitions))
        question = tooling.neutral(task.words(FOLDER))
        parameters: dict[str, Any] = {
            "temperature": options.temperature,
            "seed": task.seed if options.seed == "on" else None,
            "reasoning_effort": options.effort,
            "max_completion_tokens": options.reply,
        }
        parameters = {name: value for name, value in parameters.items() if value is not None}
        kept = {"budget": options.model_dump(exclude_none=True), **parameters}
        if interventions:
            kept["interventions"] = written(interventions)
        course = Course(task.domain, frozenset(each["function"]["name"] for each in definitions))
        diary = Diary(settings.model, definitions, kept)
        diary.say("system", system)
        diary.say("user", question)
        messages = (Message("system", system), Message("user", question))
        window = Window(options.context or DEFAULT_WINDOW, sum(len(str(each)) for each in definitions))
        return cls(
            request=Request(settings.model, messages, definitions, parameters),
            domain=task.domain,
            output_bytes=task.budget.output_bytes,
            workspace=workspace,
            tooling=tooling,
            channel=channel,
            spending=spending,
            window=window,
            diary=diary,
            guards=Guards.begin(interventions, course, workspace.events.emit),
        )

    async def hold(self) -> AgentResult:
        """Talk until there is an answer, or no more can be spent."""
        try:
            async with asyncio.timeout(_remaining(self.spending.deadline)):
                return await self._talk()
        except TimeoutError:
            self.channel.note_timeout()
            return self._end(failure="agent_timeout", detail=f"no answer within {self.spending.seconds:g} s")
        except ModelError as error:
            # A server that is down or refuses the key says nothing about the model: such a trial can be resumed.
            return self._end(failure=_CAUSES.get(error.kind, "agent_error"), detail=error.message)
        except TapeError as error:
            return self._end(failure="environment_error", detail=str(error))

    async def _talk(self) -> AgentResult:
        spent = ""
        while True:
            if not spent and (spent := self.spending.nearly_spent):
                self._tell(f"You have used up your budget of {spent}. {_ANSWER_NOW}", budget=spent)
            open_ = not spent and self._directed()
            if not open_:
                self.request = replace(self.request, parameters={**self.request.parameters, "tool_choice": "none"})
            answered = await self._ask()
            reply = answered.completion
            self.guards.replied(reply.text, self.spending.replies_left)
            calls = self._unique(reply.calls) if open_ else ()
            if calls:
                await self._use_tools(reply, calls, answered.cost)
                continue
            self.diary.reply(reply, answered.cost)
            checked = check(reply.text, self.domain)
            if self._handed_back(reply, checked, spent, open_=open_):
                continue
            if checked.document is not None:
                return self._end(output=checked.document)
            if self.repaired:
                return self._give_up(reply, spent, checked.problem)
            self.repaired = True
            self.workspace.events.emit("answer_repair", problem=checked.problem[:500], refusal=bool(reply.refusal))
            self._return(reply)
            self._tell(_repair(checked.problem, reply, last=bool(spent)))

    def _directed(self) -> bool:
        """Pass on what guards have to say before the model is asked; whether it keeps its tools."""
        told, tools = self.guards.direct()
        for by, text in told:
            self._tell(text, intervention=by)
        return tools

    def _handed_back(self, reply: Completion, checked: Checked, spent: str, *, open_: bool) -> bool:
        """Whether a guard objects to the answer; where nothing can be looked up any more, only to its form."""
        if spent or not (open_ or checked.problem):
            return False
        objection = self.guards.before_answer(Draft(reply.text, checked.value, checked.problem))
        if objection is None:
            return False
        self._return(reply)
        self._tell(objection[1], intervention=objection[0])
        return True

    async def _ask(self) -> Reply:
        if self.window.is_full(self.guards.view(self.request.messages)):
            self.request = replace(self.request, messages=self.window.fit(self.request.messages))
        shown = replace(self.request, messages=self.guards.view(self.request.messages))
        try:
            answered = await self.channel.complete(shown)
        except ModelError as error:
            if error.kind != "too_long" or self.shrunk:
                raise
            # The window is smaller than believed. Once is enough: what is then still too long will always be.
            self.shrunk = True
            self.window.tokens = max(1000, self.window.estimate(shown.messages) // 2)
            self.workspace.events.emit("context_shrunk", tokens=self.window.tokens)
            self.request = replace(
                self.request, messages=self.window.shrink(self.request.messages, 0.8 * self.window.tokens)
            )
            shown = replace(self.request, messages=self.guards.view(self.request.messages))
            answered = await self.channel.complete(shown)
        self.request, reply = replace(self.request, parameters=answered.request.parameters), answered.completion
        self.spending.add(answered, self.window.estimate(shown.messages) + len(reply.text) // 4)
        if reply.tokens is not None:
            self.window.learn(shown.messages, reply.tokens.prompt_tokens)
        self.workspace.events.emit(
            "model_replied",
            reply=self.spending.replies,
            elapsed=answered.elapsed,
            calls=len(reply.calls),
            finish_reason=reply.finish_reason,
            prompt_tokens=reply.tokens.prompt_tokens if reply.tokens else None,
            completion_tokens=reply.tokens.completion_tokens if reply.tokens else None,
        )
        return answered

    async def _use_tools(self, reply: Completion, calls: tuple[Call, ...], cost: float | None) -> None:
        answers = [await self._answer(call, number) for number, call in enumerate(calls)]
        self.diary.reply(reply, cost, calls, answers)
        self._return(reply, calls)
        for call, answer in zip(calls, answers, strict=True):
            self.workspace.events.emit(
                "tool_called",
                tool=call.name,
                characters=len(answer.text),
                error=answer.wrong,
                held_by=answer.held_by or None,
            )
            self._remember(Message("tool", answer.text, call_id=call.id, reference=_reference(call, answer.text)))
        self.repaired = False  # it went on: a later answer may be put right once, too

    async def _answer(self, call: Call, number: int) -> Answered:
        held = self.guards.before_call(call)
        answer = Answered(held[1], held_by=held[0]) if held else await self.tooling.answer(call, number)
        text = self.guards.after_call(call, answer.text, wrong=answer.wrong, held=held is not None)
        return replace(answer, text=text)

    def _give_up(self, reply: Completion, spent: str, problem: str) -> AgentResult:
        """No valid answer, also when asked again. What can be read of it is the evaluator's business."""
        if reply.refusal:
            return self._end(failure="output_missing", detail=f"the model refused: {reply.refusal[:500]}")
        if reply.text.strip():
            note = f"the answer does not fit the schema, also after one repair turn: {problem[:500]}"
            return self._end(output=reply.text.encode("utf-8", errors="replace"), warnings=(note,))
        if spent:
            return self._end(failure="budget_exhausted", detail=f"no answer within {spent}")
        return self._end(failure="output_missing", detail="the model's last messages are empty")

    def _end(self, **fields: Any) -> AgentResult:
        output = fields.get("output")
        if output is not None and len(output) > self.output_bytes:
            detail = f"the answer has {len(output):,} bytes, more than the allowed {self.output_bytes:,}"
            fields = {"failure": "output_invalid", "detail": detail}
        return AgentResult(trajectory=self.diary.trajectory(self.spending), usage=self.spending.usage(), **fields)

    def _unique(self, calls: tuple[Call, ...]) -> tuple[Call, ...]:
        """The calls with ids that no earlier call of the conversation has: some servers count anew in each reply."""
        taken = {call.id for message in self.request.messages for call in message.calls}
        unique = []
        for number, call in enumerate(calls, start=1):
            new = call.id if call.id not in taken else f"call-{self.spending.replies}-{number}"
            taken.add(new)
            unique.append(replace(call, id=new))
        return tuple(unique)

    def _return(self, reply: Completion, calls: tuple[Call, ...] = ()) -> None:
        """Keep what the model said."""
        text = shortened(reply.text, _RESENT_REPLY) or (None if calls else "(empty)")
        self._remember(Message("assistant", text, calls))

    def _tell(self, text: str, **extra: str) -> None:
        self.diary.say("user", text, **extra)
        self._remember(Message("user", text))

    def _remember(self, message: Message) -> None:
        self.request = replace(self.request, messages=(*self.request.messages, message))


_ANSWER_NOW = "Answer now, with what you know: the JSON object alone, no tool calls, no other text."


def _repair(problem: str, reply: Completion, *, last: bool) -> str:
    cut = " It was cut off at the longest reply allowed: write less." if reply.finish_reason == "length" else ""
    if last:
        return f"That cannot be read as the answer: {problem}.{cut} {_ANSWER_NOW}"
    return (
        f"That cannot be read as the answer: {problem}.{cut} If you are still investigating, call a tool. "
        "Otherwise answer with the JSON object alone, without any other text."
    )


def _reference(call: Call, text: str) -> str:
    asked = shortened(call.raw, 300)
    return (
        f"[The answer to {call.name}({asked}), {len(text):,} characters, is left out to save room. Call it again if needed.]"
    )


def _prompt(domain: Domain, turns: int, *, has_tools: bool) -> str:
    path = bundled("environments") / "prompts" / f"{domain}.md"
    tools = "" if has_tools else "\nThis task comes without data: you have no tools and must answer at once.\n"
    return Template(path.read_text(encoding="utf-8")).substitute(turns=turns, schema=schema_text(domain), tools=tools)


def _remaining(deadline: float | None) -> float | None:
    return None if deadline is None else max(0.0, deadline - time.monotonic())
