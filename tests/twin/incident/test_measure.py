from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from itbench.twin.flow.state import Kind
from itbench.twin.incident.impacts import Thresholds, impacts, lasting
from itbench.twin.incident.levels import Levels
from itbench.twin.incident.measure import Measured, Worlds, measure, play
from itbench.twin.incident.plan import plan
from itbench.twin.telemetry.recording import Happened

from .conftest import Write, scaled_to_zero, target, wrong_port

_NAME = "app.kubernetes.io/name"


def aspects(measured: Measured, service: str) -> set[str]:
    return {impact.aspect for impact in measured.impacts if impact.service == service}


def steps(measured: Measured) -> set[tuple[str, str, str]]:
    return {(step.source, step.target, step.spread) for step in measured.chain.steps}


def test_what_is_gone_is_missing_and_its_callers_fail(cart_gone_measured: Measured) -> None:
    assert "missing" in aspects(cart_gone_measured, "cart")
    assert {"errors", "calls"} <= aspects(cart_gone_measured, "front")
    assert aspects(cart_gone_measured, "catalog") == set()


def test_the_chain_goes_from_the_object_to_the_callers_and_to_what_they_no_longer_call(cart_gone_measured: Measured) -> None:
    assert cart_gone_measured.chain.first == {0: ("cart",)}
    assert steps(cart_gone_measured) == {("cart", "front", "errors"), ("cart", "store", "starved")}


def test_the_kind_of_failure_is_that_of_most_calls(cart_gone_measured: Measured) -> None:
    (step,) = (step for step in cart_gone_measured.chain.steps if step.target == "front")
    assert step.kind in (Kind.REFUSED, Kind.TIMEOUT)
    assert step.share == pytest.approx(1.0, abs=0.02)


def test_onsets_lie_after_the_injection(cart_gone_measured: Measured) -> None:
    assert cart_gone_measured.onset is not None
    assert 120.0 <= cart_gone_measured.onset <= 130.0
    assert all(impact.onset >= 120.0 for impact in cart_gone_measured.impacts)


def test_users_lose_as_many_requests_as_they_make_after_the_fault(cart_gone_measured: Measured) -> None:
    burned = cart_gone_measured.burned
    assert burned.requests == pytest.approx(5 * 300, rel=0.05)
    assert burned.failed == pytest.approx(burned.requests, rel=0.05)
    assert burned.budget == pytest.approx(burned.failed / (5 * 30 * 86_400 * 0.001), rel=0.05)


def test_without_a_difference_there_is_no_impact_no_origin_and_no_chain(cart_gone_measured: Measured) -> None:
    healthy = cart_gone_measured.levels[1]
    assert impacts(healthy, healthy) == ()


def test_a_service_without_working_port_is_the_first_of_its_chain(write: Write) -> None:
    measured = measure(play(plan(write(wrong_port("store"))), seed=4))
    assert measured.chain.first == {0: ("store",)}
    assert steps(measured) == {("store", "cart", "errors"), ("cart", "front", "errors")}
    assert {origin.cause.mechanism for origin in measured.origins} == {"port closed"}


def test_a_step_that_outlasts_the_recording_is_recorded_in_both_worlds(write: Write) -> None:
    cart = {"kubernetesObject": target("Deployment", "cart")}
    image = {"id": "nonexistent-kubernetes-workload-container-image", "args": {**cart, "container": {"name": "cart"}}}
    restart = {"id": "restart-kubernetes-workload", "args": cart}  # never ends where there is no image
    file = write(timeline={"before": "1m", "after": "1m"}, disruptions=[{"faults": [image], "after": [restart]}])
    worlds = play(plan(file), seed=4)
    assert {sum(map(len, world.flows)) for world in (worlds.faulted, worlds.healthy)} == {72}  # 60 s and the waiter's 300 s
    assert "unready" in aspects(measure(worlds), "cart")


def test_each_of_two_faults_has_its_own_first_services(write: Write) -> None:
    slow = {
        "id": "modified-kubernetes-workload-container-environment-variable",
        "args": {
            "kubernetesObject": target("Deployment", "front"),
            "container": {"name": "front", "env": {"name": "RECO_ADDR", "value": "suggestions:80"}},
        },
    }
    file = write(disruptions=[{"faults": [wrong_port("store")]}, {"at": "1m", "faults": [slow]}])
    measured = measure(play(plan(file), seed=4))
    assert measured.chain.first[0] == ("store",)
    assert measured.chain.first[1] == ("front",)


@pytest.mark.parametrize(("on", "expected"), [(5, False), (6, True), (12, True)])
def test_a_difference_counts_if_it_lasts_half_a_minute(on: int, expected: bool) -> None:
    flags = np.zeros((60, 1), dtype=bool)
    flags[20 : 20 + on] = True
    assert lasting(flags, 5.0, Thresholds()).any() == expected


def test_bursts_count_if_they_fill_half_of_a_minute() -> None:
    flags = (np.arange(60) % 2 == 0)[:, None]
    assert (lasting(flags, 5.0, Thresholds()) == flags).all()


def test_a_step_needs_a_roof_above_it(cart_gone_measured: Measured) -> None:
    reached = set(cart_gone_measured.chain.first[0])
    for step in cart_gone_measured.chain.steps:
        assert step.source in reached
        reached.add(step.target)


def network_delay(name: str) -> dict[str, Any]:
    chaos = {"action": "delay", "mode": "all", "selector": {"namespaces": ["shop"], "labelSelectors": {_NAME: "cart"}}}
    ref = {
        "apiVersion": "chaos-mesh.org/v1alpha1",
        "kind": "Schedule",
        "metadata": {"name": name, "namespace": "chaos-mesh"},
    }
    spec = {"type": "NetworkChaos", "networkChaos": {**chaos, "delay": {"latency": "300ms"}}}
    return {"id": "scheduled-chaos-mesh-experiment", "args": {"kubernetesObject": ref, "scheduleSpec": spec}}


def test_an_experiment_acts_at_the_service_that_it_selects_not_at_those_which_that_one_calls(write: Write) -> None:
    measured = measure(play(plan(write(network_delay("one"))), seed=4))
    assert {(origin.cause.at, origin.cause.towards) for origin in measured.origins} <= {("front", "cart"), ("cart", "store")}
    assert measured.chain.first == {0: ("cart",)}
    assert "store" not in measured.chain.services


def test_two_faults_that_do_the_same_to_one_service_both_act_there(write: Write) -> None:
    file = write(disruptions=[{"faults": [network_delay("one")]}, {"at": "1m", "faults": [network_delay("two")]}])
    measured = measure(play(plan(file), seed=4))
    assert measured.chain.first == {0: ("cart",), 1: ("cart",)}


def with_runs(happened: Happened, service: str, *more: list[int]) -> Levels:
    """Levels of the same world with further pods of a service, of which it is told which run is on, from tick 30 on."""
    like = next(usage for usage in happened.usages if usage.service == service)
    pods = []
    for runs in more:
        run = np.zeros_like(like.run)
        run[30:] = (runs + [runs[-1]] * len(run))[: len(run) - 30]
        pods.append(replace(like, run=run, serving=run > 0))
    return Levels.of(replace(happened, usages=[*happened.usages, *pods]))


def test_more_pods_are_a_surplus_and_no_restarts(cart_gone: Worlds, cart_gone_measured: Measured) -> None:
    scaled = with_runs(cart_gone.healthy, "front", [1], [1])
    (found,) = (item for item in impacts(cart_gone_measured.levels[1], scaled) if item.aspect in ("surplus", "restarts"))
    assert (found.aspect, found.onset, found.healthy, found.peak) == ("surplus", 150.0, 2.0, 4.0)


def test_a_container_that_ends_and_begins_again_restarts_once_for_each_end(cart_gone: Worlds) -> None:
    crashing = with_runs(cart_gone.healthy, "front", [1, 1, 0, 2, 0, 3])
    assert crashing.restarts[[29, 30, 32, 33, 35, -1], crashing.services.index("front")].tolist() == [0, 0, 1, 1, 2, 2]


def test_scaling_down_one_of_two_pods_is_seen_in_the_pods_alone(write: Write) -> None:
    measured = measure(play(plan(write(scaled_to_zero("reco"))), seed=4))
    assert "missing" in aspects(measured, "reco")
    assert all(impact.service != "load" for impact in measured.impacts)
