"""What every detector shares: it looks at one trace for one mode, and says what it saw, where, and how sure it is."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Protocol

from itbench.mast.view import View
from itbench.model.mast import Verdict

_SENTENCE = re.compile(r"(?<=[.!?;])\s+|\n+")


@dataclass(frozen=True, slots=True)
class Finding:
    """A verdict with the steps that it rests on."""

    verdict: Verdict
    confidence: float = 0.0
    steps: tuple[int, ...] = ()
    reason: str = ""


class Detector(Protocol):
    """A rule for one mode. Its parameters are the fields of its dataclass; its docstring is its documentation."""

    code: ClassVar[str]

    def look(self, view: View) -> Finding:
        """What it makes of a trace."""
        ...


def present(confidence: float, steps: Iterable[int], reason: str) -> Finding:
    """The mode is there, at these steps."""
    return Finding("present", min(confidence, 0.99), tuple(sorted(set(steps))), reason)


def absent(confidence: float, reason: str) -> Finding:
    """The mode is not there, as far as this rule could tell, and it could."""
    return Finding("absent", confidence, (), reason)


def unknown(reason: str) -> Finding:
    """The rule cannot tell."""
    return Finding("unknown", 0.0, (), reason)


SINGLE_AGENT = Finding("not_applicable", 0.95, (), "one agent alone")


def sentences(text: str) -> list[str]:
    """The sentences, lines and parts before a semicolon of a text."""
    return _SENTENCE.split(text)


def mention(name: str) -> re.Pattern[str]:
    """What finds a name that stands alone, or with a hash or number behind it as pods have."""
    return re.compile(rf"(?<![\w-]){re.escape(name)}(?![a-z])", re.IGNORECASE)
