"""2.6 Reasoning-action mismatch: what was announced, held against what was called."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from itbench.mast.commands import kinds_in
from itbench.mast.detectors.base import Finding, absent, mention, present, unknown
from itbench.mast.view import Call, Saying, View

_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_INTENT = re.compile(
    r"\b(?:I|we)(?: will|'ll| shall| am going to|'m going to|'re going to| are going to| now| next)\b"
    r"|\b(?:I|we) (?:want|need|plan|intend) to\b"
    r"|\blet(?:'s| me| us)\b|\bnext(?:,| up| step| I| we)|\bnow (?:to|for|I|we)\b|\btime to\b|\bgoing to\b|\bmy next\b",
    re.IGNORECASE,
)
_TARGET = re.compile(
    r"\b(?:of|for|on|in|from|at|about|into)\s+(?:the\s+)?(?:service|deployment|pods?|container|workload)?\s*"
    r"[`'\"]?([a-z][\w-]{2,40})",
    re.IGNORECASE,
)


def announces(text: str) -> bool:
    """Whether the last sentence of a text says what comes next."""
    sentences = [part for part in _SENTENCE.split(text.strip()) if part]
    return bool(sentences and _INTENT.search(sentences[-1]))


@dataclass(frozen=True, slots=True)
class _Intent:
    step: int
    kinds: frozenset[str]
    targets: frozenset[str]


@dataclass(frozen=True, slots=True)
class ReasoningActionMismatch:
    """2.6: an agent names the data or the service that it looks at next, and looks at another.

    The last sentence with an announcement counts. It is a mismatch if it names a kind of data (alerts, events, logs,
    traces, metrics, topology, objects, costs) and the call asks for another one; or if it names a service that occurs in
    calls or results, and the call and its result are about another one. What is announced may still follow within
    `patience` calls.
    """

    code: ClassVar[str] = "2.6"
    patience: int = 2
    enough: int = 2

    def look(self, view: View) -> Finding:
        """What it makes of a trace."""
        intents = [intent for intent in map(_intent, view.agent_sayings) if intent is not None]
        asked = view.observed + "\n".join(call.text.lower() for call in view.calls)
        known = frozenset(target for intent in intents for target in intent.targets if target in asked)
        checked, wrong = 0, []
        for intent in intents:
            calls = [call for call in view.calls if call.step >= intent.step][: 1 + self.patience]
            # What is announced without a call must be done in the next step of the agent.
            if not calls or calls[0].step > intent.step + 1:
                continue
            verdict = _fits(intent, calls, known)
            checked += verdict is not None
            if verdict is False:
                wrong += [intent.step, calls[0].step]
        if wrong:
            return present(0.75 + 0.05 * len(set(wrong)), wrong, "it announces one thing and does another")
        if checked >= self.enough:
            return absent(0.6, f"{checked} announcements were kept")
        return unknown("too little is announced in words that a rule understands")


def _intent(saying: Saying) -> _Intent | None:
    text = saying.text or saying.thought
    for sentence in reversed(_SENTENCE.split(text.strip())):
        match = _INTENT.search(sentence)
        if match:
            rest = sentence[match.start() :]
            targets = frozenset(target.lower() for target in _TARGET.findall(rest)) - {"the", "its", "their", "that"}
            return _Intent(saying.step, kinds_in(rest), targets)
    return None


def _fits(intent: _Intent, calls: list[Call], known: frozenset[str]) -> bool | None:
    """Whether the calls keep the announcement; None where that cannot be told."""
    first, targets = calls[0], intent.targets & known
    if intent.kinds and first.kinds and not intent.kinds & first.kinds:
        later = [call for call in calls[1:] if intent.kinds & call.kinds]
        return any(not targets or any(_names(call, target) for target in targets) for call in later)
    if targets and _entities(first, known) - targets:
        named = any(_names(call, target) for call in calls for target in targets)
        if not named and not any(target in first.result.lower() for target in targets):
            return False
    told = bool(intent.kinds and first.kinds)
    return True if told or (targets and any(_names(first, target) for target in targets)) else None


def _entities(call: Call, known: frozenset[str]) -> set[str]:
    """What a call is about: names announced somewhere, and words that its result repeats."""
    words = set(re.findall(r"(?<![\w/.-])[a-z][\w-]{3,40}(?![\w/.])", call.text.lower()))
    return {word for word in words if word in known or (word in call.result.lower() and not kinds_in(word))}


def _names(call: Call, target: str) -> bool:
    return mention(target).search(call.text) is not None
