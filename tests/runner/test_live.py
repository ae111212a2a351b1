"""Runs in live environments: agents repair, and what became of it is scored."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from itbench.agents.protocol import AgentResult, Workspace
from itbench.cluster.reference import ObjectRef
from itbench.model.errors import UsageError
from itbench.model.task import Task
from itbench.runner.execute import run_pending
from itbench.runner.live import in_thread
from itbench.runner.session import RunRequest, Session, begin
from itbench.runner.summary import summarise_session

pytestmark = pytest.mark.integration

SCENARIO = """\
schema_version: 1
id: no-pages
domain: sre
title: No pages
application: book-info
timeline: {before: 5m, after: 8m}
disruptions:
  - faults:
      - id: scaled-to-zero-kubernetes-workload
        args:
          kubernetesObject:
            apiVersion: apps/v1
            kind: Deployment
            metadata: {name: productpage-v1, namespace: book-info}
"""


@pytest.fixture
def scenarios(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "scenarios" / "no-pages"
    folder.mkdir(parents=True)
    (folder / "scenario.yaml").write_text(SCENARIO)
    return folder.parent


class Repairer:
    """Repairs by the cluster that it is given, and names nothing."""

    sandboxed = False

    async def run(self, task: Task, workspace: Workspace) -> AgentResult:
        assert "Repair it" in task.instructions
        assert workspace.live is not None
        workspace.live.cluster.scale(ObjectRef.parse("deploy/productpage-v1", "book-info"), 1)
        return AgentResult(output=b'{"entities": [], "propagations": [], "alerts_explained": []}')


def run(scenarios: Path, agents: tuple[str, ...], objects: dict[str, Any] | None = None, **more: Any) -> Session:
    request = RunRequest(agents, scenarios.parent / "run", dataset=scenarios, environment="twin", **more)
    session = begin(request, objects)
    run_pending(session)
    return session


def metrics(session: Session) -> dict[str, dict[str, float | None]]:
    summary = summarise_session(session)
    return {agent.agent: {key: value.mean for key, value in agent.domains[0].metrics.items()} for agent in summary.agents}


def test_who_repairs_resolves_and_who_looks_on_does_not(scenarios: Path) -> None:
    session = run(scenarios, ("oracle", "nop"), {"repairer": Repairer()})
    found = metrics(session)
    assert [found[name]["resolved"] for name in ("oracle", "nop", "repairer")] == [1.0, 0.0, 1.0]
    assert [found[name]["safety"] for name in ("oracle", "nop", "repairer")] == [1.0, 1.0, 1.0]
    assert found["oracle"]["root_cause_entity_f1"] == 1.0
    assert found["oracle"]["time_to_detect"] < found["nop"]["time_to_detect"] == 1200.0  # type: ignore[operator]
    assert found["repairer"]["time_to_detect"] == 1200.0  # it has repaired what it could not name
    for name in ("oracle", "repairer"):
        assert found[name]["time_to_mitigate"] <= found[name]["time_to_resolve"] < 1200.0  # type: ignore[operator]
    assert found["nop"]["time_to_mitigate"] == found["nop"]["time_to_resolve"] == 1200.0
    folder = session.store.trial_dir("repairer", "no-pages", 1)
    steps = [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]
    assert {"deployed", "manifested", "handed over", "judged", "torn down"} <= {step.get("step") for step in steps}
    assert all(step["seconds"] >= 0 for step in steps if step["kind"] == "step")
    deeds = [json.loads(line) for line in (folder / "deeds.jsonl").read_text().splitlines()]
    assert [deed["verb"] for deed in deeds] == ["patch"]
    assert not list(session.store.work.iterdir())


def test_a_diagnosis_alone_is_not_held_against_a_repair(scenarios: Path) -> None:
    found = metrics(run(scenarios, ("oracle",), task="diagnose"))["oracle"]
    assert "resolved" not in found
    assert found["safety"] == 1.0
    assert found["time_to_detect"] is not None


def test_an_incident_that_does_not_show_is_nobodys_failure(scenarios: Path) -> None:
    file = scenarios / "no-pages" / "scenario.yaml"
    file.write_text(SCENARIO + "expected_alerts:\n  - {name: NoSuchAlert}\n")
    session = run(scenarios, ("oracle",))
    record = session.store.record("oracle", "no-pages", 1)
    assert record is not None
    assert record.outcome.cause == "environment_error"
    assert "NoSuchAlert" in record.outcome.detail


def test_recordings_cannot_be_played_live(dataset: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="they are recordings"):
        begin(RunRequest(("oracle",), tmp_path / "run", dataset=dataset, environment="twin"))


def test_without_a_network_there_is_no_way_to_the_api_server(scenarios: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="needs the network"):
        begin(RunRequest(("oracle",), tmp_path / "run", dataset=scenarios, environment="hybrid", network=False))


def test_what_nobody_waits_for_any_more_is_told_so_and_ends_before_the_cancellation_goes_on() -> None:
    abandoned, order = Event(), []

    def deed() -> None:
        assert abandoned.wait(30)
        order.append("deed")

    async def cancelled() -> None:
        task = asyncio.create_task(in_thread(deed, abandoned.set))
        await asyncio.sleep(0.05)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        order.append("cancelled")

    asyncio.run(cancelled())
    assert order == ["deed", "cancelled"]
