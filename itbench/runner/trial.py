"""One trial, from the task to the committed record."""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from itbench.agents.protocol import Agent, AgentResult, AnyAgent, Assignment, Boundary, EventLog, Isolated, Workspace
from itbench.datasets.discover import ScenarioFolder
from itbench.environments.tasks import make_live_task, make_task
from itbench.model.errors import ItbenchError, SandboxError
from itbench.model.outcome import CAUSES, Outcome, Score
from itbench.model.task import Task
from itbench.model.trial import AgentConfig, Isolation, Timing, TrialRecord
from itbench.model.truth import GroundTruth
from itbench.runner.bills import BillScene
from itbench.runner.evaluate import Evaluation, Evaluator
from itbench.runner.live import LiveTrials, deeds_file, in_thread, live_scores
from itbench.runner.pool import SnapshotPool
from itbench.runner.store import Attempt, RunStore
from itbench.sandbox.box import inner_input
from itbench.scoring.findings import Finding, first_detection, read_finding

if TYPE_CHECKING:
    from itbench.environments.live.verdict import Verdict

_HORIZON = 3600.0  # seconds that durations are counted up to, where nothing limits the agent


@dataclass(frozen=True, slots=True)
class PlannedTrial:
    """A cell of the run: who, on what, for the how-manyeth time."""

    agent: AgentConfig
    scenario: ScenarioFolder
    truth: GroundTruth
    number: int

    def seed(self, run_seed: int) -> int:
        """The same for all agents of a run, so that they can be compared pairwise."""
        text = f"{run_seed}/{self.scenario.id}/{self.number}"
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4])


@dataclass(slots=True)
class _Asked:
    """How asking the agent went; `task` is None if it never got so far, `verdict` unless the incident was a live one."""

    result: AgentResult
    task: Task | None = None
    seconds: float = 0.0
    verdict: Verdict | None = None
    findings: tuple[Finding, ...] = ()
    isolation: bytes | None = None


@dataclass(frozen=True, slots=True)
class TrialRunner:
    """What the trials of a run share."""

    store: RunStore
    evaluator: Evaluator
    boundary: Boundary | None
    pool: SnapshotPool
    live: LiveTrials | None = None
    hidden: tuple[Path, ...] = ()

    async def run(self, planned: PlannedTrial, agent: AnyAgent) -> TrialRecord:
        """Run one trial and keep it.

        Cancelling keeps the attempt as `cancelled`, then passes the cancellation on.
        """
        began, started_at = time.perf_counter(), datetime.now(UTC)
        label, scenario, number = planned.agent.label, planned.scenario, planned.number
        events = EventLog()
        with self.store.attempt() as attempt:
            ask = self._ask if self.live is None else self._ask_live
            asked = await ask(planned, agent, attempt, events)
            result = asked.result
            evaluation = await self._evaluated(result, planned)
            if asked.verdict is not None and evaluation.outcome.cause is None:
                evaluation = replace(
                    evaluation, scores=evaluation.scores | self._live_scores(asked, asked.verdict, evaluation, planned)
                )
            events.emit("evaluated", status=evaluation.outcome.status, cause=evaluation.outcome.cause)
            record = TrialRecord(
                agent=label,
                scenario=scenario.id,
                domain=scenario.domain,
                trial=number,
                attempt=1 + self.store.earlier_attempts(label, scenario.id, number),
                seed=planned.seed(self.store.config.seed),
                outcome=evaluation.outcome,
                scores=evaluation.scores,
                complexity=scenario.complexity,
                isolation=self._isolation(agent),
                timing=Timing(
                    started_at=started_at.isoformat(timespec="milliseconds"),
                    wall_seconds=round(time.perf_counter() - began, 6),
                    agent_seconds=round(asked.seconds, 6),
                ),
                usage=result.usage,
                output_sha256=None if result.output is None else hashlib.sha256(result.output).hexdigest(),
                repairs=evaluation.repairs,
                warnings=(*result.warnings, *evaluation.notes),
                evaluation=self.evaluator.stamp,
            )
            self.store.commit(attempt, record, _files(asked, events))
        if record.outcome.cause == "cancelled":
            raise asyncio.CancelledError
        return record

    async def _ask(self, planned: PlannedTrial, agent: AnyAgent, attempt: Attempt, events: EventLog) -> _Asked:
        asked = _Asked(AgentResult(failure="cancelled", detail="stopped before it was done"))
        try:
            async with self.pool.snapshot(planned.scenario, wanted=isinstance(agent, Agent)) as snapshot:
                asked.task = self._task(planned, agent, snapshot)
                boundary = self._boundary(agent)
                workspace = Workspace(attempt.workspace, snapshot, attempt.record, events, boundary, hidden=self.hidden)
                if workspace.boundary is not None:  # it may take long enough to be killed meanwhile
                    self.store.mark_started(attempt, planned.agent.label, planned.scenario.id, planned.number)
                events.emit("agent_started", agent=planned.agent.label)
                began = time.perf_counter()
                try:
                    asked.result = await _answer(agent, asked.task, workspace, planned)
                finally:
                    asked.seconds = time.perf_counter() - began
                    events.emit("agent_ended", failure=asked.result.failure)
        except ItbenchError as error:
            asked.result = AgentResult(failure="environment_error", detail=str(error))
        except asyncio.CancelledError:
            pass  # the result says so already
        return asked

    async def _ask_live(self, planned: PlannedTrial, agent: AnyAgent, attempt: Attempt, events: EventLog) -> _Asked:
        """As `_ask`, in a live system of the trial's own."""
        assert self.live is not None
        asked = _Asked(AgentResult(failure="cancelled", detail="stopped before it was done"))
        config, boundary = self.store.config, self._boundary(agent)
        self.store.mark_started(attempt, planned.agent.label, planned.scenario.id, planned.number)
        recording = attempt.record.with_name(secrets.token_hex(8))
        try:
            async with self.live.opened(planned.scenario.id, recording, events) as incident:
                if incident.stage.isolation is not None:
                    asked.isolation = incident.stage.isolation.model_dump_json(indent=1).encode()
                seen = recording if boundary is None else inner_input(boundary.mode, recording)
                asked.task = make_live_task(
                    PurePosixPath(seen),
                    config.budget,
                    planned.seed(config.seed),
                    repair=config.task == "repair",
                    kubectl=config.environment in ("hybrid", "kind"),
                    real=config.environment == "kind",
                    prometheus=incident.access.prometheus,
                )
                workspace = Workspace(attempt.workspace, recording, attempt.record, events, boundary, incident.access)
                events.emit("agent_started", agent=planned.agent.label)
                began = time.perf_counter()
                try:
                    asked.result = await _answer(agent, asked.task, workspace, planned, incident.repair)
                finally:
                    asked.seconds = time.perf_counter() - began
                    events.emit("agent_ended", failure=asked.result.failure)
                    posted = incident.access.findings.posted
                    asked.findings = tuple(read_finding(each.seconds, each.text) for each in posted)
                asked.verdict = await incident.judge()
        except ItbenchError as error:
            asked.result = AgentResult(failure="environment_error", detail=str(error))
        except asyncio.CancelledError:
            asked.result = AgentResult(failure="cancelled", detail="stopped before it was done")
        except Exception as error:  # a defect of the simulation is no failure of the agent's, and must not stop the others
            asked.result = AgentResult(
                failure="environment_error", detail=f"a defect: {type(error).__name__}: {error}"[:2000]
            )
        return asked

    def _live_scores(
        self, asked: _Asked, verdict: Verdict, evaluation: Evaluation, planned: PlannedTrial
    ) -> dict[str, Score]:
        config = self.store.config

        def names_root(answer: bytes) -> bool:
            return _finds_root(self.evaluator.evaluate(answer, planned.scenario.domain, planned.truth))

        detection = first_detection(asked.findings, names_root)
        horizon = config.budget.wall_seconds or _HORIZON
        return live_scores(verdict, _finds_root(evaluation), detection, horizon, repair=config.task == "repair")

    def _task(self, planned: PlannedTrial, agent: AnyAgent, snapshot: Path | None) -> Task:
        seen = None if snapshot is None else PurePosixPath(snapshot)
        boundary = self._boundary(agent)
        if snapshot is not None and boundary is not None:
            seen = inner_input(boundary.mode, snapshot)
        config = self.store.config
        return make_task(planned.scenario.domain, seen, config.budget, planned.seed(config.seed))

    def _boundary(self, agent: AnyAgent) -> Boundary | None:
        return self.boundary if isinstance(agent, Agent) and agent.sandboxed else None

    def _isolation(self, agent: AnyAgent) -> Isolation:
        if boundary := self._boundary(agent):
            return boundary.mode
        return agent.isolation if isinstance(agent, Isolated) else "in-process"

    async def _evaluated(self, result: AgentResult, planned: PlannedTrial) -> Evaluation:
        """Compliance answers are run, and proposals on a bill played, which takes a while; other trials go on meanwhile."""
        if planned.scenario.domain == "sre":
            return self._evaluate(result, planned)
        try:
            return await asyncio.to_thread(self._evaluate, result, planned)
        except asyncio.CancelledError:
            return Evaluation(Outcome.unscored("cancelled", "stopped while its answer was tried"))

    def _evaluate(self, result: AgentResult, planned: PlannedTrial) -> Evaluation:
        if result.failure is not None:
            return Evaluation(Outcome.unscored(result.failure, result.detail))
        if result.output is None:
            return Evaluation(Outcome.unscored("output_missing", result.detail))
        scenario = planned.scenario
        scene = BillScene(scenario.folder, scenario.simulated_from, self.store.config.seed)
        return self.evaluator.evaluate(
            result.output, scenario.domain, planned.truth, scene if scenario.domain == "finops" else None
        )


async def _answer(
    agent: AnyAgent,
    task: Task,
    workspace: Workspace,
    planned: PlannedTrial,
    repair: Callable[[], None] | None = None,
) -> AgentResult:
    """Ask an agent. Agents are other people's code: whatever they raise or return is their outcome, not the run's end."""
    limit = task.budget.wall_seconds if isinstance(agent, Agent) and not agent.sandboxed else None
    clock = asyncio.timeout(limit)
    try:
        if isinstance(agent, Agent):
            async with clock:
                return _checked(await agent.run(task, workspace))
        assignment = Assignment(planned.scenario.id, planned.number, planned.scenario.domain, planned.truth, repair)
        if workspace.live is not None:  # it waits for an API server
            return _checked(await in_thread(lambda: agent.answer(assignment)))
        return _checked(agent.answer(assignment))
    except SandboxError:
        raise  # not the agent's doing
    except (Exception, SystemExit) as error:
        if isinstance(error, TimeoutError) and limit is not None and clock.expired():
            return AgentResult(failure="agent_timeout", detail=f"no answer within {limit:g} s")
        return AgentResult(failure="agent_error", detail=f"{type(error).__name__}: {error}"[:2000])


def _checked(result: object) -> AgentResult:
    """The result, if it keeps the contract.

    Raises:
        TypeError: says what does not.
    """
    if not isinstance(result, AgentResult):
        raise TypeError(f"run() returned {type(result).__name__}, not an AgentResult")
    if not isinstance(result.output, bytes | None):
        raise TypeError(f"AgentResult.output is {type(result.output).__name__}, not bytes")
    if result.failure is not None and result.failure not in CAUSES:
        raise TypeError(f"AgentResult.failure {result.failure!r} is none of {', '.join(CAUSES)}")
    if not all(isinstance(warning, str) for warning in result.warnings):
        raise TypeError("AgentResult.warnings holds something that is not text")
    return result


def _finds_root(evaluation: Evaluation) -> bool:
    return any(score.values.get("root_cause_entity_recall", 0) > 0 for score in evaluation.scores.values())


def _files(asked: _Asked, events: EventLog) -> dict[str, bytes]:
    result = asked.result
    files = {"events.jsonl": b"".join(json.dumps(event, default=str).encode() + b"\n" for event in events.events)}
    if asked.task is not None:
        files["task.json"] = asked.task.model_dump_json(indent=1).encode()
    if result.output is not None:
        files["agent_output.json"] = result.output
    if asked.verdict is not None:
        files["deeds.jsonl"] = deeds_file(asked.verdict)
    if asked.isolation is not None:
        files["isolation.json"] = asked.isolation
    if asked.findings:
        lines = (json.dumps(asdict(each)).encode() + b"\n" for each in asked.findings)
        files["findings.jsonl"] = b"".join(lines)
    if result.trajectory is not None:
        files["trajectory.json"] = result.trajectory.model_dump_json(exclude_none=True).encode()
    return files
