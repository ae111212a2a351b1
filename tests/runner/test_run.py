"""Whole runs with agents that live in this process: what is kept, what is redone, what is refused."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from itbench.agents.protocol import AgentResult, AnyAgent, Workspace
from itbench.datasets.rules import load_rules
from itbench.model.errors import DatasetError, RunError, SandboxError, UsageError
from itbench.model.outcome import Cause
from itbench.model.task import Budget, Task
from itbench.model.truth import GroundTruth
from itbench.runner.evaluate import Evaluator
from itbench.runner.execute import run_pending
from itbench.runner.session import RunRequest, begin, reopen
from itbench.runner.summary import summarise_session


class Scripted:
    """Answers what a function says, and counts how often it was asked."""

    sandboxed = False

    def __init__(self, act: Callable[[Task, Workspace], AgentResult]) -> None:
        self.act, self.asked = act, 0

    async def run(self, task: Task, workspace: Workspace) -> AgentResult:
        self.asked += 1
        return self.act(task, workspace)


def request(dataset: Path, out: Path, **change: object) -> RunRequest:
    return replace(RunRequest(agents=[], out=out, dataset=dataset), **change)


def outcomes(run: Path, agent: AnyAgent) -> list[str]:
    return [record.outcome.cause or "scored" for record in reopen(run, {"mock": agent}).store.records()]


def test_a_right_answer_scores_1_and_leaves_a_complete_folder(dataset: Path, tmp_path: Path, answer) -> None:
    agent = Scripted(lambda *_: AgentResult(output=answer("shop/Deployment/cart")))
    session = begin(request(dataset, tmp_path / "run", trials=2), {"mock": agent})
    assert run_pending(session) is False
    (summary,) = summarise_session(session).agents[0].domains
    assert (summary.trials, summary.scored, agent.asked) == (6, 6, 6)
    assert summary.metrics["root_cause_entity_f1"].mean == 1.0
    folder = tmp_path / "run/trials/2/1"
    assert {path.name for path in folder.iterdir()} == {"task.json", "events.jsonl", "agent_output.json", "result.json"}
    assert [json.loads(line)["kind"] for line in (folder / "events.jsonl").read_text().splitlines()] == [
        "agent_started",
        "agent_ended",
        "evaluated",
    ]


def test_the_task_names_neither_scenario_nor_fault(dataset: Path, tmp_path: Path, answer) -> None:
    seen: list[tuple[Task, list[str]]] = []

    def act(task: Task, workspace: Workspace) -> AgentResult:
        assert workspace.input_dir is not None
        seen.append((task, sorted(path.name for path in workspace.input_dir.rglob("*") if path.is_file())))
        return AgentResult(output=answer())

    run_pending(begin(request(dataset, tmp_path / "run"), {"mock": Scripted(act)}))
    for task, files in seen:
        told = task.model_dump_json().lower()
        assert not [word for word in ("scenario", "cart", "ground_truth") if word in told]
        assert files == ["alerts_at_2026-01-01T00-00-00.000000.json", "k8s_events_raw.tsv"]
    assert len({task.id for task, _ in seen}) == 3


def test_seeds_repeat_over_agents_and_runs_and_differ_over_trials(dataset: Path, tmp_path: Path, answer) -> None:
    seeds: dict[str, list[int]] = {"a": [], "b": []}

    def agent(name: str) -> Scripted:
        return Scripted(lambda task, _: seeds[name].append(task.seed) or AgentResult(output=answer()))

    run_pending(begin(request(dataset, tmp_path / "run", trials=2, seed=7), {"a": agent("a"), "b": agent("b")}))
    assert seeds["a"] == seeds["b"]
    assert len(set(seeds["a"])) == 6


@pytest.mark.parametrize(
    ("result", "cause"),
    [
        (AgentResult(), "output_missing"),
        (AgentResult(output=b"no json"), "output_invalid"),
        (AgentResult(failure="budget_exhausted"), "budget_exhausted"),
    ],
)
def test_the_agents_own_failure_is_unscored_counts_0_and_is_not_redone(
    dataset: Path, tmp_path: Path, result: AgentResult, cause: Cause
) -> None:
    agent = Scripted(lambda *_: result)
    session = begin(request(dataset, tmp_path / "run"), {"mock": agent})
    run_pending(session)
    (summary,) = summarise_session(session).agents[0].domains
    assert (summary.scored, summary.unscored[cause]) == (0, 3)
    assert summary.metrics["root_cause_entity_f1"].mean == 0.0
    run_pending(reopen(tmp_path / "run", {"mock": agent}))
    assert agent.asked == 3
    run_pending(reopen(tmp_path / "run", {"mock": agent}), retry_failures=True)
    assert agent.asked == 6
    assert reopen(tmp_path / "run", {"mock": agent}).store.record("mock", "1", 1).attempt == 2


def test_an_agent_that_raises_ends_only_its_trial(dataset: Path, tmp_path: Path, answer) -> None:
    def act(task: Task, workspace: Workspace) -> AgentResult:
        if agent.asked == 2:
            raise ZeroDivisionError("oops")
        return AgentResult(output=answer("shop/Deployment/cart"))

    agent = Scripted(act)
    run_pending(begin(request(dataset, tmp_path / "run"), {"mock": agent}))
    assert outcomes(tmp_path / "run", agent) == ["scored", "agent_error", "scored"]


def test_a_sandbox_that_fails_is_not_the_agents_fault(dataset: Path, tmp_path: Path, answer) -> None:
    def act(task: Task, workspace: Workspace) -> AgentResult:
        if agent.asked == 1:
            raise SandboxError("no namespaces left")
        return AgentResult(output=answer("shop/Deployment/cart"))

    agent = Scripted(act)
    session = begin(request(dataset, tmp_path / "run"), {"mock": agent})
    run_pending(session)
    assert outcomes(tmp_path / "run", agent) == ["environment_error", "scored", "scored"]
    (summary,) = summarise_session(session).agents[0].domains
    assert summary.metrics["root_cause_entity_f1"].mean == 1.0  # excluded, not 0
    run_pending(reopen(tmp_path / "run", {"mock": agent}))
    assert outcomes(tmp_path / "run", agent) == ["scored"] * 3
    assert (tmp_path / "run/attempts/1/1/1/result.json").is_file()


def test_an_agent_in_this_process_is_held_to_its_time(dataset: Path, tmp_path: Path) -> None:
    class Sleeper:
        sandboxed = False

        async def run(self, task: Task, workspace: Workspace) -> AgentResult:
            await asyncio.sleep(60)
            raise AssertionError

    budget = Budget(wall_seconds=0.05)
    run_pending(begin(request(dataset, tmp_path / "run", budget=budget, scenarios=["1"]), {"mock": Sleeper()}))
    assert outcomes(tmp_path / "run", Sleeper()) == ["agent_timeout"]


def test_one_interrupt_finishes_running_trials_and_a_resume_does_the_rest(dataset: Path, tmp_path: Path, answer) -> None:
    def act(task: Task, workspace: Workspace) -> AgentResult:
        if agent.asked == 1:
            os.kill(os.getpid(), signal.SIGINT)
        return AgentResult(output=answer("shop/Deployment/cart"))

    class Yielding(Scripted):
        async def run(self, task: Task, workspace: Workspace) -> AgentResult:
            result = await super().run(task, workspace)
            await asyncio.sleep(0.01)  # let the signal be seen
            return result

    agent = Yielding(act)
    session = begin(request(dataset, tmp_path / "run"), {"mock": agent})
    assert run_pending(session) is True
    assert outcomes(tmp_path / "run", agent) == ["scored"]
    (summary,) = summarise_session(session).agents[0].domains
    assert (summary.trials, summary.unscored["cancelled"]) == (3, 2)
    assert run_pending(reopen(tmp_path / "run", {"mock": agent})) is False
    assert agent.asked == 3


def test_a_second_interrupt_cancels_and_the_trial_is_redone(dataset: Path, tmp_path: Path, answer) -> None:
    class Stubborn:
        sandboxed = False
        stubborn = True

        async def run(self, task: Task, workspace: Workspace) -> AgentResult:
            if self.stubborn:
                os.kill(os.getpid(), signal.SIGINT)
                await asyncio.sleep(0.01)
                os.kill(os.getpid(), signal.SIGINT)
                await asyncio.sleep(60)
            return AgentResult(output=answer("shop/Deployment/cart"))

    agent = Stubborn()
    assert run_pending(begin(request(dataset, tmp_path / "run"), {"mock": agent})) is True
    assert outcomes(tmp_path / "run", agent) == ["cancelled"]
    agent.stubborn = False
    run_pending(reopen(tmp_path / "run", {"mock": agent}))
    assert outcomes(tmp_path / "run", agent) == ["scored"] * 3


def test_parallel_trials_overlap_and_all_are_kept(dataset: Path, tmp_path: Path, answer) -> None:
    running: set[str] = set()
    most = 0
    full = asyncio.Event()  # each waits for the others: how fast the machine is does not matter

    class Slow:
        sandboxed = False

        async def run(self, task: Task, workspace: Workspace) -> AgentResult:
            nonlocal most
            running.add(task.id)
            most = max(most, len(running))
            if most == 3:
                full.set()
            await asyncio.wait_for(full.wait(), 60)
            running.discard(task.id)
            return AgentResult(output=answer("shop/Deployment/cart"))

    run_pending(begin(request(dataset, tmp_path / "run", trials=4, parallel=3), {"mock": Slow()}))
    assert most == 3
    assert outcomes(tmp_path / "run", Slow()) == ["scored"] * 12


def test_resume_is_refused_when_a_truth_changed_and_says_which(dataset: Path, tmp_path: Path) -> None:
    run_pending(begin(request(dataset, tmp_path / "run", agents=["nop"])))
    truth = dataset / "Scenario-2/ground_truth.yaml"
    truth.write_text(truth.read_text().replace("cart is down", "cart is gone"))
    with pytest.raises(RunError, match="scenario 2: ground truth changed"):
        reopen(tmp_path / "run")


def test_resume_is_refused_when_the_configuration_was_edited(dataset: Path, tmp_path: Path) -> None:
    run_pending(begin(request(dataset, tmp_path / "run", agents=["nop"])))
    config = tmp_path / "run/run.json"
    config.write_text(config.read_text().replace('"trials": 1', '"trials": 9'))
    with pytest.raises(RunError, match=r"run\.json: \w+ then, \w+ now"):
        reopen(tmp_path / "run")


def test_resume_is_refused_when_a_scenario_is_gone(dataset: Path, tmp_path: Path) -> None:
    run_pending(begin(request(dataset, tmp_path / "run", agents=["nop"])))
    (dataset / "Scenario-3").rename(tmp_path / "away")
    with pytest.raises(RunError, match="no longer has the scenario '3'"):
        reopen(tmp_path / "run")


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"agents": []}, UsageError, "at least one agent"),
        ({"agents": ["nosuch"]}, UsageError, "no agent 'nosuch'"),
        ({"agents": ["nop"], "scenarios": ["99"]}, UsageError, "no scenario '99'"),
        ({"agents": ["nop"], "policy": "lenient"}, UsageError, "no matching policy 'lenient'"),
        ({"agents": ["nop"], "environment": "kind"}, UsageError, "none of these scenarios can be played live"),
        ({"agents": ["nop"], "suite": "starter"}, UsageError, "either --suite NAME or --dataset"),
        ({"agents": ["nop"], "dataset": Path("nowhere")}, DatasetError, "no such folder"),
    ],
)
def test_a_request_that_cannot_be_met_says_why(
    dataset: Path, tmp_path: Path, change: dict[str, object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        begin(replace(request(dataset, tmp_path / "run"), **change))
    assert not (tmp_path / "run").exists()


def test_a_broken_scenario_stops_the_run_before_it_begins(dataset: Path, tmp_path: Path) -> None:
    (dataset / "Scenario-2/ground_truth.yaml").write_bytes(bytes(range(256)))
    (dataset / "Scenario-3/ground_truth.yaml").write_text("- 1\n- 2\n")
    with pytest.raises(DatasetError, match=r"(?s)Scenario-2.*Scenario-3"):
        begin(request(dataset, tmp_path / "run", agents=["nop"]))


def test_a_broken_scenario_does_not_stop_a_run_of_another(dataset: Path, tmp_path: Path) -> None:
    (dataset / "Scenario-2/ground_truth.yaml").write_text("- 1\n")
    session = begin(request(dataset, tmp_path / "run", agents=["nop"], scenarios=["1"]))
    assert [scenario.id for scenario in session.scenarios] == ["1"]


def test_names_that_would_share_a_folder_are_refused(dataset: Path, tmp_path: Path) -> None:
    agents = {"a b": Scripted(lambda *_: AgentResult()), "a_b": Scripted(lambda *_: AgentResult())}
    with pytest.raises(UsageError, match="would share a folder"):
        begin(request(dataset, tmp_path / "run"), agents)


def test_a_defect_of_the_evaluator_is_not_the_agents_failure(
    dataset: Path, tmp_path: Path, answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise AttributeError("oops")

    monkeypatch.setattr("itbench.runner.evaluate.score_sre", broken)
    agent = Scripted(lambda *_: AgentResult(output=answer("shop/Deployment/cart")))
    session = begin(request(dataset, tmp_path / "run"), {"mock": agent})
    run_pending(session)
    assert outcomes(tmp_path / "run", agent) == ["evaluator_error"] * 3
    (summary,) = summarise_session(session).agents[0].domains
    assert summary.metrics["root_cause_entity_f1"].mean is None


def test_a_defect_in_trying_a_compliance_answer_is_not_the_agents_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise AttributeError("oops")

    monkeypatch.setattr("itbench.compliance.evaluate.evaluate_answer", broken)
    found = Evaluator(load_rules()).evaluate(b"{}", "ciso", GroundTruth(folder=str(tmp_path)))
    assert (found.outcome.cause, found.outcome.detail) == ("evaluator_error", "AttributeError: oops")


@pytest.mark.parametrize(
    ("result", "detail"),
    [
        (None, "not an AgentResult"),
        (AgentResult(output="text"), "output is str"),  # type: ignore[arg-type]  # what a careless plug-in does
        (AgentResult(failure="bored"), "none of agent_error"),  # type: ignore[arg-type]  # likewise
        (AgentResult(output=b"{}", warnings=(3,)), "not text"),  # type: ignore[arg-type]  # likewise
    ],
)
def test_a_plug_in_that_breaks_the_contract_ends_only_its_trial(
    dataset: Path, tmp_path: Path, result: AgentResult, detail: str
) -> None:
    session = begin(request(dataset, tmp_path / "run"), {"mock": Scripted(lambda *_: result)})
    run_pending(session)
    record = session.store.record("mock", "1", 1)
    assert record is not None
    assert record.outcome.cause == "agent_error"
    assert detail in record.outcome.detail


@pytest.mark.parametrize("error", [SystemExit(3), TimeoutError("its own")])
def test_an_agents_exit_or_own_timeout_is_an_error_of_the_agent(dataset: Path, tmp_path: Path, error: BaseException) -> None:
    def act(task: Task, workspace: Workspace) -> AgentResult:
        raise error

    agent = Scripted(act)
    run_pending(begin(request(dataset, tmp_path / "run"), {"mock": agent}))
    assert outcomes(tmp_path / "run", agent) == ["agent_error"] * 3


def test_an_event_that_is_no_json_is_written_as_text(dataset: Path, tmp_path: Path, answer) -> None:
    def act(task: Task, workspace: Workspace) -> AgentResult:
        workspace.events.emit("odd", value=object)
        return AgentResult(output=answer())

    run_pending(begin(request(dataset, tmp_path / "run"), {"mock": Scripted(act)}))
    assert "class 'object'" in (tmp_path / "run/trials/1/1/events.jsonl").read_text()


def test_an_agent_in_this_process_gets_a_copy_that_it_may_destroy(dataset: Path, tmp_path: Path, answer) -> None:
    seen: list[str] = []

    def act(task: Task, workspace: Workspace) -> AgentResult:
        assert workspace.input_dir is not None
        events = workspace.input_dir / "k8s_events_raw.tsv"
        seen.append(events.read_text())
        events.write_text("spoilt")
        return AgentResult(output=answer())

    run_pending(begin(request(dataset, tmp_path / "run", trials=2), {"mock": Scripted(act)}))
    assert seen == ["Timestamp\tBody\n"] * 6
    assert (dataset / "Scenario-1/k8s_events_raw.tsv").read_text() == "Timestamp\tBody\n"


def test_a_damaged_result_is_set_aside_and_its_trial_runs_again(dataset: Path, tmp_path: Path, answer) -> None:
    agent = Scripted(lambda *_: AgentResult(output=answer("shop/Deployment/cart")))
    run_pending(begin(request(dataset, tmp_path / "run"), {"mock": agent}))
    (tmp_path / "run/trials/2/1/result.json").write_text("{")
    run_pending(reopen(tmp_path / "run", {"mock": agent}))
    assert agent.asked == 4
    assert outcomes(tmp_path / "run", agent) == ["scored"] * 3
    assert (tmp_path / "run/attempts/2/1/1/agent_output.json").is_file()


def test_resume_is_refused_when_a_python_agent_changed(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "agents").mkdir()
    module = tmp_path / "agents/mine.py"
    module.write_text("def solve(task, workspace):\n    return {}\n")
    monkeypatch.chdir(tmp_path / "agents")
    begin(request(dataset, tmp_path / "run", agents=["python:mine:solve"]))
    module.write_text("def solve(task, workspace):\n    return {'entities': []}\n")
    with pytest.raises(RunError, match=r"agent python:mine-solve: .*mine\.py changed"):
        reopen(tmp_path / "run")


def test_replay_gives_the_same_scores(dataset: Path, tmp_path: Path, answer) -> None:
    agent = Scripted(lambda *_: AgentResult(output=answer("shop/Service/front", "shop/Deployment/cart")))
    first = begin(request(dataset, tmp_path / "one"), {"mock": agent})
    run_pending(first)
    second = begin(request(dataset, tmp_path / "two", agents=[f"replay:{tmp_path / 'one'}"]))
    run_pending(second)
    assert [record.metrics for record in second.store.records()] == [record.metrics for record in first.store.records()]


def test_oracle_and_nop_mark_the_ceiling_and_the_floor(dataset: Path, tmp_path: Path) -> None:
    session = begin(request(dataset, tmp_path / "run", agents=["oracle", "nop"]))
    run_pending(session)
    f1 = {agent.agent: agent.domains[0].metrics["root_cause_entity_f1"].mean for agent in summarise_session(session).agents}
    assert f1 == {"oracle": 1.0, "nop": 0.0}
