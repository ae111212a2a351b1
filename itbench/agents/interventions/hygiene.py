"""Context hygiene: long tool outputs become references, with the facts in them pinned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from itbench.agents.interventions.facts import telling_lines
from itbench.agents.interventions.protocol import Course, Guard
from itbench.agents.llm.chat import Message

_LONGEST_LINE = 400


@dataclass(frozen=True, slots=True)
class Hygiene:
    """Shows the last `recent` outputs of tools whole, up to `longest` characters; of others only what tells most.

    An older output longer than `short` characters is shown by its `facts` most telling lines (changes, failures, warnings)
    and a note that the rest is left out; calling the tool again brings it back. Only what the model is shown changes.
    """

    name: ClassVar[str] = "hygiene"
    modes: ClassVar[tuple[str, ...]] = ("1.4", "2.3", "1.1")
    outside: ClassVar[bool] = False
    recent: int = 3
    longest: int = 12_000
    short: int = 1_000
    facts: int = 8

    def begin(self, course: Course) -> Guard:
        """A guard for one trial."""
        return _Hygiene(course, self)


class _Hygiene(Guard):
    def __init__(self, course: Course, rule: Hygiene) -> None:
        super().__init__(course)
        self.rule = rule
        self.trimmed: dict[tuple[str, int], str] = {}

    def view(self, messages: Sequence[Message]) -> Sequence[Message]:
        """The conversation with long outputs trimmed."""
        places = [n for n, message in enumerate(messages) if message.role == "tool"]
        whole = set(places[len(places) - self.rule.recent :]) if self.rule.recent else set()
        return [
            self._trim(message, self.rule.longest if n in whole else self.rule.short) if message.role == "tool" else message
            for n, message in enumerate(messages)
        ]

    def _trim(self, message: Message, limit: int) -> Message:
        text = message.content or ""
        if len(text) <= limit:
            return message
        key = (message.call_id, limit)
        if key not in self.trimmed:  # the same words every time: the endpoint's cache depends on it
            lines = [line[:_LONGEST_LINE] for line in telling_lines(text, self.rule.facts)]
            head = text[: limit // 2] + "\n[…]\n" if limit == self.rule.longest else ""
            note = (
                f"[{len(text):,} characters, of which this is what tells most; call the tool again for more, with filters]"
            )
            self.trimmed[key] = "\n".join([head + note, *lines])
        return replace(message, content=self.trimmed[key])
