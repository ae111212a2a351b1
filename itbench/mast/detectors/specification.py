"""1.1 Disobeyed task specification, 2.2 failing to ask, 2.3 derailment: the task held against what was done."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import ClassVar

from itbench.mast.commands import kinds_in
from itbench.mast.detectors.base import Finding, absent, present, sentences, unknown
from itbench.mast.view import Call, View

_FORBIDDEN = re.compile(
    r"(?:do not|don't|never|must not|may not|not allowed to|refrain from|avoid"
    r"|without)\s+(?:\w+\s+){0,5}?[`'\"]([^`'\"\n]{2,60})[`'\"]",
    re.IGNORECASE,
)
_READ_ONLY = re.compile(
    r"(?:cluster|system|environment|production)[^.\n]{0,40}read[- ]only|read[- ]only (?:access to|mode|task|cluster)"
    r"|(?:do not|don't|never|must not|may not|without)\s+(?:modify|chang|alter|touch|edit|restart)\w*\s+"
    r"(?:\w+\s+){0,3}?(?:cluster|system|production|resources?|workloads?|deployments?|anything)",
    re.IGNORECASE,
)
_FIRST = re.compile(
    r"(?:read|check|look at|start with|begin with|consult|open)\s+([^.\n]{2,50}?)\s+(?:first|before anything)", re.I
)
_KEYS = re.compile(
    r"(?:keys?|fields?|members?|properties)\b[^.\n`'\"]{0,25}((?:[`'\"]\w+[`'\"][\s,]*(?:and\s+)?)+)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class DisobeyedTask:
    """1.1: a constraint of the task that a rule can read is broken.

    Constraints: the answer is JSON and has the keys that are listed; it lies where it was asked for; a quoted word after
    "do not", "never" and the like is in no call; nothing is changed where the task is read-only; what is to be looked at
    first is looked at first. Absent only if there was such a constraint and all were kept.
    """

    code: ClassVar[str] = "1.1"

    def look(self, view: View) -> Finding:
        """What it makes of a trace."""
        checks = [self._form(view), self._place(view), self._forbidden(view), self._unchanged(view), self._first(view)]
        broken = [check for check in checks if check is not None and check.verdict == "present"]
        if broken:
            steps = [step for check in broken for step in check.steps]
            return present(max(check.confidence for check in broken), steps, "; ".join(check.reason for check in broken))
        kept = sum(check is not None for check in checks)
        return absent(0.6, f"{kept} constraints were kept") if kept else unknown("no constraint that a rule can read")

    def _form(self, view: View) -> Finding | None:
        if view.trace.output is None or not view.answer_file.endswith(".json"):
            return None
        steps = [view.calls[view.answer_writes[-1]].step] if view.answer_writes else [len(view.steps)]
        try:
            answer = json.loads(view.trace.output)
        except (ValueError, RecursionError):
            return present(0.95, steps, "the answer is no JSON")
        for listed in _KEYS.findall(view.task):
            wanted = re.findall(r"\w+", listed.replace(" and ", " "))
            missing = [key for key in wanted if not isinstance(answer, dict) or key not in answer]
            if missing:
                return present(0.9, steps, f"the answer lacks {missing[0]}")
        return absent(0.6, "the form is right")

    def _place(self, view: View) -> Finding | None:
        if "/" not in view.answer_path or not view.answer_writes:
            return None
        folder = view.answer_path.rsplit("/", 1)[0]
        elsewhere = [
            view.calls[place].step
            for place in view.answer_writes
            for file in view.calls[place].writes
            if file.endswith(view.answer_file) and file.startswith("/") and not file.startswith(f"{folder}/")
        ]
        return present(0.85, elsewhere, f"the answer is not in {folder}") if elsewhere else absent(0.6, "in its place")

    def _forbidden(self, view: View) -> Finding | None:
        words = _FORBIDDEN.findall(view.task)
        for word in words:
            used = [call.step for call in view.calls if _whole(word, call.text) or call.name == word]
            if used:
                return present(0.9, used, f"{word!r} is forbidden, and used")
        return absent(0.6, "nothing forbidden") if words else None

    def _unchanged(self, view: View) -> Finding | None:
        # What is said of one agent of several is its role, not the task.
        told = re.split(r"(?<=[.!?])\s+|\n+", view.task)
        common = [each for each in told if not any(name and name.lower() in each.lower() for name in view.speakers)]
        if not any(_READ_ONLY.search(each) for each in common):
            return None
        changing = (call for call in view.calls if call.changes and not call.writes)
        changed = [call.step for call in changing if "kubectl" in call.text or not call.is_shell]
        return present(0.85, changed, "something is changed") if changed else absent(0.6, "nothing is changed")

    def _first(self, view: View) -> Finding | None:
        match = _FIRST.search(view.task)
        wanted = kinds_in(match[1]) if match else frozenset()
        asked = next((call for call in view.calls if call.kinds), None)
        if not wanted or asked is None:
            return None
        if wanted & asked.kinds:
            return absent(0.6, "in the order that was asked for")
        return present(0.8, [asked.step], f"it begins with {', '.join(sorted(asked.kinds))}, not with what was asked for")


def _whole(word: str, text: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text) is not None


_UNCLEAR = re.compile(
    r"(?:is|are|it's|was|were|remains?|seems?|looks?|left|leaves?"
    r"|stays?)\s+(?:\w+\s+){0,2}?(?:unclear|ambiguous|vague|open"
    r"|underspecified|unspecified|undefined|unknown|uncertain"
    r"|not (?:clear|specified|stated|given|named|mentioned|said|defined|certain|obvious))\b"
    r"|(?:does not|doesn't|did not|didn't|never|nowhere|fails? to) (?:says?|specif\w+|states?|names?"
    r"|mentions?|tells?|gives?"
    r"|defines?|clarif\w+|spells?)"
    r"|(?:nobody|no one|nothing) (?:says|said|told|tells|specif\w+|mention\w+)|says? nothing"
    r"|no (?:mention|word|hint|indication|details?|information|specifics)\b"
    r"|(?:not sure|unsure|uncertain|no idea|cannot tell|can't tell|can't say|don't know|do not know"
    r"|hard to (?:say|tell)|wonder)"
    r" (?:which|what|whether|where|who|if)"
    r"|could (?:be|mean) (?:either|any|several|both)"
    r"|(?:two|three|both|several|many|multiple|more than one|a few) (?:\w+ ){0,3}?(?:match\w*|fits?"
    r"|qualify|possible|candidates?)"
    r"|(?:not enough|too few|too little|insufficient|missing|incomplete|lack(?:s"
    r"|ing)?) (?:\w+ )?(?:information|input|details?"
    r"|context|specifics)"
    r"|(?:was not|wasn't|were not|weren't|not been|never|without being) told|without knowing",
    re.IGNORECASE,
)
_OF_THE_REQUEST = re.compile(
    r"\b(?:task|request|instructions?|brief|ticket|user|operator|customer|meant|wanted|intended|asked|which)\b",
    re.IGNORECASE,
)
_RESOLVED = re.compile(
    r"\b(?:(?<!nothing )show(?:s|ed)?|confirm\w*|turns? out|turned out|according to|reveal\w*|proves?"
    r"|now (?:it is |it's )?clear|became clear"
    r"|settled|answered|says (?!nothing))",
    re.IGNORECASE,
)
_GUESS = re.compile(
    r"\b(?:assum\w+|guess\w*|suppos\w+|presum\w+|pick\w*|go(?:ing)? with|choos\w+|chose|opt\w*"
    r"|settl\w+|take|taking|first one"
    r"|probably|likely|surely|must (?:be|mean)|bet|gambl\w+|default\w* to|simply|just|for now"
    r"|let's say|I'd say|treat\w*|try"
    r"|my best|sounds like|hopefully|whichever)\b",
    re.IGNORECASE,
)
_ASK = re.compile(
    r"\?\s*$|\?\s|\b(?:please (?:confirm|clarify|tell|specify|advise|let)|could you|can you"
    r"|let me know|ask(?:ing)? (?:the |our )?"
    r"(?:user|operator|customer)|wait(?:ing)? for|until (?:I hear|you|somebody|someone)"
    r"|before I (?:act|touch|change|do|go)"
    r"|need (?:an answer|confirmation|to know|to hear))\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class FailToAsk:
    """2.2: an agent says that something is unclear, and then changes something without asking.

    What is unclear must be what was asked for, or the agent must guess in the same breath. Not if it asks, if the user says
    something before it acts, if what it says rests on data that it names, or if the next `lookups` calls look the matter
    up. Silent guesses are not seen.
    """

    code: ClassVar[str] = "2.2"
    lookups: int = 1

    def look(self, view: View) -> Finding:
        """What it makes of a trace."""
        doubts = 0
        for saying in view.agent_sayings:
            text = f"{saying.text}\n{saying.thought}"
            doubted = [sentence for sentence in sentences(text) if _UNCLEAR.search(sentence)]
            if not doubted:
                continue
            doubts += 1
            calls = [call for call in view.calls if call.step >= saying.step]
            acts = bool(calls) and (calls[0].changes or any(call.changes for call in calls[1:2]))
            guesses = bool(_GUESS.search(text)) or any(_OF_THE_REQUEST.search(sentence) for sentence in doubted)
            told = any(each.source == "user" and calls and saying.step < each.step < calls[0].step for each in view.sayings)
            rests = _RESOLVED.search(text) or kinds_in(text)
            settled = told or rests or _ASK.search(text) or _looked_up(calls, self.lookups)
            if acts and guesses and not settled:
                return present(
                    0.75, [saying.step, calls[0].step], "it says that something is unclear, and acts without asking"
                )
        return unknown("doubts are stated, and asked or looked up" if doubts else "silent guesses are beyond a rule")


def _looked_up(calls: list[Call], lookups: int) -> bool:
    return all(not call.changes and not call.writes for call in calls[:lookups])


@dataclass(frozen=True, slots=True)
class Derailment:
    """2.3: a large share of the calls is on the agent's own scripts, or on nothing that the task is about.

    Own scripts: at least `calls` calls and a share of `share` on files that the agent wrote itself (but for the
    answer), where at least `mended` rewrite them or fail. Beside the task: `run` calls in a row that name no kind of
    observability data, no path or service of the task, no cluster command and not the answer.
    """

    code: ClassVar[str] = "2.3"
    calls: int = 6
    share: float = 0.35
    mended: int = 3
    run: int = 5

    def look(self, view: View) -> Finding:
        """What it makes of a trace."""
        if len(view.calls) < 4:
            return unknown("too few calls")
        own = _on_own_files(view)
        mended = sum(call.failed or bool(call.writes) or "Traceback" in call.result for call in own)
        if len(own) >= self.calls and len(own) >= self.share * len(view.calls) and mended >= self.mended:
            share = len(own) / len(view.calls)
            return present(
                0.6 + 0.4 * share, [call.step for call in own], f"{share:.0%} of the calls are on its own scripts"
            )
        beside = _longest_beside(view)
        if len(beside) >= self.run:
            return present(0.75, [call.step for call in beside], f"{len(beside)} calls in a row beside the task")
        if len(own) <= 2 and len(beside) <= 2:
            return absent(0.6, "the calls are on the task")
        return unknown("some calls are on own scripts or beside the task")


def _on_own_files(view: View) -> list[Call]:
    own: set[str] = set()
    found = []
    for call in view.calls:
        own |= {name for file in call.writes if (name := file.rsplit("/", 1)[-1]) and name != view.answer_file}
        if any(name in call.text for name in own):
            found.append(call)
    return found


def _longest_beside(view: View) -> list[Call]:
    places = {part for part in re.findall(r"/[\w./-]{1,80}", view.task) if part.strip("/")}
    longest: list[Call] = []
    current: list[Call] = []
    for call in view.calls:
        on_task = (
            bool(call.kinds)
            or view.answer_file in call.text
            or "kubectl" in call.text
            or (not call.is_shell and not re.search(r"web|browse|search|fetch", call.name))
            or any(place.rstrip("/.") in call.text for place in places)
        )
        current = [] if on_task else [*current, call]
        longest = max(longest, current, key=len)
    return longest
