"""1.2 Disobeyed roles, 2.1 reset, 2.4 withholding, 2.5 ignored input: agents among themselves."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from itbench.mast.detectors.base import SINGLE_AGENT, Finding, absent, present, unknown
from itbench.mast.view import Call, Saying, View

_SENTENCE = re.compile(r"(?<=[.!?;])\s+|\n+")
_FORBIDS = re.compile(
    r"\b(?:never|must not|may not|do(?:es)? not|don't|doesn't|cannot|can't|not (?:allowed|permitted) to|no)\b", re.I
)
_ONLY = re.compile(r"\b(?:only|solely|nothing but|merely)\b", re.IGNORECASE)
_CHANGING = re.compile(r"\b(?:chang|modif|edit|writ|fix|repair|restart|patch|appl|delet|scal|touch)\w*", re.IGNORECASE)
_RUNNING = re.compile(r"\b(?:run|execut|call|us(?:e|es|ing) tools?|tools?|commands?|quer)\w*", re.IGNORECASE)
_TALKING = re.compile(
    r"\b(?:review|plan|discuss|coordinat|comment|delegat|advis|summar|critici[sz]|moderat)\w*", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class DisobeyedRole:
    """1.2: an agent calls what the description of its role, among several agents, rules out.

    A role is described in sentences of the system or the user, before the work, that name the agent, and the one after.
    "Never changes …" rules out calls that change something, "never runs …" and "only reviews …" rule out all calls.
    """

    code: ClassVar[str] = "1.2"

    def look(self, view: View) -> Finding:
        """What it makes of a trace."""
        if not view.multi:
            return SINGLE_AGENT
        described = False
        for speaker in view.speakers:
            for sentence in _about(view.task, speaker):
                limit = _limit(sentence)
                if not limit:
                    continue
                described = True
                calls = [call for call in view.calls if call.speaker == speaker and (limit == "all" or _changes(call))]
                if calls:
                    return present(0.85, [call.step for call in calls], f"{speaker} does what its role rules out")
        return (
            absent(0.6, "the limits of roles were kept") if described else unknown("no role has limits that a rule can read")
        )


def _about(task: str, speaker: str) -> list[str]:
    sentences = [sentence for sentence in _SENTENCE.split(task) if sentence.strip()]
    name = re.compile(rf"\b{re.escape(speaker.replace('_', ' '))}\b", re.IGNORECASE)
    named = [number for number, sentence in enumerate(sentences) if speaker and name.search(sentence.replace("_", " "))]
    follow = [
        n + 1 for n in named if n + 1 < len(sentences) and re.match(r"(?:it|you|he|she|they)\b", sentences[n + 1], re.I)
    ]
    return [sentences[number] for number in sorted({*named, *follow})]


def _limit(sentence: str) -> str:
    forbids = _FORBIDS.search(sentence)
    if forbids:
        rest = sentence[forbids.end() :]
        return "changes" if _CHANGING.search(rest) else "all" if _RUNNING.search(rest) else ""
    only = _ONLY.search(sentence)
    if not only:
        return ""
    near = sentence[max(0, only.start() - 30) : only.end() + 40]
    return "all" if _TALKING.search(near) and not _CHANGING.search(near) and not _RUNNING.search(near) else ""


def _changes(call: Call) -> bool:
    return call.changes or bool(call.writes)


@dataclass(frozen=True, slots=True)
class Reset:
    """2.1: the opening is given again half-way, and an agent says or does again what it began with.

    The opening is the first message of the user of five words or more. It is given again if a later one shares `alike`
    of its words.
    """

    code: ClassVar[str] = "2.1"
    alike: float = 0.8

    def look(self, view: View) -> Finding:
        """What it makes of a trace."""
        opening = next((each for each in view.sayings if each.source == "user" and len(each.text.split()) >= 5), None)
        if opening is None or not view.agent_sayings:
            return unknown("there is no opening to compare with")
        first = view.agent_sayings[0]
        for again in view.sayings:
            worked = sum(saying.step < again.step for saying in view.agent_sayings) >= 2
            if not (again.source == "user" and again.step > first.step and worked and self._like(opening.text, again.text)):
                continue
            redone = [
                saying.step
                for saying in view.agent_sayings
                if saying.step > again.step and self._redoes(view, first, saying)
            ]
            if redone:
                return present(0.9, [again.step, redone[0]], "the opening comes again, and work begins anew")
        return absent(0.7, "the opening comes once")

    def _like(self, one: str, other: str) -> bool:
        a, b = set(one.lower().split()), set(other.lower().split())
        return bool(a and b) and len(a & b) >= self.alike * len(a | b)

    def _redoes(self, view: View, first: Saying, later: Saying) -> bool:
        if later.speaker == first.speaker and len(first.text.split()) >= 4 and self._like(first.text, later.text):
            return True
        begun = {call.key for call in view.calls if call.step == first.step}
        return any(call.step == later.step and call.key in begun for call in view.calls)


# A word that only this incident has: with a digit, hyphen, slash, dot or underscore within it.
_DISTINCT = re.compile(r"\b(?=[\w./:-]{0,60}[\d/_:-])[a-zA-Z][\w./:-]{3,60}\w")
_FOUND = re.compile(
    r"\b(?:found|see|saw|shows?|cause|caused|because|wrong|culprit|suspicious|broken|points? at|reveals?|fails?"
    r"|notice\w*)\b",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Withholding:
    """2.4: a finding with a distinct name stays in an agent's private reasoning, while others speak after it.

    Needs reasoning in the trace. Whatever is told to the others within `turns` turns of this agent was not withheld.
    """

    code: ClassVar[str] = "2.4"
    turns: int = 2

    def look(self, view: View) -> Finding:
        """What it makes of a trace."""
        if not view.multi:
            return SINGLE_AGENT
        for number, saying in enumerate(view.agent_sayings):
            if not saying.thought or not _FOUND.search(saying.thought):
                continue
            names = {name.lower() for name in _DISTINCT.findall(saying.thought)}
            public = " ".join(each.text for each in view.sayings if each.step < saying.step).lower()
            names = {name for name in names if name not in public}
            later = view.agent_sayings[number + 1 :]
            others = [each for each in later if each.speaker != saying.speaker and each.text]
            own = [saying, *[each for each in later if each.speaker == saying.speaker][: self.turns]]
            told = " ".join(each.text for each in own).lower()
            if names and others and saying.text and not any(name in told for name in names):
                return present(0.75, [saying.step, others[0].step], f"{saying.speaker} keeps {sorted(names)[0]} to itself")
        return unknown("what an agent knew and did not say is beyond a rule")


_REQUEST = re.compile(
    r"\b(?:please|should|could you|can you|must|need to|try|check|look at|have a look|make sure|I suggest"
    r"|suggestion|recommend|why don't you)\b",
    re.IGNORECASE,
)
_ACCEPT = re.compile(
    r"\b(?:because|no need|already|not needed|instead|agree|disagree|good point|right|ok(?:ay)?|done|thanks?)\b", re.I
)
_PLAIN = frozenset(
    "please should could would check look make sure suggest recommend first next then that this with from have your before"
    " after about there their what which need must going into once only also more these those them they will".split()
)


@dataclass(frozen=True, slots=True)
class IgnoredInput:
    """2.5: an agent is asked by name to do something, and in its next `turns` turns neither does nor mentions any of it.

    Declining with a reason, or agreeing, is an answer.
    """

    code: ClassVar[str] = "2.5"
    turns: int = 2

    def look(self, view: View) -> Finding:
        """What it makes of a trace."""
        if not view.multi:
            return SINGLE_AGENT
        asked = 0
        for number, saying in enumerate(view.agent_sayings):
            for speaker in view.speakers:
                wanted = _wanted(saying, speaker)
                if not wanted:
                    continue
                asked += 1
                turns = [each for each in view.agent_sayings[number + 1 :] if each.speaker == speaker][: self.turns]
                if turns and not any(_answers(view, turn, wanted) for turn in turns):
                    steps = [saying.step, *(turn.step for turn in turns)]
                    return present(0.8, steps, f"{speaker} goes on without a word about what {saying.speaker} asked for")
        return absent(0.6, f"{asked} requests were answered") if asked else unknown("nobody is asked by name")


def _wanted(saying: Saying, speaker: str) -> set[str]:
    """The words of a request to a speaker; empty where there is none."""
    if not speaker or saying.speaker == speaker:
        return set()
    for sentence in _SENTENCE.split(saying.text):
        if re.search(rf"\b{re.escape(speaker)}\b", sentence, re.IGNORECASE) and _REQUEST.search(sentence):
            return set(re.findall(r"[a-z][\w-]{3,}", sentence.lower())) - _PLAIN - {speaker.lower()}
    return set()


def _answers(view: View, turn: Saying, wanted: set[str]) -> bool:
    did = " ".join([turn.text, *(call.text + call.name for call in view.calls if call.step == turn.step)]).lower()
    return any(word in did for word in wanted) or bool(_ACCEPT.search(turn.text))
