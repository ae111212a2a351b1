"""What a model's answer is worth: each mode counts only as far as it keeps the form, and its quotes stand in the trace.

Silence is unknown. A mode that is missing, an answer that is cut, refused or no JSON, a quote that nobody said: unknown.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from itbench.mast.llm.parts import Part
from itbench.model.mast import VERDICTS, Quote, Verdict
from itbench.scoring.strict_json import JsonError, parse_json

_SHORTEST_QUOTE = 12
_MOST_QUOTES, _LONGEST_QUOTE, _LONGEST_REASON, _LONGEST_ANSWER = 10, 2_000, 600, 400_000
_FENCE = re.compile(r"\A\s*```(?:json)?[ \t]*\n(.*?)\n?```\s*\Z", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ModeVote:
    """One vote on one mode, in one part or in the whole trace."""

    verdict: Verdict
    reason: str
    quotes: tuple[Quote, ...] = ()


def silent(reason: str, codes: Sequence[str]) -> dict[str, ModeVote]:
    """The vote of somebody who says nothing that counts."""
    return {code: ModeVote("unknown", reason) for code in codes}


def read_votes(text: str, part: Part, codes: Sequence[str]) -> dict[str, ModeVote]:
    """The vote on each mode. Never raises: what is wrong is unknown, and says why."""
    if len(text) > _LONGEST_ANSWER:
        return silent("the answer is too long to be one", codes)
    fenced = _FENCE.match(text)
    try:
        document: Any = parse_json(fenced[1] if fenced else text)
    except JsonError as error:
        return silent(f"the answer cannot be read: {error.message}", codes)
    rows = document.get("modes") if isinstance(document, dict) else None
    if not isinstance(rows, list):
        return silent("the answer is not of the form that was asked for", codes)
    given: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        if isinstance(row, dict) and isinstance(row.get("code"), str):
            given.setdefault(row["code"], []).append(row)
    return {code: _vote(given.get(code, []), part) for code in codes}


def _vote(rows: list[dict[str, Any]], part: Part) -> ModeVote:
    if len(rows) != 1:
        return ModeVote("unknown", "the answer does not speak of it" if not rows else "the answer speaks of it twice")
    row = rows[0]
    verdict, reason = row.get("verdict"), str(row.get("reason") or "")[:_LONGEST_REASON]
    if verdict not in VERDICTS:
        return ModeVote("unknown", f"{str(verdict)[:40]!r} is no verdict")
    quotes = tuple(filter(None, (_checked(each, part) for each in _listed(row.get("quotes")))))
    if verdict == "present" and not quotes:
        return ModeVote("unknown", f"present, but nothing that it quotes stands in the trace ({reason})"[:_LONGEST_REASON])
    return ModeVote(verdict, reason, quotes)


def _listed(value: object) -> list[object]:
    return value[:_MOST_QUOTES] if isinstance(value, list) else []


def _checked(given: object, part: Part) -> Quote | None:
    """The quote with the step where it stands: the one that is named, or another one of the part."""
    if not isinstance(given, dict) or not isinstance(given.get("text"), str):
        return None
    text = _plain(given["text"])
    if not _SHORTEST_QUOTE <= len(text) <= _LONGEST_QUOTE:
        return None
    named = given.get("step")
    first = [named] if isinstance(named, int) and named in part.words else []
    step = next((step for step in [*first, *part.words] if text in _plain(part.words[step])), None)
    return None if step is None else Quote(step=step, text=text)


def _plain(text: str) -> str:
    return " ".join(text.split())


def over_parts(votes: Sequence[dict[str, ModeVote]], codes: Sequence[str], *, whole: bool) -> dict[str, ModeVote]:
    """One vote on the whole trace: present where a part shows it, absent only where no part leaves it open."""
    return {code: _joined([vote[code] for vote in votes], whole=whole) for code in codes}


def _joined(votes: Sequence[ModeVote], *, whole: bool) -> ModeVote:
    shown = [vote for vote in votes if vote.verdict == "present"]
    if shown:
        quotes = tuple(quote for vote in shown for quote in vote.quotes)[:_MOST_QUOTES]
        return ModeVote("present", shown[0].reason, quotes)
    unknown = [vote for vote in votes if vote.verdict == "unknown"]
    if unknown or not votes:
        return ModeVote("unknown", unknown[0].reason if unknown else "there is nothing to read")
    absent = [vote for vote in votes if vote.verdict == "absent"]
    if absent and not whole:
        return ModeVote("unknown", "the trace is too long to be read whole")
    return absent[0] if absent else votes[0]


def majority(votes: Sequence[ModeVote]) -> tuple[ModeVote, float]:
    """What more than half of the votes say, with their share; unknown where there is no such majority."""
    counts = Counter(vote.verdict for vote in votes)
    most, times = counts.most_common(1)[0]
    told = ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common())
    if 2 * times <= len(votes):
        return ModeVote("unknown", f"the votes differ: {told}"), 0.0
    agreeing = [vote for vote in votes if vote.verdict == most]
    quotes = tuple(dict.fromkeys(quote for vote in agreeing for quote in vote.quotes))[:_MOST_QUOTES]
    reason = agreeing[0].reason + ("" if len(counts) == 1 else f" ({told})")
    return ModeVote(most, reason, quotes), 0.0 if most == "unknown" else times / len(votes)
