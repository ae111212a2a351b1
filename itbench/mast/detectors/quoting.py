"""Evidence that an answer quotes, held against all that the agent was shown: for 3.3."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from typing import Any

from itbench.mast.view import View, text_of

_FIELDS = re.compile(r"evidence|reason|quote|observation|proof", re.IGNORECASE)
_QUOTED = re.compile(
    r"`([^`\n]{4,400})`|“([^”]{4,400})”|«([^»]{4,400})»|\"([^\"\n]{4,400})\"|(?<!\w)'([^'\n]{4,400})'(?!\w)"
)
# What should be, or is not there, or was typed, is quoted too, and is no observation.
_NOT_OBSERVED = re.compile(
    r"\b(?:should|would|must|could|expected|instead of|rather than|such as|like|so-called|i\.e\."
    r"|e\.g\.|fix|correct|change to"
    r"|set to|run|running|command|no|not|without|never|lacks?|missing|absen(?:t|ce)|between|than|hypothe\w+)\W*(?:\w+\W+)?$",
    re.IGNORECASE,
)
_OPEN = re.compile(r"[<>*{}$|]|\bX\b|\bN\b")
_CUT = re.compile(r"\[?\.\.\.\]?|…|→|-+>|=>")
_DISTINCT = re.compile(r"\d|\w[-._/:=]\w")
_TOKEN = re.compile(r"\w[\w.:/@%+=-]*")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_MEASURE = re.compile(
    r"(?<![\w.,~≈≥≤<>-])(\d+(?:\.\d+)?)\s?(?:[KMG]i?B?|ms|rps|qps|req(?:uests)?/s)\b(?!\s*(?:more|less|apart|later|earlier))"
)
_ABOUT = re.compile(
    r"\b(?:about|around|roughly|nearly|almost|some|approx\w*|over|under|than|least|most|between|to|and)\W*$", re.I
)
_ESCAPES = re.compile(r"\\+[nrt]|[\s\"'`\\]+")
_UNITS = (1e3, 1e6, 1e9, 1024.0, 1024.0**2, 1024.0**3)
_SCALES = (1.0, *_UNITS, *(1 / unit for unit in _UNITS))
_LONGEST = 1_000_000
_MOST_NUMBERS = 300_000


class Shown:
    """All that the agent was shown or asked before its last answer, for comparing without white space, quotes and case."""

    def __init__(self, view: View) -> None:
        told = list(_told(view))
        self.text = squeezed("\n".join(told))
        numbers = {float(each) for text in told for each in _NUMBER.findall(text)[:_MOST_NUMBERS] if len(each) < 20}
        self._numbers = sorted(numbers)

    def holds(self, words: str) -> bool:
        """Whether a quotation stands there, its parts in any places."""
        missing = [token for token in _TOKEN.findall(words) if not self._token(token.strip(".:,"))]
        return not any(re.search(r"\d", token) for token in missing) and sum(len(token) > 3 for token in missing) < 2

    def measured(self, number: str) -> bool:
        """Whether a number stands there in any unit, or one that rounds to it."""
        value = float(number)
        kept = number.rstrip("0") if "." not in number else number
        digits = len(number.split(".")[1]) if "." in number else len(kept) - len(number)
        near = 0.5 * 10.0**-digits * (1 + 1e-9)
        for scale in _SCALES:
            place = bisect_left(self._numbers, (value - near) / scale)
            if place < len(self._numbers) and self._numbers[place] <= (value + near) / scale:
                return True
        return False

    def _token(self, token: str) -> bool:
        plain = squeezed(token)
        if plain in self.text or (_NUMBER.fullmatch(token) and self.measured(token)):
            return True
        parts = [part for part in re.split(r"[.:/=\[\]]", plain) if part]
        # The path of a setting stands in no result as such, nor does a setting with its value; an address does.
        return 2 * sum(part.isdigit() for part in parts) <= len(parts) > 1 and all(part in self.text for part in parts)


def unseen(view: View) -> tuple[list[str], list[str]]:
    """Quotations and measures in the evidence of the answer that stand in nothing that the agent was shown.

    Both are empty where the trace cannot tell: results of calls are missing, cut or pictures, others worked for the agent,
    or the words are not the agent's own but of a program that it ran.
    """
    evidence = list(_evidence(view))
    if not evidence or not _whole(view):
        return [], []
    own = squeezed("\n".join([*(call.text for call in view.calls), *(said.text for said in view.agent_sayings)]))
    shown = Shown(view)
    quotes = [quote for text in evidence for quote in _quotes(text) if squeezed(quote) in own and not shown.holds(quote)]
    measures = [
        match[0]
        for text in evidence
        for match in _MEASURE.finditer(_QUOTED.sub(" ", text))
        if not _ABOUT.search(text[: match.start()]) and squeezed(match[0]) in own and not shown.measured(match[1])
    ]
    return quotes, measures


def squeezed(text: str) -> str:
    """A text without white space, quotation marks, escapes and case; what is set by `=` or `:` is equal."""
    return _ESCAPES.sub("", text.lower()).replace("=", ":")


def _quotes(text: str) -> Iterator[str]:
    for match in _QUOTED.finditer(text):
        quote = next(filter(None, match.groups()))
        if _OPEN.search(quote) or _NOT_OBSERVED.search(text[max(0, match.start() - 40) : match.start()]):
            continue
        for part in _CUT.split(quote):
            if len(part.strip()) > 4 and (_DISTINCT.search(part) or len(part.split()) > 2):
                yield part.strip(" .,;:")


def _evidence(view: View) -> Iterator[str]:
    open_parts: list[tuple[Any, bool]] = [(view.answer, False)]
    while open_parts:
        part, wanted = open_parts.pop()
        if isinstance(part, dict):
            open_parts += [(value, wanted or bool(_FIELDS.search(str(key)))) for key, value in part.items()]
        elif isinstance(part, list):
            open_parts += [(value, wanted) for value in part]
        elif isinstance(part, str) and wanted:
            yield part


def _whole(view: View) -> bool:
    if not view.calls or view.trace.trajectory.subagent_trajectories or not all(call.answered for call in view.calls):
        return False
    contents = [result.content for step in view.steps if step.observation for result in step.observation.results]
    pictures = any(not isinstance(each, str | None) and any(part.text is None for part in each) for each in contents)
    return not pictures and all(len(text_of(each)) < _LONGEST for each in contents)


def _told(view: View) -> Iterator[str]:
    """Words of user and system, calls but those that write the answer, and results but those that read it back at last."""
    wrote = set(view.answer_writes)
    last = view.answer_writes[-1] if view.answer_writes else len(view.calls)
    read_back = {place for place in view.answer_reads if place >= last}
    yield from (saying.text for saying in view.sayings if saying.source != "agent")
    place = -1
    for step in view.steps:
        results = {each.source_call_id: each for each in (step.observation.results if step.observation else ())}
        for made in step.tool_calls or ():
            place += 1
            result = results.pop(made.tool_call_id, None)
            if place not in wrote:
                yield f"{view.calls[place].name} {view.calls[place].text}"
            if result is not None and place not in read_back:
                yield text_of(result.content)
        yield from (text_of(each.content) for each in results.values())
