"""Clarify or read only: whoever is not sure what is meant may look, and not change."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import ClassVar

from itbench.agents.interventions.changing import changes
from itbench.agents.interventions.protocol import Course, Guard
from itbench.agents.llm.chat import Call

_DOUBT = re.compile(
    r"\b(?:unclear|ambiguous|not sure|unsure|uncertain|not certain|unspecified|not specified|no idea|cannot tell|can't tell"
    r"|guess\w*|presumably|probably|I assume|assuming|might be|could be either)\b",
    re.IGNORECASE,
)
_RESOLVED = re.compile(r"^\W*(?:ASSUMPTION|ASSUMED)\b", re.MULTILINE)
_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)+|[a-z]{3,}[a-z0-9]*")
_VERBS = frozenset(
    "scale patch delete apply create replace label annotate cordon uncordon drain expose rollout undo restart pause resume"
    " set image env resources selector serviceaccount deployment deployments deploy service services svc pod pods"
    " statefulset configmap secret job node namespace".split()
)


@dataclass(frozen=True, slots=True)
class ClarifyOrReadOnly:
    """Refuses calls that change a live system while it is open what is meant.

    It is open if the reply that makes the call states a doubt or a guess, or if no tool has answered about the object that
    the call names (`seen`). Nobody is there to be asked: the doubt ends by looking the object up, and stating what is
    assumed in a line that begins with ASSUMPTION. At most `refusals` calls are refused. Where nothing can be changed, it
    has nothing to do.
    """

    name: ClassVar[str] = "clarify"
    modes: ClassVar[tuple[str, ...]] = ("2.2", "1.1", "1.2")
    outside: ClassVar[bool] = False
    seen: bool = True
    refusals: int = 3

    def begin(self, course: Course) -> Guard:
        """A guard for one trial."""
        return _ReadOnly(course, self)


class _ReadOnly(Guard):
    def __init__(self, course: Course, rule: ClarifyOrReadOnly) -> None:
        super().__init__(course)
        self.rule = rule
        self.refused = 0

    def before_call(self, call: Call) -> str | None:
        if not changes(call.name, call.arguments) or self.refused >= self.rule.refusals:
            return None
        problem = self._open(call)
        if not problem:
            return None
        self.refused += 1
        return (
            f"error: refused, nothing was changed: {problem}. While that is open, only calls that read are allowed. "
            "Look the object up; then state what you assume in a line that begins with ASSUMPTION, and call again."
        )

    def _open(self, call: Call) -> str:
        said = self.course.said[-1] if self.course.said else ""
        if _DOUBT.search(said) and not _RESOLVED.search(said):
            return "you are not sure what is meant"
        words = _words(str((call.arguments or {}).get("command", "")))
        if self.rule.seen and words and not any(word in self.course.observed for word in words):
            return f"no tool has told you anything about {words[0]!r} yet"
        return ""


def _words(command: str) -> list[str]:
    """The names in a command: what is neither a verb, nor a kind, nor a flag or its value."""
    try:
        given = shlex.split(command)
    except ValueError:
        given = command.split()
    found = []
    skip = False
    for word in given:
        if word.startswith("-"):
            skip = word in ("-n", "--namespace", "-o", "-p", "--patch", "--type", "-l", "--replicas")
            continue
        if not skip:
            found += [name for name in _NAME.findall(word.lower()) if name not in _VERBS and name != "kubectl"]
        skip = False
    return found
