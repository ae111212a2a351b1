"""The termination state machine: when to stop looking, when not to stop yet."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Literal

from itbench.agents.interventions.protocol import Course, Directive, Draft, Guard

State = Literal["explore", "verify", "answer"]
_HYPOTHESIS = re.compile(r"\bhypothes[ie]s\b|\b(?:root cause|culprit)\b|\bI (?:suspect|conclude)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class StateMachine:
    """Explore, hypothesise, verify, answer: each state ends, by itself or by a bound.

    *Explore* ends when a reply states a hypothesis (or an answer), at the latest after `explore` replies: the model is then
    asked for its hypothesis. *Verify* lets it look for what would refute it, for at most `verify` replies. In *answer* there
    are no tools any more. An answer that comes after fewer than `least` answers of tools, or whose first words announce a
    further step, is handed back once: it becomes the hypothesis.
    """

    name: ClassVar[str] = "fsm"
    modes: ClassVar[tuple[str, ...]] = ("1.5", "3.1", "2.3")
    outside: ClassVar[bool] = False
    explore: int = 10
    verify: int = 5
    least: int = 2

    def begin(self, course: Course) -> Guard:
        """A machine for one trial."""
        return _Machine(course, self)


class _Machine(Guard):
    def __init__(self, course: Course, rule: StateMachine) -> None:
        super().__init__(course)
        self.rule = rule
        self.state: State = "explore"
        self.since = 0
        self.handed_back = False

    def direct(self) -> Directive | None:
        spent = self.course.replies - self.since
        if self.state == "explore":
            if self.course.said and _HYPOTHESIS.search(self.course.said[-1]):
                self._go("verify")
            elif spent >= self.rule.explore:
                self._go("verify")
                return Directive(
                    f"You have explored for {spent} replies; that is enough. Decide on the hypothesis that explains the "
                    f"alerts best. You have {self.rule.verify} more replies to look for what would refute it; then answer."
                )
        elif self.state == "verify" and spent >= self.rule.verify:
            self._go("answer")
            return Directive(
                "The time for looking is over. Answer now, with what you know: the JSON object alone.", tools=False
            )
        return Directive(tools=False) if self.state == "answer" else None

    def before_answer(self, draft: Draft) -> str | None:
        if self.state == "answer" or self.handed_back or not self.course.tools:
            return None
        answered = sum(not call.held and not call.wrong for call in self.course.calls)
        if draft.document is not None and answered >= self.rule.least:
            return None
        if draft.document is None and answered >= self.rule.least and not _announces(draft.text):
            return None
        self.handed_back = True
        if draft.document is not None:
            self._go("verify")
            told = f"Tools have answered {answered} times so far. Take your answer for a hypothesis"
            return f"That is early: {told}, look for what would refute it, and answer then."
        return "You said what you will do next and did not do it. Call the tool now; answer when you are done."

    def _go(self, state: State) -> None:
        self.state, self.since = state, self.course.replies


def _announces(text: str) -> bool:
    return bool(re.search(r"\b(?:I will|I'll|let me|next I|going to|I need to)\b", text, re.IGNORECASE))
