"""The guards of one trial, in the order in which the interventions were named: the first that steps in decides."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from itbench.agents.interventions.protocol import Course, Directive, Draft, Guard, Intervention, Made
from itbench.agents.llm.chat import Call, Message

Notice = Callable[..., None]


@dataclass(slots=True)
class Guards:
    """What a loop asks at each of its steps. Every time that a guard steps in, `notice` is told of it."""

    course: Course
    members: list[tuple[Intervention, Guard]] = field(default_factory=list)
    notice: Notice = lambda *_, **__: None
    _viewed: set[str] = field(default_factory=set)

    @classmethod
    def begin(cls, interventions: Sequence[Intervention], course: Course, notice: Notice) -> Guards:
        """Guards with a clean slate."""
        return cls(course, [(each, each.begin(course)) for each in interventions], notice)

    def names(self) -> tuple[str, ...]:
        """The interventions, in order."""
        return tuple(each.name for each, _ in self.members)

    def direct(self) -> tuple[list[tuple[str, str]], bool]:
        """What to tell the model (by whom, what), and whether it keeps its tools."""
        told, tools = [], True
        for intervention, guard in self.members:
            directive = guard.direct() or Directive()
            if directive.tell:
                told.append((intervention.name, directive.tell))
                self._note(intervention, "direct", directive.tell)
            tools = tools and directive.tools
        return told, tools

    def view(self, messages: Sequence[Message]) -> tuple[Message, ...]:
        """The conversation as the model is shown it."""
        for intervention, guard in self.members:
            shown = guard.view(messages)
            if shown is not messages and intervention.name not in self._viewed and tuple(shown) != tuple(messages):
                self._viewed.add(intervention.name)  # once is news
                self._note(intervention, "view", f"from reply {self.course.replies + 1} on")
            messages = shown
        return tuple(messages)

    def before_call(self, call: Call) -> tuple[str, str] | None:
        """Who answers in the tool's place, and what; None where the tool answers."""
        for intervention, guard in self.members:
            held = guard.before_call(call)
            if held is not None:
                self._note(intervention, "before_call", f"{call.name}: {held}")
                return intervention.name, held
        return None

    def after_call(self, call: Call, text: str, *, wrong: bool, held: bool) -> str:
        """Take note of an answer, whole; what the model sees of it."""
        made = Made(call.name, call.arguments, call.raw, text, wrong, self.course.replies, held)
        self.course.calls.append(made)
        for _, guard in self.members if not held else ():
            text = guard.after_call(call, text, wrong=wrong)
        return text

    def replied(self, text: str, left: int) -> None:
        """Take note of a reply of the model, before its calls are looked at."""
        self.course.replies += 1
        self.course.left = left
        self.course.said.append(text)

    def before_answer(self, draft: Draft) -> tuple[str, str] | None:
        """Who objects to an answer, and why; None where it is taken."""
        for intervention, guard in self.members:
            objection = guard.before_answer(draft)
            if objection is not None:
                self._note(intervention, "before_answer", objection)
                return intervention.name, objection
        return None

    def _note(self, intervention: Intervention, where: str, text: str) -> None:
        self.notice("intervention", by=intervention.name, where=where, text=text[:300])
