"""What an answer leaves out: alerts that nobody read, and a suspicion that nobody tested; for 3.1."""

from __future__ import annotations

import re
from typing import Any

from itbench.mast.detectors.base import Finding, mention, present, sentences, unknown
from itbench.mast.view import Call, View, short_name

_TOOL = re.compile(r"(?:^|_)alerts?(?:_|$)", re.IGNORECASE)
_OFFERED = re.compile(
    r"[\w./*-]*/alerts?\b|\balerts?\b[\w*-]*(?:/|\.(?:json|tsv|csv|ya?ml|txt))|\balert_\w+"
    r"|\b(?:firing|open|active) alerts\b[^.\n]{0,40}\b(?:are|lie|can be|in|under|at)\b"
    r"|\b(?:read|check|look at|start with|begin with|consult|see|list)\b[^.\n]{0,30}\balerts\b",
    re.IGNORECASE,
)
_MAYBE = re.compile(
    r"\bsome or all\b|\bif (?:any|there|present)|\bmay (?:be|hold|contain)|\bwhere (?:present|available)", re.IGNORECASE
)
_GIVEN = re.compile(r"\balertname\b|\bstartsAt\b|\bfiring (?:since|for)\b|\bseverity\W", re.IGNORECASE)
_READ = re.compile(r"\balerts?(?![\w./*-]*(?:/|\.json|\.tsv|\.csv))|\balertname|\bfiring\b|ALERTS\{", re.IGNORECASE)
_SWEEP = re.compile(r"\*|\s-\w*[rR]\w*\s|\bfind\b|\brg\b|\bos\.walk\b|\bglob\b|\.py\b|python|\bjq\b.*\s\.|\btar\b|\bxargs\b")
_SUSPECTS = re.compile(
    r"\b(?:suspect|suspicion|hypothes[ie]s\w*|theory|guess|presum\w+|probably|likely|I think|I believe|I assume"
    r"|might be|may be|could be|perhaps|seems to be)\b",
    re.IGNORECASE,
)


def unread_alerts(view: View) -> Finding | None:
    """Alerts are among the tools or files of the task, and no call asks for them or shows one; None where they were read.

    Unknown where the task says that they may be missing or tells them itself, and where a call could have swept them up
    without naming them: a script, a wildcard, a failed or unanswered call.
    """
    task = view.task
    tools = view.trace.trajectory.agent.tool_definitions or ()
    offered = any(_TOOL.search(_tool_name(tool)) for tool in tools) or bool(_OFFERED.search(task))
    if view.trace.info.domain not in (None, "sre") or not offered or not view.calls:
        return None
    own = {*view.answer_writes, *view.answer_reads}
    calls = [call for place, call in enumerate(view.calls) if place not in own]
    if any(_mentions(call) for call in calls):
        return None
    if view.multi:
        return unknown("another agent may have read the alerts")
    if _MAYBE.search(task) or _GIVEN.search(task):
        return unknown("whether there were alerts to read, the task does not tell")
    if any(not call.answered or call.failed or call.cut or (call.is_shell and _SWEEP.search(call.text)) for call in calls):
        return unknown("a call may have read the alerts without naming them")
    last = view.calls[view.answer_writes[-1]].step if view.answer_writes else view.agent_sayings[-1].step
    return present(0.75, [last], "there are alerts, and it answers without having looked at them")


def untested(view: View) -> Finding | None:
    """What the answer blames was put forward as a suspicion, and no call is about it; else None.

    A call is about an entity if it names it, or if its result does, unless the result is of alerts or the topology: these
    tell of everything.
    """
    if view.multi or any(call.cut or not call.answered for call in view.calls):
        return None
    blamed = (short_name(each) for each in view.answer_entities if each.get("contributing_factor") is True)
    for name in blamed:
        if len(name) < 3:
            continue
        word = mention(name)
        said = [
            each.step
            for each in view.agent_sayings
            if any(word.search(part) and _SUSPECTS.search(part) for part in sentences(each.text))
        ]
        own = {*view.answer_writes, *view.answer_reads}
        others = [call for place, call in enumerate(view.calls) if place not in own]
        if said and others and not any(_about(call, word) for call in others):
            return present(0.65, [said[-1]], f"it blames {name[:60]}, which it suspected and never looked at")
    return None


def _tool_name(tool: dict[str, Any]) -> str:
    function = tool.get("function")
    return str(function.get("name", "") if isinstance(function, dict) else tool.get("name", ""))


def _mentions(call: Call) -> bool:
    return bool(re.search(r"alert", f"{call.name} {call.text}", re.IGNORECASE) or _READ.search(call.result))


def _about(call: Call, word: re.Pattern[str]) -> bool:
    if word.search(call.text):
        return True
    general = bool(call.kinds) and call.kinds <= {"alerts", "topology"}
    return not general and bool(word.search(call.result))
