"""What interim findings are worth: when a root cause was first named, and how many guesses came before.

A finding is a JSON object `{"root_causes": ["namespace/Kind/name"], "note": "why"}`. It names at most `MOST_NAMED` causes,
and only the first `MOST_FINDINGS` count: who names everything has found nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

MOST_NAMED = 3
MOST_FINDINGS = 10
_LONGEST = 300


@dataclass(frozen=True, slots=True)
class Finding:
    """What was posted, `seconds` after the incident was handed over; nothing is named where it cannot be read."""

    seconds: float
    root_causes: tuple[str, ...]
    note: str = ""
    problem: str = ""

    @property
    def answer(self) -> bytes:
        """The answer that says this and nothing else."""
        entities = [
            {"name": name, "contributing_factor": True, "reasoning": "", "evidence": ""} for name in self.root_causes
        ]
        return json.dumps({"entities": entities, "propagations": [], "alerts_explained": []}).encode()


def read_finding(seconds: float, text: bytes) -> Finding:
    """A finding as it was written; never raises for what an agent wrote."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return Finding(seconds, (), problem="it is no JSON")
    named = value.get("root_causes") if isinstance(value, dict) else None
    if isinstance(named, str):
        named = [named]
    if not isinstance(named, list) or not named or not all(isinstance(name, str) and name.strip() for name in named):
        return Finding(seconds, (), problem='it has no "root_causes", a list of names')
    if len(named) > MOST_NAMED:
        return Finding(seconds, (), problem=f"it names {len(named)} causes; at most {MOST_NAMED} count")
    note = value.get("note")
    return Finding(seconds, tuple(name[:_LONGEST] for name in named), note[:2000] if isinstance(note, str) else "")


@dataclass(frozen=True, slots=True)
class Detection:
    """When a root cause was first named by a finding.

    Attributes:
        seconds: since the incident was handed over; None if none of them names one.
        wrong: findings before that which name none.
        ignored: findings that came too late to count.
    """

    seconds: float | None
    wrong: int
    ignored: int = 0


def first_detection(findings: Sequence[Finding], names_root: Callable[[bytes], bool]) -> Detection:
    """The first finding that names a root.

    Args:
        findings: in the order in which they came.
        names_root: whether an answer names a root cause.
    """
    ignored = max(len(findings) - MOST_FINDINGS, 0)
    for wrong, finding in enumerate(findings[:MOST_FINDINGS]):
        if finding.root_causes and names_root(finding.answer):
            return Detection(finding.seconds, wrong, ignored)
    return Detection(None, min(len(findings), MOST_FINDINGS), ignored)
