"""1.2 Disobeyed roles, 2.1 reset, 2.4 withholding, 2.5 ignored input: agents among themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import ClassVar, Literal

from itbench.mast.detectors.base import SINGLE_AGENT, Finding, absent, present, sentences, unknown
from itbench.mast.detectors.intentions import announces
from itbench.mast.view import Call, Saying, View

_CLAUSE = re.compile(r"\s*(?:;|,?\s+(?:but|while|whereas|although|though)\s)\s*", re.IGNORECASE)
_FORBIDS = re.compile(
    r"\b(?:never|not|nothing|none|no|n[o']t|cannot|can't|don't|doesn't|mustn't|without|forbidden"
    r"|prohibited|barred|banned"
    r"|refrains?|avoids?|hands off|stays? (?:away|out)|keeps? (?:away|out|off)|leaves?)\b",
    re.IGNORECASE,
)
# What is forbidden only for as long as something has not happened is no limit that a rule can hold against a call.
_UNLESS = re.compile(
    r"\b(?:unless|until|except|before|first|on (?:its|his|her|their) own|alone"
    r"|without (?:\w+ ){0,3}?(?:approval|permission|consent|agreement|asking|review|confirmation"
    r"|clearance|sign-?off|ok))\b",
    re.IGNORECASE,
)
_ONLY = re.compile(
    r"\b(?:only|solely|just|merely|purely|exclusively|nothing but|no more than|(?:limited|restricted|confined) to)\b", re.I
)
_READ_ONLY = re.compile(r"\bread[- ]only\b|\bobservers?\b|\blook(?:s|ing)? but (?:not|never) touch", re.IGNORECASE)
_CHANGING = re.compile(
    r"\b(?:chang|modif|edit|fix|repair|restart|patch|appl(?:y|ies)|delet|touch|alter|deploy|redeploy|remediat|interven"
    r"|interfer|reconfigur|mutat|scal(?:e|es|ing)\b|writ(?:e|es|ing)\b|roll(?:s|ing)? back|updat)\w*",
    re.IGNORECASE,
)
_RUNNING = re.compile(
    r"\b(?:run|runs|running|execut\w*|calls?|calling|invok\w*|tools?|commands?|quer(?:y|ies|ying)"
    r"|shells?|terminals?|kubectl"
    r"|operates?)\b",
    re.IGNORECASE,
)
_TALKING = re.compile(
    r"\b(?:review|plan|discuss|coordinat|comment|delegat|advis|summar|critici[sz]|critiqu|moderat"
    r"|assess|feedback|listen"
    r"|evaluat|recommend|question|opinion)\w*",
    re.IGNORECASE,
)
_LOOKING = re.compile(r"\b(?:read|look|observ|inspect|watch|monitor|analy[sz])\w*", re.IGNORECASE)
_Limit = Literal["", "changes", "all"]


@dataclass(frozen=True, slots=True)
class DisobeyedRole:
    """1.2: an agent calls what the description of its role, among several agents, rules out.

    A role is described in sentences of the system or the user, before the work, that name the agent, and those after that
    go on with a pronoun. "Never changes …", "read-only" and "only observes …" rule out calls that change something; "never
    runs …" and "only reviews …" rule out all calls; "only Worker changes …" rules changes out for everybody else. What is
    forbidden unless something happens first is left to people.
    """

    code: ClassVar[str] = "1.2"

    def look(self, view: View) -> Finding:
        """What it makes of a trace."""
        if not view.multi:
            return SINGLE_AGENT
        described = False
        for speaker in view.speakers:
            for limit in _limits(view.task, speaker, view.speakers):
                described = True
                calls = [call for call in view.calls if call.speaker == speaker and (limit == "all" or _changes(call))]
                if calls:
                    return present(0.85, [call.step for call in calls], f"{speaker} does what its role rules out")
        return (
            absent(0.6, "the limits of roles were kept") if described else unknown("no role has limits that a rule can read")
        )


def _limits(task: str, speaker: str, speakers: tuple[str, ...]) -> Iterator[_Limit]:
    own = False
    for sentence in filter(str.strip, sentences(task)):
        others = [other for other in speakers if other and other != speaker and _name(other).search(sentence)]
        pronoun = re.match(r"\W*(?:it|you|he|she|they|its|your|his|her|their)\b", sentence, re.IGNORECASE)
        own = bool(speaker and _name(speaker).search(sentence)) or (own and bool(pronoun) and not others)
        limits = map(_limit, _CLAUSE.split(sentence)) if own else (_left_to(other, sentence) for other in others)
        yield from filter(None, limits)


def _name(speaker: str) -> re.Pattern[str]:
    return re.compile(rf"\b{re.escape(speaker).replace('_', '[_ ]')}\b", re.IGNORECASE)


def _limit(clause: str) -> _Limit:
    if _UNLESS.search(clause):
        return ""
    if _READ_ONLY.search(clause):
        return "changes"
    forbids = _FORBIDS.search(clause)
    if forbids:
        # "executes nothing": the object may be what is negated.
        around = clause if forbids[0].lower() in ("nothing", "none", "no") else clause[forbids.end() :]
        return "changes" if _CHANGING.search(around) else "all" if _RUNNING.search(around) else ""
    only = _ONLY.search(clause)
    if only is None:
        return ""
    near = clause[max(0, only.start() - 30) : only.end() + 40]
    if _CHANGING.search(near) or _RUNNING.search(near):
        return ""
    return "all" if _TALKING.search(near) else "changes" if _LOOKING.search(near) else ""


def _left_to(other: str, sentence: str) -> _Limit:
    """What everybody else may not do, where a sentence leaves it to one agent."""
    name = _name(other).pattern
    left = (
        rf"\bonly\s+(?:the\s+)?{name}|{name}\s+alone\b|\bby\s+{name}\s+only\b|\b(?:left|up|reserved)\s+(?:to|for)\s+{name}"
    )
    if not re.search(left, sentence, re.IGNORECASE):
        return ""
    return "changes" if _CHANGING.search(sentence) else "all" if _RUNNING.search(sentence) else ""


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
    r"\b(?:found|see|saw|shows?|showing|caus\w+|because|wrong|culprit|suspicious|br(?:oken?|eaks?)"
    r"|points? (?:at|to)|reveals?"
    r"|fail\w*|notice\w*|explains?|responsible|to blame|reason|root|misconfigur\w*|odd|strange"
    r"|unusual|anomal\w*|stands out"
    r"|interesting\w*|key|clearly|must be|definitely|evidence|trigger\w*|fault\w*|bad|missing"
    r"|crash\w*|oom\w*|error\w*|leak\w*"
    r"|spik\w+|jump\w*|drop\w*|chang\w+|so it (?:is|was)|turns out|confirm\w*)\b",
    re.IGNORECASE,
)
_DISMISSED = re.compile(
    r"\b(?:normal|expected|harmless|irrelevant|unrelated|fine|healthy|ok|okay|benign|red herring"
    r"|as usual|no(?:t an?)? (?:issue"
    r"|problem|concern)|not (?:the|it|related|relevant)|nothing (?:odd|wrong|unusual)|can be ignored"
    r"|rule[sd]? (?:\w+ )?out)\b",
    re.IGNORECASE,
)
_TELLING_TOOL = re.compile(
    r"send|messag|tell|report|note|post|share|hand_?off|transfer|reply|notif|publish|board|memory", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Withholding:
    """2.4: a finding with a distinct name stays in an agent's private reasoning, while others speak after it.

    Needs reasoning in the trace. A finding is a sentence that says something of a name which only this incident has, and
    neither dismisses it nor plans to look at it. Whatever anybody says of it aloud, or this agent sends by a tool, within
    `turns` turns of this agent was not withheld.
    """

    code: ClassVar[str] = "2.4"
    turns: int = 2

    def look(self, view: View) -> Finding:
        """What it makes of a trace."""
        if not view.multi:
            return SINGLE_AGENT
        for number, saying in enumerate(view.agent_sayings):
            names = _findings(saying.thought) if saying.text else frozenset()
            if not names:
                continue
            public = " ".join(each.text for each in view.sayings if each.step < saying.step).lower()
            names = frozenset(name for name in names if name not in public)
            later = view.agent_sayings[number + 1 :]
            others = [each for each in later if each.speaker != saying.speaker and each.text]
            if names and others and not any(name in _told(view, saying, later, self.turns) for name in names):
                return present(0.75, [saying.step, others[0].step], f"{saying.speaker} keeps {min(names)} to itself")
        return unknown("what an agent knew and did not say is beyond a rule")


def _findings(thought: str) -> frozenset[str]:
    """The distinct names of which a thought states something."""
    said = sentences(thought)
    stated = [
        sentence
        for sentence, following in zip_longest(said, said[1:], fillvalue="")
        if _FOUND.search(sentence) and not _DISMISSED.search(f"{sentence} {following}") and not announces(sentence)
    ]
    return frozenset(name.lower() for sentence in stated for name in _DISTINCT.findall(sentence))


def _told(view: View, saying: Saying, later: list[Saying], turns: int) -> str:
    """What is said aloud from here on until the agent has had some more turns, and what it sends by tools."""
    own = [each.step for each in later if each.speaker == saying.speaker][:turns]
    last = own[-1] if len(own) == turns else view.agent_sayings[-1].step
    aloud = [saying.text, *(each.text for each in later if each.step <= last)]
    sent = [
        call.text
        for call in view.calls
        if saying.step <= call.step <= last and call.speaker == saying.speaker and _TELLING_TOOL.search(call.name)
    ]
    return " ".join([*aloud, *sent]).lower()


_REQUEST = re.compile(
    r"\b(?:please|should|could you|can you|would you|must|ha(?:s|ve) to|needs? to|ought to|try|check"
    r"|look at|have a look"
    r"|make sure|I suggest|suggestion|propose|recommend|advise|why (?:don't|not)|let's have|would|might want|consider"
    r"|how about|what about|worth|better|want you to|your turn|go and|before going on|I'd like|I would like)\b",
    re.IGNORECASE,
)
# After a name and a comma these begin no order.
_NO_ORDER = frozenset(
    "i we you he she it they the a an this that these those there here my our your his her its their and or but so as if"
    " what which who when where why how is are was were be been has have had do does did not no yes ok okay good great nice"
    " well thanks thank sorry agreed right exactly indeed sure very too also both all some one".split()
)
_SETTLED = re.compile(
    r"\bthank|\bwell done|\b(?:good|great|nice) (?:work|job|point|catch|find)|\bagree|\byou(?:'re"
    r"| are| were) right|\bas you said",
    re.IGNORECASE,
)
_ACCEPT = re.compile(
    r"\b(?:because|since|no|not|already|before|earlier|instead|rather|later|first|then|once|after"
    r"|agreed?|disagree|good point"
    r"|right|ok(?:ay)?|done|thanks?|sure|yes|as (?:you|requested|asked|suggested)|will do|covered"
    r"|skip\w*|wait\w*|can't|cannot"
    r"|won't|don't|doesn't|reason|priority|noted|understood|will get to|busy)\b",
    re.IGNORECASE,
)
_PLAIN = frozenset(
    "please should could would check look make sure suggest recommend first next then that this with from have your before"
    " after about there their what which need must going into once only also more these those them they will consider"
    " propose advise better worth might want like turn some going service data again".split()
)


@dataclass(frozen=True, slots=True)
class IgnoredInput:
    """2.5: an agent is asked by name to do something, and in its next `turns` turns neither does nor mentions any of it.

    A request is a sentence that names the agent and asks, proposes or orders. It is passed over only by turns that go on
    with something else: by a call, or by the announcement of one. Words without either are an answer, and so are a
    question back, and anything that agrees, declines, or gives a reason or an order of things.
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
    for sentence in sentences(saying.text):
        if _name(speaker).search(sentence) and not _SETTLED.search(sentence) and _asks(sentence, _name(speaker).pattern):
            named = {speaker.lower(), *re.split(r"[_ ]", speaker.lower())}
            return set(re.findall(r"[a-z][\w-]{3,}", sentence.lower())) - _PLAIN - named
    return set()


def _asks(sentence: str, name: str) -> bool:
    if re.search(rf"{name}\s+(?:has|had|have|already|did|was|were|just)\b", sentence, re.IGNORECASE):
        return False
    if _REQUEST.search(sentence):
        return True
    order = re.match(rf"\W*{name}\s*(?:,|:|–|—|\s-)\s*(\w+)", sentence, re.IGNORECASE)
    return order is not None and order[1].lower() not in _NO_ORDER and not order[1].lower().endswith(("ing", "ed"))


def _answers(view: View, turn: Saying, wanted: set[str]) -> bool:
    calls = [call for call in view.calls if call.step == turn.step]
    did = " ".join([turn.text, *(call.text + call.name for call in calls)]).lower()
    in_words = bool(turn.text) and not calls and not announces(turn.text)
    return in_words or "?" in turn.text or any(word in did for word in wanted) or bool(_ACCEPT.search(turn.text))
