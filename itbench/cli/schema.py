"""`itbench schema`: the JSON Schemas of what itbench writes."""

from __future__ import annotations

import json
from pathlib import Path

import click

from itbench.cli.options import FOLDER


@click.command()
@click.argument("name", required=False)
@click.option("--out", type=FOLDER, help="Write all schemas to this folder, as docs/schemas holds them.")
def schema(name: str | None, out: Path | None) -> None:
    """Print the JSON Schema of one document, or list them; with --out write them all.

    Example: itbench schema result
    """
    from itbench.model.errors import UsageError

    known = schemas()
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        for key, text in known.items():
            (out / f"{key}.json").write_text(text, encoding="utf-8")
        click.echo(f"Wrote {len(known)} schemas to {out}.")
    elif name is None:
        click.echo("\n".join(known))
    elif name not in known:
        raise UsageError(f"there is no schema {name!r}", hint=f"Known: {', '.join(known)}")
    else:
        click.echo(known[name], nl=False)


def schemas() -> dict[str, str]:
    """Name to JSON Schema (as text) of every document that is persisted."""
    from pydantic import BaseModel

    from itbench.judge.replies import JudgeReply
    from itbench.model.agreement import Agreement
    from itbench.model.cost import MitigationOutcome
    from itbench.model.cost_scenario import CostScenario
    from itbench.model.diagnosis import CostDiagnosis, Diagnosis
    from itbench.model.lock import Lock
    from itbench.model.rubric import Rubric
    from itbench.model.rules import Rules
    from itbench.model.scenario import Scenario
    from itbench.model.scores import Scores
    from itbench.model.summary import Summary
    from itbench.model.task import Task
    from itbench.model.trajectory import Trajectory
    from itbench.model.trial import RunConfig, TrialRecord
    from itbench.sandbox.probe import ProbeReport
    from itbench.scoring.compare import Comparison
    from itbench.submission.leaderboard import Board
    from itbench.submission.manifest import Manifest
    from itbench.submission.verify import Verification

    documents: dict[str, type[BaseModel]] = {
        "scenario": Scenario,
        "cost-scenario": CostScenario,
        "mitigation": MitigationOutcome,
        "run": RunConfig,
        "lock": Lock,
        "isolation": ProbeReport,
        "task": Task,
        "trajectory": Trajectory,
        "result": TrialRecord,
        "summary": Summary,
        "scores": Scores,
        "rules": Rules,
        "diagnosis": Diagnosis,
        "cost-diagnosis": CostDiagnosis,
        "comparison": Comparison,
        "manifest": Manifest,
        "verification": Verification,
        "leaderboard": Board,
        "rubric": Rubric,
        "judge-reply": JudgeReply,
        "judge-agreement": Agreement,
    }
    return {
        # What people write is described as it may be written, all else as it is written here.
        name: json.dumps(
            document.model_json_schema(mode="validation" if document in (Scenario, CostScenario) else "serialization"),
            indent=1,
            sort_keys=True,
        )
        + "\n"
        for name, document in documents.items()
    }
