"""From the bytes of an answer to scores: read it, try it, score it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from itbench.compliance.answer import read_files
from itbench.compliance.engine import EngineName
from itbench.compliance.place import find_place
from itbench.compliance.task import read_task
from itbench.compliance.trying import try_answer
from itbench.model.errors import ItbenchError
from itbench.model.outcome import Outcome, Score
from itbench.scoring.compliance import score_compliance
from itbench.scoring.strict_json import JsonError


@dataclass(frozen=True, slots=True)
class ComplianceRules:
    """How compliance answers are tried.

    Args:
        seed: which hidden variants are drawn.
        engine: which Rego engine evaluates policies.
        unprotected: run scripts of agents without a sandbox where none can be had.
    """

    seed: int = 0
    engine: EngineName = "auto"
    unprotected: bool = False


@dataclass(frozen=True, slots=True)
class ComplianceVerdict:
    """The outcome of one answer."""

    outcome: Outcome
    scores: dict[str, Score] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def evaluate_answer(raw: bytes, folder: Path, rules: ComplianceRules, limit: int) -> ComplianceVerdict:
    """Judge one answer to the task in a folder. Never raises for what an agent wrote.

    What the harness lacks, a sandbox or an engine, leaves the answer unscored, with the command that helps.
    """
    try:
        answer = read_files(raw, limit)
    except JsonError as error:
        return ComplianceVerdict(Outcome.unscored("output_invalid", error.message))
    try:
        task = read_task(folder)
        place = find_place(_beside(folder), unprotected=rules.unprotected)
        seen = asyncio.run(try_answer(task.asked(), answer.files, task.variants(rules.seed), place, rules.engine))
    except ItbenchError as error:
        return ComplianceVerdict(Outcome.unscored("evaluator_error", str(error)), {}, answer.notes)
    notes = answer.notes
    if seen.sandbox == "none":
        notes += ("the answer was run without a sandbox, as --unprotected allows",)
    return ComplianceVerdict(Outcome.scored(), score_compliance(seen), notes)


def _beside(folder: Path) -> tuple[Path, ...]:
    """The task and its neighbours, which hold the other sides."""
    resolved = folder.resolve()
    return (resolved, *(path.parent for path in resolved.parent.glob("*/problem.md") if path.parent != resolved))
