"""What an agent says that it found out, and where it speaks against itself without a reason: for 1.4."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from itbench.mast.commands import kinds_in
from itbench.mast.detectors.base import mention, sentences
from itbench.mast.view import Saying, View, short_name

_CLOSED = re.compile(
    r"\brul(?:ed?|es|ing) (?:\w+ ){0,2}?out\b|\bexclud\w+|\beliminat\w+|\bdismiss\w*|\bdiscard\w*|\bclear(?:ed|s)\b"
    r"|\bexonerat\w+|\bdead end\b|\bnothing to do with\b|\boff (?:the|my) list\b|\b(?:innocent|unrelated|blameless)\b",
    re.IGNORECASE,
)
_NOT_IT = re.compile(
    r"\b(?:not|isn't|wasn't|never) (?!only|just|merely|alone|the only|the sole)(?:\w+ ){0,3}?"
    r"(?:cause|culprit|source|origin|to blame|responsible|involved|guilty|suspect)",
    re.IGNORECASE,
)
_NEGATED = re.compile(
    r"\b(?:not|\w+n't|cannot|never|nor|no longer|too (?:early|soon|fast|quickly)|hast(?:y|ily))\b", re.IGNORECASE
)
_BLAMED = re.compile(
    r"\b(?:is|was|are|must be|has to be|remains)\b[^.,]{0,30}\b(?:causes?|culprit|source|origin|to blame|responsible"
    r"|misconfigured)\b"
    r"|\b(?:root )?cause (?:is|lies|sits|must)|\b(?:explains|caused|causes) (?:the|all|it|this|everything)"
    r"|\b(?:leads?|goes?|points?|traces?|comes?) (?:\w+ ){0,2}?(?:to|from)\b|\bsuspect\b|\bhypothesis is\b|\bblame\b",
    re.IGNORECASE,
)
_FINE = r"(?:healthy|fine|normal|ok|running|ready|stable|unaffected)"
_BAD = r"(?:unhealthy|down|failing|broken|crashing|crash-?looping|not ready|unavailable|degraded|restarting)"
_HEALTH = re.compile(
    rf"\b(?:is|are|was|were|looks?|seems?|stays?)\s+(?:(?P<no>not)\s+)?(?:\w+ly\s+)?(?:(?P<fine>{_FINE})|(?P<bad>{_BAD}))\b",
    re.I,
)
_ATTRIBUTE = re.compile(
    r"\b(replicas?|restarts?|memory limit|cpu limit|memory request|port|version|image tag|endpoints?|time-?out|pool size)\b",
    re.I,
)
_VALUE = re.compile(r"(?<![\w.-])v?(\d+(?:\.\d+)*)\s?(?:[kmg]i?b?|m?s)?(?![\w-])", re.IGNORECASE)
_HEDGED = re.compile(
    r"\?|\b(?:if|whether|may|might|could|perhaps|maybe|unless|would|should|let me|I will|I'll|next)\b", re.I
)
# Words with which people correct themselves or bring something new. They are common: a rule that honours them all
# misses some contradictions, and invents few.
_REVISED = re.compile(
    r"\b(?:because|but|however|although|though|despite|contrary|correct\w*|revis\w+|reconsider\w*|reopen\w*|wrong\w*|mistak\w+"
    r"|earlier|previous\w*|before|turn(?:s|ed) out|second thoughts?|actually|after all|new|newer"
    r"|now|no longer|instead|changed (?:my|since)|change of mind"
    r"|overlooked|missed|updat\w+|in fact|yet|still|since|again|back to|misread"
    r"|in hindsight|closer|except|retract|withdraw|sorry"
    r"|recovered|became|went|scaled|once)\b",
    re.IGNORECASE,
)
_NO_NAME = frozenset(
    "the this that these those which what everything nothing something service services deployment cluster pod pods node"
    " nodes container containers system"
    " application traffic cause root answer task data state status change error errors".split()
)


@dataclass(frozen=True, slots=True)
class Claim:
    """One statement about one entity. `about` is cause, health or an attribute such as replicas."""

    step: int
    speaker: str
    entity: str
    about: str
    value: str
    revised: bool


def contradictions(view: View) -> Iterator[tuple[Claim, Claim]]:
    """Statements of one agent that exclude each other, in pairs, with nothing said or seen in between that could explain it.

    A statement is about the only entity of its sentence that the agent also named in a call: that it is healthy or
    failing, how large an attribute is, that it is ruled out as a cause or is the cause. Guesses and questions are none.
    """
    claims = list(_claims(view))
    for number, later in enumerate(claims):
        if later.revised:
            continue
        for earlier in claims[:number]:
            if not _alike(earlier, later) or earlier.value == later.value or earlier.step >= later.step:
                continue
            if later.about == "cause" and later.value == "no":
                continue  # to close what was suspected is how it should be
            if earlier.revised and any(_alike(each, earlier) and each.step < earlier.step for each in claims):
                continue  # itself a correction of a statement before
            if not _something_new(view, earlier, later):
                yield earlier, later


def _alike(one: Claim, other: Claim) -> bool:
    return (one.speaker, one.entity, one.about) == (other.speaker, other.entity, other.about)


def _claims(view: View) -> Iterator[Claim]:
    names = _names(view)
    if not names:
        return
    for saying in view.agent_sayings:
        for sentence in sentences(saying.text):
            mentioned = sorted(names & set(re.findall(r"[a-z][\w-]{2,60}", sentence.lower())))
            if len(mentioned) == 1 and not _HEDGED.search(sentence):
                yield from _in_sentence(saying, mentioned[0], sentence)
    yield from _answered(view, names)


def _in_sentence(saying: Saying, entity: str, sentence: str) -> Iterator[Claim]:
    revised = bool(_REVISED.search(saying.text))

    def claim(about: str, value: str) -> Claim:
        return Claim(saying.step, saying.speaker, entity, about, value, revised)

    closed = _NOT_IT.search(sentence) or (_CLOSED.search(sentence) and not _NEGATED.search(sentence))
    if closed:
        if _is_subject(entity, sentence):
            yield claim("cause", "no")
    elif _BLAMED.search(sentence) and not re.search(r"\b(?:not|no|never|n't)\b", sentence):
        yield claim("cause", "yes")
    if health := _HEALTH.search(sentence):
        yield claim("health", "fine" if bool(health["fine"]) != bool(health["no"]) else "bad")
    attributes, values = _ATTRIBUTE.findall(sentence), _VALUE.findall(re.sub(r"\b\d\d?:\d\d(?::\d\d)?\b", "", sentence))
    if len(attributes) == 1 and len(values) == 1:
        yield claim(attributes[0].lower().rstrip("s").replace("-", ""), values[0])


def _is_subject(entity: str, sentence: str) -> bool:
    """Whether a sentence is about an entity as a whole, and not about its memory or what happens in it."""
    name = rf"(?<![\w-]){re.escape(entity)}"
    part = rf"\b(?:of|in|on|at|for|by|from|inside|within)\s+(?:the\s+)?{name}(?![\w-])"
    goes_on = r"\s*(?:[,.;:]|$|\b(?:is|was|has|had|can|were|as|from|that|which)\b)"
    whole = rf"{name}(?:\s+(?:service|deployment|pods?|itself|too))?{goes_on}"
    return re.search(whole, sentence, re.IGNORECASE) is not None and re.search(part, sentence, re.IGNORECASE) is None


def _answered(view: View, names: frozenset[str]) -> Iterator[Claim]:
    """What the answer blames, as statements of whoever wrote it."""
    said = next((each for each in view.agent_sayings if each.step == view.answer_step), None)
    if said is None:
        return
    for each in view.answer_entities:
        name = short_name(each).lower()
        if each.get("contributing_factor") is True and name in names:
            revised = bool(_REVISED.search(f"{said.text} {each.get('reasoning', '')}"))
            yield Claim(said.step, said.speaker, name, "cause", "yes", revised)


def _names(view: View) -> frozenset[str]:
    """What is known to be an entity: words that the agent asked about and that results repeat."""
    words: set[str] = set()
    for call in view.calls:
        if not call.writes:
            result = call.result.lower()
            asked = set(re.findall(r"(?<![\w/.-])[a-z][\w-]{2,60}(?![\w/.])", call.text.lower()))
            words |= {word for word in asked if word in result and not kinds_in(word)}
    return frozenset(words - _NO_NAME)


def _something_new(view: View, earlier: Claim, later: Claim) -> bool:
    """Whether between two statements the entity was looked at with a new result, changed, or spoken of by others."""
    name = mention(earlier.entity)
    known = {(call.key, call.outcome) for call in view.calls if call.step < earlier.step}
    own = {*view.answer_writes, *view.answer_reads}
    for place, call in enumerate(view.calls):
        if earlier.step <= call.step < later.step and place not in own:
            names_it = name.search(call.text) or name.search(call.result)
            if call.changes or call.cut or not call.answered or (names_it and (call.key, call.outcome) not in known):
                return True
    between = (each for each in view.sayings if earlier.step < each.step < later.step)
    others = (each for each in between if each.source == "user" or each.speaker != earlier.speaker)
    if any(name.search(each.text) for each in others if each.step not in view.compactions):
        return True
    # A correction that is said in between, before the statement is made.
    return any(
        name.search(each.text) and _REVISED.search(each.text)
        for each in view.agent_sayings
        if earlier.step < each.step < later.step and each.speaker == earlier.speaker
    )
