"""A world that goes on by itself, and a live incident without an API server."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from itbench.cluster.reference import ObjectRef
from itbench.environments.live.gates import manifested, unhealthy
from itbench.environments.live.mending import mend
from itbench.environments.live.stage import LiveSettings, Stage, StageError
from itbench.environments.live.world import World
from itbench.model.errors import NotFoundError, UsageError
from itbench.twin.incident.incident import Incident
from itbench.twin.incident.plan import Plan

PAGE = ObjectRef.parse("deploy/productpage-v1", "book-info")
DETAILS = ObjectRef.parse("deploy/details-v1", "book-info")


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it did not come to be"
        time.sleep(0.05)


def quiet(_kind: str, **_data: object) -> None:
    """A note that nobody reads."""


def test_time_passes_by_itself_and_ends_at_a_whole_tick(planned: Callable[..., Plan]) -> None:
    incident = Incident(planned(), 7)
    incident.wait_until(60)
    with World(incident, scale=100):
        until(lambda: incident.now > 75)
    assert incident.now == incident.ticked
    assert incident.now % incident.running.tick == 0
    ended = incident.now
    incident.advance(5)
    assert incident.now == ended + 5


def test_a_change_is_acted_upon_within_a_tick(planned: Callable[..., Plan]) -> None:
    incident = Incident(planned(), 7)
    incident.wait_until(60)
    cluster = incident.running.twin.cluster
    with World(incident, scale=10) as world:
        with world.lock:
            cluster.scale(DETAILS, 2)
            world.wake()

        def two() -> bool:
            with world.lock:
                return bool(cluster.get(DETAILS)["status"].get("replicas") == 2)

        until(two)


def test_a_world_in_real_time_is_the_same_as_one_at_once(planned: Callable[..., Plan]) -> None:
    one, other = Incident(planned(), 7), Incident(planned(), 7)
    with World(one, scale=500):
        until(lambda: one.now > 120)
    other.wait_until(one.now)
    pods = [[pod["metadata"]["name"] for pod in each.running.twin.cluster.list("Pod", "book-info")] for each in (one, other)]
    assert pods[0] == pods[1]
    flows = [each.happened().flows for each in (one, other)]
    totals = [sum(float(flow.arrivals.sum()) for flow in found) for found in flows]
    assert totals[0] == pytest.approx(totals[1], rel=1e-12)


@pytest.mark.parametrize("scale", [0, -1, 1e9, float("nan")])
def test_impossible_speeds_are_refused(planned: Callable[..., Plan], scale: float) -> None:
    with pytest.raises(UsageError, match="cannot pass"):
        World(Incident(planned(), 7), scale=scale)


def test_a_defect_of_the_simulation_is_told(planned: Callable[..., Plan], monkeypatch: pytest.MonkeyPatch) -> None:
    incident = Incident(planned(), 7)

    def broken(_seconds: float) -> None:
        raise ZeroDivisionError("boom")

    monkeypatch.setattr(incident, "advance", broken)
    with World(incident) as world:
        until(lambda: world.failure is not None)
    assert isinstance(world.failure, ZeroDivisionError)


def test_the_warm_up_gate_sees_workloads_that_are_not_ready(planned: Callable[..., Plan]) -> None:
    incident = Incident(planned(), 7)
    assert unhealthy(incident) == []
    template = {"spec": {"nodeSelector": {"disk": "no"}}}
    strategy = {"type": "Recreate", "rollingUpdate": None}
    incident.running.twin.cluster.patch(DETAILS, {"spec": {"template": template, "strategy": strategy}})
    incident.wait_until(60)
    assert unhealthy(incident) == ["Deployment details-v1 has 0 of 1 pods ready"]


def test_the_manifestation_gate_waits_for_the_expected_alerts(planned: Callable[..., Plan]) -> None:
    found = planned("expected_alerts:\n  - {name: NoSuchAlert}\n")
    incident = Incident(found, 7)
    incident.play()
    before = incident.now
    seen, missing = manifested(incident)
    assert seen
    assert missing == ["NoSuchAlert"]
    assert incident.now >= before + 600


def stage_of(plan: Plan, note: Any = quiet, **settings: Any) -> Stage:
    return Stage(plan, 7, LiveSettings("twin", **settings), note)


def test_an_incident_that_does_not_show_is_an_error_of_the_environment(planned: Callable[..., Plan]) -> None:
    told: list[str] = []
    found = planned("expected_alerts:\n  - {name: NoSuchAlert}\n")
    with (
        stage_of(found, lambda kind, **_: told.append(kind)) as stage,
        pytest.raises(StageError, match="nothing is seen of NoSuchAlert"),
    ):
        stage.begin()
    assert "step_failed" in told


def test_an_accepted_fix_resolves_and_is_safe(planned: Callable[..., Plan], tmp_path: Path) -> None:
    with stage_of(planned()) as stage:
        stage.begin()
        stage.hand_over(tmp_path / "snapshot")
        assert (tmp_path / "snapshot" / "alerts").is_dir()
        mend(stage.incident.injected, stage.cluster)
        verdict = stage.judge()
    assert verdict.resolution.resolved, str(verdict.resolution)
    assert verdict.safety.values == {"safety": 1.0}
    assert verdict.left == ()
    assert [deed.verb for deed in verdict.deeds if deed.verb != "get"] == ["patch"]


def test_who_does_nothing_has_resolved_nothing_and_leaves_nothing(planned: Callable[..., Plan], tmp_path: Path) -> None:
    with stage_of(planned()) as stage:
        stage.begin()
        stage.hand_over(tmp_path / "snapshot")
        verdict = stage.judge()
    assert not verdict.resolution.resolved
    assert verdict.undo.endswith("1 set back")
    assert verdict.left == ()


def test_what_the_agent_broke_besides_is_told(planned: Callable[..., Plan], tmp_path: Path) -> None:
    with stage_of(planned()) as stage:
        stage.begin()
        stage.hand_over(tmp_path / "snapshot")
        stage.cluster.scale(PAGE, 1)
        stage.cluster.scale(DETAILS, 0)
        with pytest.raises(NotFoundError):
            stage.cluster.delete(ObjectRef.parse("deploy/no-such", "book-info"))
        verdict = stage.judge()
    assert not verdict.resolution.resolved
    assert verdict.safety.values == {"safety": 0.0}
    assert verdict.left == ("deployment/details-v1: spec.replicas",)
    assert [str(deed) for deed in verdict.deeds][-1].startswith("delete book-info/Deployment/no-such (refused")
