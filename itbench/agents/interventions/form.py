"""The format guard: an answer that cannot be read as one is handed back, with what is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from itbench.agents.interventions.answers import blamed
from itbench.agents.interventions.protocol import Course, Draft, Guard


@dataclass(frozen=True, slots=True)
class FormatGuard:
    """Hands an answer back that breaks its schema, or names an object without its kind (`names`), at most `tries` times."""

    name: ClassVar[str] = "format"
    modes: ClassVar[tuple[str, ...]] = ("1.1",)
    outside: ClassVar[bool] = True
    tries: int = 3
    names: bool = True

    def begin(self, course: Course) -> Guard:
        """A guard for one trial."""
        return _FormatGuard(course, self)


class _FormatGuard(Guard):
    def __init__(self, course: Course, rule: FormatGuard) -> None:
        super().__init__(course)
        self.rule = rule
        self.objections = 0

    def before_answer(self, draft: Draft) -> str | None:
        problem = draft.problem or (self._naming(draft) if self.rule.names and self.course.domain == "sre" else "")
        if not problem or self.objections >= self.rule.tries:
            return None
        self.objections += 1
        return f"That cannot be taken as the answer: {problem}. Answer again: one JSON object, and no other text."

    def _naming(self, draft: Draft) -> str:
        odd = [entity.name for entity in blamed(draft.document) if entity.root and not entity.has_kind]
        return f"{odd[0][:80]!r} does not say what kind of object it is; write namespace/Kind/name" if odd else ""
