"""3.2 No verification and 3.3 incorrect verification."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import dataclass
from typing import ClassVar

from itbench.mast.detectors.base import Finding, absent, present, unknown
from itbench.mast.detectors.quoting import squeezed, unseen
from itbench.mast.view import View, short_name

_FAILED = re.compile(
    r"parse error|jq: error|JSONDecodeError|Traceback \(most recent|No such file|not valid|invalid json"
    r"|Expecting (?:value|property)"
    r"|validation (?:error|failed)|missing (?:required )?(?:key|field|property)|\b(?:FAIL|FAILED)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class NoVerification:
    """3.2: after the last time that the answer is written, nothing reads it and nothing is observed any more.

    An answer that is given in words cannot be read back: then a rule cannot tell.
    """

    code: ClassVar[str] = "3.2"

    def look(self, view: View) -> Finding:
        """What it makes of a trace."""
        if not view.answer_writes:
            return unknown("no answer is written to a file")
        wrote = view.answer_writes[-1]
        if any(place >= wrote for place in view.answer_reads):
            return absent(0.8, "the answer is read back")
        if any(place > wrote and not call.writes for place, call in enumerate(view.calls)):
            return unknown("something is looked at after the answer, but not the answer")
        return present(0.9, [view.calls[wrote].step], "the answer is written, and nothing looks at it again")


@dataclass(frozen=True, slots=True)
class IncorrectVerification:
    """3.3: the last check of the answer fails and the answer stays, or it blames an entity that occurs in no observation.

    So does evidence that is quoted, or a measure with its unit, that the agent was never shown: compared without case, white
    space and quotation marks; a measure in any unit and rounded. Of a quotation, a part with a digit or two words must
    be missing everywhere. A measure alone could have been reckoned: its confidence is low.

    Whether a check that succeeds was the right one is beyond a rule, so that this one never says absent.
    """

    code: ClassVar[str] = "3.3"

    def look(self, view: View) -> Finding:
        """What it makes of a trace."""
        wrote = view.answer_writes[-1] if view.answer_writes else None
        if wrote is not None:
            checks = [view.calls[place] for place in view.answer_reads if place >= wrote]
            if checks and (checks[-1].failed or _complains(checks[-1].result, view)):
                steps = [view.calls[wrote].step, checks[-1].step]
                return present(0.85, steps, "the last check of the answer fails, and the answer stays")
        invented = _invented(view)
        if invented and view.calls:
            place = wrote if wrote is not None else len(view.calls) - 1
            return present(0.8, [view.calls[place].step], f"no observation names {invented[0][:60]}")
        quotes, measures = unseen(view)
        if quotes or measures:
            step = view.calls[-1].step if view.answer_step is None else view.answer_step
            return present(
                0.75 if quotes else 0.5, [step], f"nothing shows {(quotes or measures)[0][:80]!r}, which it quotes"
            )
        return unknown("whether a check was the right one is beyond a rule")


def _complains(result: str, view: View) -> bool:
    """Whether a check says that something is wrong; what the answer itself tells of failures does not count."""
    written = squeezed(view.trace.output or "")
    with suppress(RecursionError):
        written += squeezed(json.dumps(view.answer, ensure_ascii=False))
    return any(_FAILED.search(line) and squeezed(line) not in written for line in result.splitlines())


def _invented(view: View) -> list[str]:
    blamed = (each for each in view.answer_entities if each.get("contributing_factor") is not False)
    return [str(each["name"]) for each in blamed if (short := short_name(each).lower()) and short not in view.observed]
