"""Agents that need no program: the floor `nop`, the ceiling `oracle`, and `replay` of answers given before."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from itbench.agents.protocol import AgentResult, Assignment, Workspace
from itbench.model.base import Domain
from itbench.model.diagnosis import CostDiagnosis, Diagnosis
from itbench.model.errors import UsageError
from itbench.model.resource import Resource
from itbench.model.task import Task

_REPLAYED = 50_000_000
_EMPTY_ANSWERS: dict[Domain, dict[str, object]] = {
    "sre": {"entities": [], "propagations": [], "alerts_explained": []},
    "finops": {"resource": []},
    "ciso": {"files": {}},
}


class Nop:
    """Answers that nothing is wrong: the floor that every agent must beat."""

    sandboxed = False

    async def run(self, task: Task, workspace: Workspace) -> AgentResult:  # noqa: ARG002 (the Agent contract)
        """The empty answer of the task's domain."""
        return AgentResult(output=json.dumps(_EMPTY_ANSWERS[task.domain]).encode())


class Oracle:
    """Answers from the ground truth: the ceiling, and a check that a scenario's truth can be matched at all."""

    def answer(self, assignment: Assignment) -> AgentResult:
        """The ideal answer, written as an agent would write it, after the repair where one is possible."""
        if assignment.truth.folder is not None:
            from itbench.agents.compliance import solution

            return solution(Path(assignment.truth.folder))
        from itbench.scoring.ideal import ideal_cost_diagnosis, ideal_diagnosis

        if assignment.repair is not None:
            assignment.repair()
        document = (
            cost_answer(ideal_cost_diagnosis(assignment.truth))
            if assignment.domain == "finops"
            else sre_answer(ideal_diagnosis(assignment.truth))
        )
        return AgentResult(output=json.dumps(document, indent=1).encode())


class Replay:
    """Gives the answers of an earlier run again, found as `itbench score` finds them.

    Raises:
        UsageError: the folder is missing or holds no answers.
    """

    def __init__(self, folder: Path) -> None:
        from itbench.datasets.ids import canonical_id
        from itbench.datasets.outputs import find_outputs

        if not folder.is_dir():
            raise UsageError("there is no such folder to replay", path=folder)
        trials = folder / "trials" if (folder / "trials").is_dir() else folder
        self._folder = folder
        self._canonical = canonical_id
        self._found = {(found.incident, found.trial): found.path for found in find_outputs(trials)}
        if not self._found:
            raise UsageError(
                "no answers to replay", path=folder, hint="Expected <scenario>/<trial>/agent_output.json, or a run folder"
            )

    @property
    def files(self) -> tuple[Path, ...]:
        """The answers, as far as there are any."""
        return tuple(path for path in self._found.values() if path is not None)

    def answer(self, assignment: Assignment) -> AgentResult:
        """The recorded answer to the same scenario and trial."""
        from itbench.agents.transcript import read_trajectory
        from itbench.sandbox.output import OutputError, read_output

        path = self._found.get((self._canonical(assignment.scenario), str(assignment.trial)))
        if path is None:
            return AgentResult(failure="output_missing", detail=f"{self._folder} has no answer to this trial")
        try:
            output = read_output(path.parent, path.name, _REPLAYED)
        except OutputError as error:
            return AgentResult(failure="output_invalid", detail=error.message)
        trajectory, warnings = read_trajectory(path.parent)
        return AgentResult(output=output, trajectory=trajectory, warnings=warnings)


def sre_answer(diagnosis: Diagnosis) -> dict[str, object]:
    """A diagnosis in the public form of agent_output.json."""
    return {
        "entities": [
            {
                "name": str(predicted.entity),
                "contributing_factor": predicted.contributing_factor,
                "reasoning": predicted.reasoning,
                "evidence": predicted.evidence,
            }
            for predicted in diagnosis.entities
        ],
        "propagations": [
            {"source": str(edge.source), "target": str(edge.target), "condition": edge.condition, "effect": edge.effect}
            for edge in diagnosis.propagations
        ],
        "alerts_explained": [alert.model_dump() for alert in diagnosis.alerts_explained],
    }


def cost_answer(diagnosis: CostDiagnosis) -> dict[str, object]:
    """A cost diagnosis in the public form of agent_output.json, with what the diagnosis says beyond it."""
    answer: dict[str, object] = {"resource": _named(diagnosis.resources)}
    if diagnosis.anomaly is not None:
        answer["anomaly"] = diagnosis.anomaly
    if diagnosis.causes:
        answer["causes"] = [
            {
                "class": claim.cause,
                "resources": _named(claim.resources),
                **({"onset": claim.onset.isoformat()} if claim.onset else {}),
                **{name: value for name in ("amount", "share") if (value := getattr(claim, name)) is not None},
            }
            for claim in diagnosis.causes
        ]
    if diagnosis.mitigations:
        answer["mitigations"] = [action.model_dump(mode="json", exclude_none=True) for action in diagnosis.mitigations]
    return answer


def _named(resources: Iterable[Resource]) -> list[dict[str, str]]:
    return [{"name": resource.name, "type": resource.type} for resource in resources]
