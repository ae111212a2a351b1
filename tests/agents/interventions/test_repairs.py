"""The right intervention repairs the right failure, the others do not, and successes are left alone."""

from __future__ import annotations

import pytest

from itbench.agents.interventions.catalogue import INTERVENTIONS

ROOT = ["shop/Service/cart"]
REPAIRS = {
    "Repeats": "loop",
    "Invents": "gate",
    "StopsEarly": "fsm",
    "Overstays": "fsm",
    "Forgets": "summariser",
    "Drowns": "hygiene",
    "Prose": "format",
}
pytestmark = pytest.mark.integration


@pytest.mark.parametrize(("flaw", "name"), REPAIRS.items())
def test_the_right_intervention_repairs_the_failure(work, flaky, flaw, name):
    agent = getattr(flaky, flaw)
    alone, guarded = work(agent), work(agent, name)
    assert alone.blamed != ROOT
    assert (guarded.blamed, name in guarded.stepped_in) == (ROOT, True)


@pytest.mark.parametrize("flaw", REPAIRS)
def test_interventions_for_other_failures_do_not(work, flaky, flaw):
    others = ",".join(name for name in INTERVENTIONS if name != REPAIRS[flaw] and name != "fsm")
    assert work(getattr(flaky, flaw), others).blamed != ROOT


@pytest.mark.parametrize("name", [*INTERVENTIONS, ",".join(INTERVENTIONS)])
def test_a_success_is_left_alone(work, flaky, name):
    alone, guarded = work(flaky.Sound), work(flaky.Sound, name)
    assert alone.blamed == guarded.blamed == ROOT
    assert guarded.result.output == alone.result.output
    assert len(guarded.result.trajectory.steps) == len(alone.result.trajectory.steps)
    assert set(guarded.stepped_in) <= {"hygiene"}  # which only shortens what is long


def test_what_an_intervention_says_stands_in_the_trajectory_with_its_name(work, flaky):
    trajectory = work(flaky.Invents, "gate(tries=1)").result.trajectory
    told = [step for step in trajectory.steps if step.extra and "intervention" in step.extra]
    assert [(step.source, step.extra) for step in told] == [("user", {"intervention": "gate"})]
    assert "edge-token-broker" in told[0].message
    assert trajectory.agent.extra["interventions"] == "gate(tries=1)"


def test_a_held_call_is_marked_and_never_reaches_the_tool(work, flaky):
    steps = work(flaky.Repeats, "loop").result.trajectory.steps
    held = [r for step in steps if step.observation for r in step.observation.results if r.extra and "held_by" in r.extra]
    assert [each.extra for each in held] == [{"held_by": "loop"}]
    assert held[0].content.startswith("reminder: you have asked this 1 time before")


def test_no_guard_can_cost_an_answer(work, flaky):
    class Stubborn(flaky.Invents):
        def step(self, messages, tools):
            if not self.asked(messages, "incident_overview", {}):
                return super().step(messages, tools)
            return flaky.diagnosis("shop/Deployment/nowhere", "x=1")

    worked = work(Stubborn, ",".join(INTERVENTIONS))
    assert worked.blamed == ["shop/Deployment/nowhere"]
    assert worked.stepped_in.count("gate") == 2


def test_a_loop_that_never_ends_is_ended(work, flaky):
    class Endless(flaky.Repeats):
        def step(self, messages, tools):
            return flaky.call("again", "alert_summary", {}) if tools else flaky.diagnosis()

    steps = work(Endless, "loop(stops=3)").result.trajectory.steps
    assert sum(step.source == "agent" for step in steps) == 1 + 3 + 1


def test_a_step_that_returns_nonsense_is_the_agents_failure(work):
    class Nonsense:
        def step(self, messages, tools):
            return 42

    assert (work(Nonsense).result.failure, work(Nonsense).result.output) == ("agent_error", None)
