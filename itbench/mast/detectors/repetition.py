"""1.3 Step repetition and 1.4 loss of history: doing again what was done."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import ClassVar

from itbench.mast.detectors.base import Finding, absent, present, unknown
from itbench.mast.detectors.claims import contradictions
from itbench.mast.view import Call, View


@dataclass(frozen=True, slots=True)
class Repetition:
    """1.3: the same call with the same result `times` times, or `redundant` calls in all that brought nothing new.

    A stretch ends where something is changed, a user speaks or the history is compacted: asking again is then in order.
    Calls are equal if name and arguments are, but for white space and paging; results are equal but for times of day.
    Without calls, it is the same message of 40 characters or more by the same agent, `times` times.
    """

    code: ClassVar[str] = "1.3"
    times: int = 3
    redundant: int = 4

    def look(self, view: View) -> Finding:
        """What it makes of a trace."""
        if not view.calls:
            return self._messages(view)
        for stretch in _stretches(view):
            groups: dict[tuple[str, str], list[Call]] = defaultdict(list)
            for call in stretch:
                groups[call.key, call.outcome].append(call)
            most = max(groups.values(), key=len, default=[])
            again = [call for group in groups.values() for call in group[1:]]
            if len(most) >= self.times:
                return present(0.6 + 0.1 * len(most), [call.step for call in most], f"{len(most)} times {most[0].key[:80]}")
            if len(again) >= self.redundant:
                return present(0.7, [call.step for call in again], f"{len(again)} calls bring what is known")
        near = _nearly_equal(view.calls)
        if near >= self.times:
            return unknown(f"{near} calls differ in little; a rule cannot tell whether that was needed")
        return absent(0.7, "no call brings the same result again and again")

    def _messages(self, view: View) -> Finding:
        said: dict[tuple[str, str], list[int]] = defaultdict(list)
        for saying in view.agent_sayings:
            if len(saying.text) >= 40:
                said[saying.speaker, " ".join(saying.text.lower().split())].append(saying.step)
        most = max(said.values(), key=len, default=[])
        if len(most) >= self.times:
            return present(0.6 + 0.1 * len(most), most, f"the same message {len(most)} times")
        return unknown("there are no calls to compare")


def _stretches(view: View) -> list[list[Call]]:
    breaks = set(view.compactions) | {saying.step for saying in view.sayings if saying.source == "user"}
    stretches: list[list[Call]] = [[]]
    last = 0
    for call in view.calls:
        if any(last < step <= call.step for step in breaks):
            stretches.append([])
        last = call.step
        if call.changes or call.writes:
            stretches.append([])
        else:
            stretches[-1].append(call)
    return stretches


def _nearly_equal(calls: list[Call]) -> int:
    """The most calls of one tool that share nine tenths of their words."""
    largest = 0
    for index, call in enumerate(calls[:200]):
        words = set(call.key.split())
        close = [
            other
            for other in calls[index + 1 : index + 30]
            if other.name == call.name
            and other.key != call.key
            and len(words & (have := set(other.key.split()))) >= 0.9 * len(words | have)
        ]
        largest = max(largest, len(close) + 1 if close else 0)
    return largest


_LOST = re.compile(
    r"(?:do not|don't|no longer|cannot|can't|unable to|not able to|have no)\s+(?:\w+\s+){0,2}?"
    r"(?:(?:know|remember|recall|see|find)\s+(?:which|what|where|how|any|anything|the|my|our)|memory|record|recollection)\b"
    r"[^.\n]{0,70}?(?:task|asked|goal|objective|alerts?|earlier|previous|before|so far|history|context|done|found|were|was)"
    r"|what (?:is|was|were) (?:the|my|our) (?:task|goal|objective|instructions?|assignment)"
    r"|lost (?:the |my |our |all )?(?:\w+ )?(?:context|track|history|thread|notes|memory)"
    r"|(?:have|has) (?:forgotten|lost)\b"
    r"|(?:start|begin|starting|beginning) (?:over|again|afresh|anew|from scratch)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class LossOfHistory:
    """1.4: after a compaction the agent says that it does not know its task or findings, or asks `again` known things again.

    What it asks among its first `soon` calls after the compaction counts. Without a compaction, only the words count,
    and only once something was found out. An agent that blames what it had ruled out counts if nothing new was seen and no
    word of correction said: experimental, of confidence `unsure`. Other statements on one entity that exclude each other
    make it unknown, at their steps: people correct themselves in more words than a rule knows.
    """

    code: ClassVar[str] = "1.4"
    again: int = 2
    soon: int = 6
    unsure: float = 0.5

    def look(self, view: View) -> Finding:
        """What it makes of a trace."""
        for step in view.compactions:
            known = {call.key for call in view.calls if call.step < step and call.answered}
            after = [call for call in view.calls if call.step > step][: self.soon]
            asked = [call.step for call in after if call.key in known]
            lost = [saying.step for saying in view.agent_sayings if saying.step > step and _says_lost(saying.text)][:1]
            if lost or len(asked) >= self.again:
                confidence = 0.95 if lost and asked else 0.85
                return present(confidence, [step, *lost, *asked], "after a compaction, what was known is asked again")
        first = view.calls[0].step if view.calls else None
        lost = [saying.step for saying in view.agent_sayings if first and saying.step > first and _says_lost(saying.text)]
        if lost and not view.compactions:
            return present(0.7, lost, "the agent says that it does not know what it knew")
        against = list(contradictions(view))
        for earlier, later in against:
            if later.about == "cause":
                reason = f"it blames {later.entity[:60]}, which it had ruled out, with nothing new"
                return present(self.unsure, [earlier.step, later.step], reason)
        if against:
            earlier, later = against[0]
            reason = f"two statements on the {later.about} of {later.entity[:60]} differ; a rule may not know a correction"
            return Finding("unknown", 0.0, (earlier.step, later.step), reason)
        if view.compactions:
            return absent(0.7, "the history was compacted, and work goes on")
        return absent(0.6, "no sign that the history was cut") if view.calls else unknown("there is no history to lose")


def _says_lost(text: str) -> bool:
    return bool(_LOST.search(text))
