"""1.5 Unaware of termination and 3.1 premature termination: stopping too late or too early."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from itbench.mast.detectors.base import Finding, absent, present, unknown
from itbench.mast.detectors.intentions import announces
from itbench.mast.detectors.untested import unread_alerts, untested
from itbench.mast.view import View

_DONE = re.compile(
    r"\bTERMINATE\b|\b(?:task|investigation|incident|analysis|work|problem)\b[^.\n]{0,30}\b(?:is|has been|was)\s+(?:now\s+)?"
    r"(?:complete|completed|done|finished|solved|resolved|closed)\b|\bfinal answer\b"
    r"|\bnothing (?:more|else|further) (?:is )?(?:left )?to do\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class UnawareOfTermination:
    """1.5: `trailing` calls or more after the answer stood and was read back, none of which changes it.

    After an answer that was never read back, it takes `unread`. In a conversation without an answer file it is
    `turns` turns after the work was declared done. A trial that used up its budget with an answer in hand counts too,
    and one that was told to answer because its budget was spent.
    """

    code: ClassVar[str] = "1.5"
    trailing: int = 4
    unread: int = 7
    turns: int = 5

    def look(self, view: View) -> Finding:
        """What it makes of a trace."""
        if view.answer_writes:
            return self._after_answer(view)
        if view.budget_told is not None:
            return present(0.8, [view.budget_told], "it had to be told to answer, because its budget was spent")
        if view.replied_answer is not None:
            return absent(0.8, "it ends with its answer")
        done = next((saying.step for saying in view.agent_sayings if _DONE.search(saying.text)), None)
        if done is None:
            return unknown("nothing tells when it could have stopped")
        later = [saying.step for saying in view.agent_sayings if saying.step > done]
        if len(later) >= self.turns:
            return present(0.6 + 0.03 * len(later), [done, *later], f"{len(later)} turns after it was declared done")
        return absent(0.7, "it ends soon after it is declared done") if len(later) <= 2 else unknown("a few turns more")

    def _after_answer(self, view: View) -> Finding:
        wrote = view.answer_writes[-1]
        read = next((place for place in view.answer_reads if place >= wrote), None)
        stood = wrote if read is None else read
        later = [call.step for place, call in enumerate(view.calls) if place > stood and place not in view.answer_reads]
        if len(later) >= (self.unread if read is None else self.trailing):
            steps = [view.calls[stood].step, *later]
            return present(0.65 + 0.05 * len(later), steps, f"{len(later)} calls after the answer stood")
        if view.trace.info.cause in ("agent_timeout", "budget_exhausted"):
            return present(0.75, [view.calls[stood].step], "the answer stood, and the budget was used up")
        if len(later) <= self.trailing // 2:
            return absent(0.8, "it ends soon after its answer")
        return unknown("a few calls follow the answer")


@dataclass(frozen=True, slots=True)
class PrematureTermination:
    """3.1: it ends without an answer that was asked for, or its last words announce work that never happens.

    An answer without a single observation counts too, and so does one that is given with alerts at hand that were never
    looked at, or that blames what was suspected and never looked at. A trial that ran out of its budget was ended, and did
    not end. Whether alerts were read by a script or wildcard is unknown.
    """

    code: ClassVar[str] = "3.1"

    def look(self, view: View) -> Finding:
        """What it makes of a trace."""
        if not view.agent_sayings:
            return unknown("no agent says or does anything")
        if view.trace.info.cause in ("agent_timeout", "budget_exhausted", "environment_error", "cancelled"):
            return unknown("it was stopped from outside")
        readable = view.trace.info.answer == "present" and view.trace.info.cause != "output_invalid"
        if view.answer_writes or view.replied_answer is not None or readable:
            return self._with_answer(view)
        return self._without_answer(view)

    def _with_answer(self, view: View) -> Finding:
        reads = {id(view.calls[place]) for place in view.answer_reads}
        looked = any(call.answered and not call.writes and id(call) not in reads for call in view.calls)
        for missed in (unread_alerts(view), untested(view)) if looked else ():
            if missed is not None:
                return missed
        if looked or view.multi:
            return absent(0.8, "there is an answer, and it rests on observations")
        if not view.calls and not view.trace.trajectory.agent.tool_definitions:
            return unknown("the trace does not show what the agent looked at")
        return present(0.8, [view.agent_sayings[-1].step], "an answer without a single observation")

    def _without_answer(self, view: View) -> Finding:
        last = view.agent_sayings[-1]
        missing = view.trace.info.answer == "missing" or view.trace.info.cause == "output_invalid"
        if announces(last.text) and not any(call.step == last.step for call in view.calls):
            return present(0.95 if missing else 0.85, [last.step], "it announces a step and ends")
        if view.trace.info.cause == "output_invalid":
            return unknown("there is an answer, and it cannot be read")
        if missing:
            return present(0.85, [last.step], "an answer was asked for, and there is none")
        if _DONE.search(last.text) and view.calls:
            return absent(0.6, "it declares the work done")
        return unknown("nothing tells whether an answer was asked for")
