"""What was seen while a compliance answer was tried: the material from which itbench.scoring.compliance makes scores.

A *variant* is one set of resources with a side: a compliant one must be accepted (the policy's result is true), a
violating one detected (false). Published variants belong to the task; hidden ones are drawn when an answer is judged.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, FiniteFloat

from itbench.model.base import Model

Side = Literal["compliant", "violating"]
Verdict = Literal["true", "false", "undefined", "not boolean", "error", "timeout", "no data"]
ProblemKind = Literal["syntax", "dialect", "forbidden builtin", "compile", "limit"]


class PolicyProblem(Model):
    """Why a policy cannot be evaluated at all. `line` and `column` are 1-based."""

    kind: ProblemKind
    message: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        place = "" if self.line is None else f":{self.line}:{self.column or 1}"
        return f"policy.rego{place}: {self.kind}: {self.message}"


class Fetched(Model):
    """How the fetch script did on one variant. `size` is bytes of collected_data.json."""

    ok: bool
    problem: str = ""
    seconds: FiniteFloat = Field(default=0.0, ge=0)
    size: int = 0


class Tried(Model):
    """One variant, and what the answer said about it."""

    name: str
    side: Side
    hidden: bool = False
    fetched: Fetched
    verdict: Verdict = "no data"
    detail: str = ""

    @property
    def right(self) -> bool:
        """Whether the answer judged it as it should."""
        return self.verdict == ("true" if self.side == "compliant" else "false")


class SafetyPoint(Model):
    """One thing that an answer should not do. `evidence` says where it was seen; empty means that it was not."""

    name: str
    evidence: tuple[str, ...] = ()


class Judged(Model):
    """All that was seen. Variants stand in the order in which they were tried; the first is the one that agents see."""

    files: tuple[str, ...]
    missing: tuple[str, ...] = ()
    problem: PolicyProblem | None = None
    tried: tuple[Tried, ...] = ()
    safety: tuple[SafetyPoint, ...] = ()
    engine: str = ""
    sandbox: str = ""
    policy_seconds: FiniteFloat = Field(default=0.0, ge=0)
    notes: tuple[str, ...] = ()
