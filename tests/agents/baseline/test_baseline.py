from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from itbench.agents.baseline.agent import Baseline
from itbench.agents.baseline.case import Case
from itbench.agents.baseline.clues import RULES, blame, changes, closeness, is_restart
from itbench.agents.protocol import AgentResult, Workspace
from itbench.agents.registry import make_agent
from itbench.environments.tasks import make_task
from itbench.model.errors import UsageError
from itbench.model.task import Budget
from itbench.tools.diff import FieldChange

from .conftest import RESTART, SCALED_TO_ZERO, WRONG_PORT, Incident

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def answered(folder: Path | None, tmp_path: Path, agent: Baseline | None = None, domain: str = "sre") -> AgentResult:
    task = make_task(domain, None, Budget(), 0)  # type: ignore[arg-type]
    return asyncio.run((agent or Baseline()).run(task, Workspace(tmp_path / "work", folder, tmp_path)))


def roots(result: AgentResult) -> list[str]:
    assert result.output is not None, result.detail
    return [item["name"] for item in json.loads(result.output)["entities"] if item["contributing_factor"]]


def test_a_changed_service_is_named_and_nothing_else(incident: Incident, tmp_path: Path) -> None:
    assert roots(answered(incident(WRONG_PORT), tmp_path)) == ["shop/Service/cart"]


def test_a_restart_beside_the_incident_is_no_cause(incident: Incident, tmp_path: Path) -> None:
    folder = incident(SCALED_TO_ZERO, after=(RESTART,))
    assert roots(answered(folder, tmp_path)) == ["shop/Deployment/store"]


def test_what_hides_behind_another_cause_is_told_but_not_named(incident: Incident, tmp_path: Path) -> None:
    # Nobody gets through to cart any more, so that nobody misses store.
    result = answered(incident(WRONG_PORT, SCALED_TO_ZERO), tmp_path)
    assert roots(result) == ["shop/Service/cart"]
    assert result.output is not None
    assert "shop/Deployment/store" in [item["name"] for item in json.loads(result.output)["entities"]]


def test_trouble_is_followed_to_the_callers(incident: Incident, tmp_path: Path) -> None:
    result = answered(incident(WRONG_PORT), tmp_path)
    assert result.output is not None
    steps = {(step["source"], step["target"]) for step in json.loads(result.output)["propagations"]}
    assert ("shop/Service/cart", "shop/Service/front") in steps


def test_without_the_rule_of_changes_trouble_is_blamed_on_the_application_where_it_begins(
    incident: Incident, tmp_path: Path
) -> None:
    named = roots(answered(incident(WRONG_PORT), tmp_path, Baseline("changes")))
    assert named == ["shop/Deployment/cart"]


def test_equal_snapshots_get_equal_answers(incident: Incident, tmp_path: Path) -> None:
    first, second = (answered(incident(WRONG_PORT), tmp_path) for _ in range(2))
    assert first.output == second.output


def test_the_trajectory_tells_what_each_rule_found(incident: Incident, tmp_path: Path) -> None:
    result = answered(incident(WRONG_PORT), tmp_path)
    assert result.trajectory is not None
    asked = [call.function_name for step in result.trajectory.steps for call in step.tool_calls or ()]
    assert asked == list(RULES)
    assert "targetPort" in str(result.trajectory.steps[1].observation)


def test_it_never_looks_at_a_truth_that_lies_beside_the_files(incident: Incident, tmp_path: Path) -> None:
    folder = incident(WRONG_PORT)
    truth = (folder / "ground_truth.yaml").read_text()
    before = answered(folder, tmp_path).output
    try:
        (folder / "ground_truth.yaml").write_text("groups: [{id: x, kind: Node, name: other, root_cause: true}]\n")
        assert answered(folder, tmp_path).output == before
    finally:
        (folder / "ground_truth.yaml").write_text(truth)


def test_tasks_that_it_has_no_rules_for_are_failures_with_a_reason(incident: Incident, tmp_path: Path) -> None:
    assert "no bill to look at" in answered(incident(WRONG_PORT), tmp_path, domain="finops").detail
    assert "no data" in answered(None, tmp_path).detail
    (tmp_path / "empty").mkdir()
    assert answered(tmp_path / "empty", tmp_path).failure == "agent_error"


def test_rules_are_left_out_by_name() -> None:
    agent = make_agent("baseline-without:changes,logs")
    assert isinstance(agent, Baseline)
    assert list(agent.rules) == [name for name in RULES if name not in ("changes", "logs")]
    with pytest.raises(UsageError, match="no rule 'magic'"):
        make_agent("baseline-without:magic")


def test_the_onset_lies_at_the_beginning_of_trouble_and_not_at_the_alert(wrong_port: Case) -> None:
    assert timedelta(minutes=9) <= wrong_port.onset - wrong_port.start <= timedelta(minutes=11)


def test_blame_lies_where_no_callee_explains_the_trouble(wrong_port: Case) -> None:
    assert {clue.entity.name for clue in blame(wrong_port)} == {"cart"}


def test_changes_that_mean_nothing_weigh_next_to_nothing(wrong_port: Case) -> None:
    found = {str(clue.entity): clue.points for clue in changes(wrong_port)}
    assert found.pop("shop/Service/cart") == pytest.approx(1.0)
    assert all(points < 0.05 for points in found.values())


@pytest.mark.parametrize(("minutes", "expected"), [(0, 1.0), (-5, 1.0), (1, 1.0), (-16, 0.5), (5, 0.5), (-26, 0.25)])
def test_causes_come_shortly_before_their_effects(minutes: float, expected: float) -> None:
    assert closeness(NOON + timedelta(minutes=minutes), NOON) == pytest.approx(expected)


def test_what_a_restart_writes_is_known_also_the_first_time() -> None:
    stamp = "kubectl.kubernetes.io/restartedAt"
    assert is_restart(FieldChange(f"spec.template.metadata.annotations.{stamp}", "changed", "a", "b"))
    assert is_restart(FieldChange("spec.template.metadata.annotations", "added", None, {stamp: "b"}))
    assert not is_restart(FieldChange("spec.template.metadata.annotations", "added", None, {stamp: "b", "x": "y"}))
    assert not is_restart(FieldChange("spec.replicas", "changed", 1, 2))
