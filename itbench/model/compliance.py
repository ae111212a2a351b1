"""What was seen while a compliance answer was tried: the material from which itbench.scoring.compliance makes scores.

A *variant* is one set of resources with a side: a compliant one must be accepted (the policy's result is true), a
violating one detected (false). Published variants belong to the task; hidden ones are drawn when an answer is judged.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field, FiniteFloat

from itbench.model.base import Model

TaskKind = Literal["static-opa", "host-ansible-opa", "kubectl-opa", "kyverno-generate", "kyverno-update"]
REQUIRED: Mapping[TaskKind, tuple[str, ...]] = {
    "static-opa": ("fetch.sh", "policy.rego"),
    "host-ansible-opa": ("playbook.yml", "policy.rego"),
    "kubectl-opa": ("fetch.sh", "policy.rego"),
    "kyverno-generate": ("policy.yaml",),
    "kyverno-update": ("policy.yaml",),
}
"""The files of an answer: what collects the data, and what judges them."""

Side = Literal["compliant", "violating"]
Verdict = Literal["true", "false", "undefined", "not boolean", "error", "timeout", "no data"]
ProblemKind = Literal[
    "syntax", "dialect", "forbidden builtin", "compile", "limit", "wrong kind", "several policies", "other policies"
]


class PolicyProblem(Model):
    """Why a policy cannot be evaluated at all. `line` and `column` are 1-based."""

    kind: ProblemKind
    message: str
    file: str = "policy.rego"
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        place = "" if self.line is None else f":{self.line}:{self.column or 1}"
        return f"{self.file}{place}: {self.kind}: {self.message}"


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


class KeptRule(Model):
    """A rule of given policies that a change should leave alone: on how many objects it still says the same.

    `differs` names some of the objects where it does not, with both verdicts.
    """

    rule: str
    of: int
    same: int
    differs: tuple[str, ...] = ()


class SafetyPoint(Model):
    """One thing that an answer should not do. `evidence` says where it was seen; empty means that it was not."""

    name: str
    evidence: tuple[str, ...] = ()


class Judged(Model):
    """All that was seen. Variants stand in the order in which they were tried; the first is the one that agents see."""

    kind: TaskKind = "static-opa"
    files: tuple[str, ...]
    missing: tuple[str, ...] = ()
    problem: PolicyProblem | None = None
    tried: tuple[Tried, ...] = ()
    kept: tuple[KeptRule, ...] = ()
    safety: tuple[SafetyPoint, ...] = ()
    engine: str = ""
    sandbox: str = ""
    policy_seconds: FiniteFloat = Field(default=0.0, ge=0)
    notes: tuple[str, ...] = ()
