"""The verification gate: no answer without a check by tools."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from itbench.agents.interventions.answers import Blamed, blamed
from itbench.agents.interventions.changing import changes
from itbench.agents.interventions.protocol import Course, Draft, Guard, Made

_SPECS = frozenset({"object", "object_changes", "objects", "entity_context", "kubectl", "incident_overview"})
_ALERTS = frozenset({"alert_summary", "alerts", "kubectl"})
# A word that means one thing: with a digit, or with a letter before and after a hyphen, dot, slash, underscore or equals.
_WORD = re.compile(r"[\w./:=-]+")
_DISTINCT = re.compile(r"\d|\w[-./_=:]\w")


@dataclass(frozen=True, slots=True)
class Gate:
    """Hands an answer back until tools bear it out, at most `tries` times.

    It asks of every root cause that is named: does its name occur in what a tool answered; did a tool show its
    specification, changes or context (`spec`); does its evidence quote a figure, name or setting that a tool answered
    (`quote`). After a change of a live system it also asks for a look at the alerts (`alerts`). An answer without any
    tool's answer before it is handed back, too. Where only the answer can be seen, it asks whether the files hold the name.
    """

    name: ClassVar[str] = "gate"
    modes: ClassVar[tuple[str, ...]] = ("3.3", "3.2", "3.1")
    outside: ClassVar[bool] = True
    tries: int = 2
    spec: bool = True
    quote: bool = True
    alerts: bool = True

    def begin(self, course: Course) -> Guard:
        """A gate for one trial."""
        return _Gate(course, self)


class _Gate(Guard):
    def __init__(self, course: Course, rule: Gate) -> None:
        super().__init__(course)
        self.rule = rule
        self.objections = 0

    def before_answer(self, draft: Draft) -> str | None:
        if self.objections >= self.rule.tries or draft.document is None:
            return None
        problems = self._problems(draft)
        if not problems:
            return None
        self.objections += 1
        return (
            f"Your answer is not taken yet, because nothing that a tool answered bears it out: {'; '.join(problems[:4])}. "
            "Check with a tool, correct the answer if the check speaks against it, and then answer again."
        )

    def _problems(self, draft: Draft) -> list[str]:
        course, seen = self.course, self.course.observed
        if course.tools and not any(not call.held and not call.wrong for call in course.calls):
            return ["no tool was asked"]
        if self.rule.alerts and _unread_alerts(course.calls):
            return ["something was changed, and the alerts were not looked at since"]
        problems = []
        for entity in blamed(draft.document):
            if entity.root and course.holds is not None and not course.holds(entity.short):
                problems.append(f"no recorded file names {entity.short[:80]!r}")
            elif entity.root and seen:
                problems += self._unproved(entity, seen)
        return problems

    def _unproved(self, entity: Blamed, seen: str) -> list[str]:
        if entity.short not in seen:
            return [f"no tool named {entity.short[:80]!r}"]
        if self.rule.spec and self.course.tools & _SPECS and not self._specified(entity):
            return [f"the specification and changes of {entity.name[:80]!r} were never looked at"]
        words = {word for word in _WORD.findall(entity.evidence.lower()) if len(word) > 1 and _DISTINCT.search(word)}
        if self.rule.quote and words and not any(word.strip(".:") in seen for word in words):
            return [f"nothing that the evidence for {entity.name[:80]!r} states occurs in what the tools answered"]
        return []

    def _specified(self, entity: Blamed) -> bool:
        return any(
            call.name in _SPECS and not call.wrong and not call.held and entity.short in f"{call.raw} {call.text}".lower()
            for call in self.course.calls
        )


def _unread_alerts(calls: list[Made]) -> bool:
    changed = [place for place, call in enumerate(calls) if changes(call.name, call.arguments) and not call.held]
    return bool(changed) and not any(call.name in _ALERTS and not call.wrong for call in calls[changed[-1] + 1 :])
