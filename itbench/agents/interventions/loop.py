"""The loop guard: what was asked and answered already is not asked again and again."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import ClassVar

from itbench.agents.interventions.changing import changes
from itbench.agents.interventions.protocol import Course, Directive, Guard
from itbench.agents.llm.chat import Call
from itbench.agents.llm.window import shortened

_SHOWN = 1_500


@dataclass(frozen=True, slots=True)
class LoopGuard:
    """Answers a repeated call with a reminder of what it brought; after `stops` reminders in a row tools are taken away.

    Calls are equal if the tool and its arguments are, whatever their order. A call is a repetition from the time after
    `allowed`. A change of a live system, after which all may be different, begins a new count.
    """

    name: ClassVar[str] = "loop"
    modes: ClassVar[tuple[str, ...]] = ("1.3",)
    outside: ClassVar[bool] = False
    allowed: int = 1
    stops: int = 4

    def begin(self, course: Course) -> Guard:
        """A guard for one trial."""
        return _LoopGuard(course, self)


class _LoopGuard(Guard):
    def __init__(self, course: Course, rule: LoopGuard) -> None:
        super().__init__(course)
        self.rule = rule
        self.times: Counter[str] = Counter()
        self.answers: dict[str, str] = {}
        self.reminded = 0

    def direct(self) -> Directive | None:
        if self.reminded < self.rule.stops:
            return None
        return Directive("You only repeat yourself. Answer now, with what you know: the JSON object alone.", tools=False)

    def before_call(self, call: Call) -> str | None:
        if changes(call.name, call.arguments):
            self.times.clear()
            self.answers.clear()
            return None
        key = _key(call)
        self.times[key] += 1
        if self.times[key] <= self.rule.allowed or key not in self.answers:
            self.reminded = 0
            return None
        self.reminded += 1
        return (
            f"reminder: you have asked this {self.times[key] - 1} time{'s' if self.times[key] > 2 else ''} before; "
            f"it will not change. Ask something else, or answer. It said:\n{shortened(self.answers[key], _SHOWN)}"
        )

    def after_call(self, call: Call, text: str, *, wrong: bool) -> str:
        if not wrong:
            self.answers.setdefault(_key(call), text)
        return text


def _key(call: Call) -> str:
    asked = call.raw if call.arguments is None else json.dumps(call.arguments, sort_keys=True)
    return f"{call.name} {asked}"
