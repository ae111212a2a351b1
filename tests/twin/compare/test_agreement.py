from __future__ import annotations

import string
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itbench.twin.compare.agreement import ASPECTS, Told, compare
from itbench.twin.compare.service_levels import Level, Shift
from itbench.twin.compare.validation import ComparedFault, validation
from itbench.twin.compare.worlds import read_world
from itbench.twin.telemetry.history import Observation

from .kube import NAMESPACE, broken_pull, deployment, event, observed


def told(observations: Sequence[Observation], end: float = 30.0, **more) -> Told:
    return Told(read_world(observations, NAMESPACE, end), **more)


def shift(failed: float = 0, seconds: float = 0.1, requests: float = 100) -> Shift:
    before = Level(requests=100, failed=0, seconds=10)
    return Shift(before=before, under=Level(requests=requests, failed=failed, seconds=seconds * requests))


def test_generated_names_and_a_slower_machine_are_no_difference() -> None:
    found = compare(told(broken_pull("7c9d8f", "x2b4c")), told(broken_pull("6b5d4c", "zzzzz", slower=3)), 0)
    assert {name: found[name].agreement for name in ("events", "states", "order")} == {"events": 1, "states": 1, "order": 1}
    assert "Deployment/web pods: 1 pulling" in found["states"].both
    assert found["events"].both == ("Deployment web: ScalingReplicaSet", "Pod web: Failed")


def test_an_event_that_only_one_has_is_told() -> None:
    more = [*broken_pull("7c9d8f", "x2b4c"), observed(9, event("Pod", "web-7c9d8f-x2b4c", "BackOff"))]
    events = compare(told(broken_pull("7c9d8f", "x2b4c")), told(more), 0)["events"]
    assert events.agreement == pytest.approx(2 / 3)
    assert (events.twin_only, events.other_only) == ((), ("Pod web: BackOff",))


def test_another_reason_to_wait_is_a_difference_of_states() -> None:
    states = compare(
        told(broken_pull("7c9d8f", "x2b4c")), told(broken_pull("7c9d8f", "x2b4c", reason="CrashLoopBackOff")), 0
    )["states"]
    assert "Deployment/web pods: 1 pulling" in states.twin_only
    assert "Deployment/web pods: 1 failing" in states.other_only
    assert "Deployment/web a pod: waiting ErrImagePull" in states.twin_only
    assert "Deployment/web a pod: never" in states.other_only
    assert states.agreement is not None
    assert 0 < states.agreement < 1


def test_objects_that_stay_as_they_are_do_not_count() -> None:
    quiet = [observed(-1, deployment(1)), observed(2, deployment(1), "MODIFIED")]
    found = compare(told(quiet), told(quiet), 0)
    assert found["states"].agreement is None
    assert found["states"].note == "no object moved"


def test_what_only_one_world_does_counts_against_the_twin() -> None:
    still = [observed(-1, deployment(1))]
    moved = [*still, observed(2, deployment(0), "MODIFIED")]
    states = compare(told(still), told(moved), 0)["states"]
    assert states.agreement == 0
    assert (states.twin_only, states.other_only) == (("Deployment/web ready: 1",), ("Deployment/web ready: 0",))


def test_a_value_that_the_other_had_just_now_is_no_difference() -> None:
    flickering = [
        observed(-1, deployment(1)),
        observed(5, deployment(0), "MODIFIED"),
        observed(25, deployment(1), "MODIFIED"),
    ]
    steady = [observed(-1, deployment(1)), observed(5, deployment(0), "MODIFIED")]
    assert compare(told(flickering), told(steady), 0)["states"].agreement == 1
    assert compare(told(flickering, 40), told(steady, 40), 0)["states"].agreement == 0


def test_another_order_is_told() -> None:
    states = [deployment(0), deployment(1), deployment(2)]
    one = [observed(-1, deployment(5)), *(observed(5.0 * at, each, "MODIFIED") for at, each in enumerate(states, 1))]
    other = [
        observed(-1, deployment(5)),
        *(observed(5.0 * at, each, "MODIFIED") for at, each in enumerate([states[0], states[2], states[1]], 1)),
    ]
    order = compare(told(one), told(other), 0)["order"]
    assert order.agreement == pytest.approx(2 / 3)
    assert order.twin_only == ("Deployment/web ready: 1 before Deployment/web ready: 2",)
    assert order.other_only == ("Deployment/web ready: 2 before Deployment/web ready: 1",)


def test_no_order_is_told_of_what_comes_within_a_second() -> None:
    one = [observed(-1, deployment(5)), observed(5, deployment(0), "MODIFIED"), observed(5.5, deployment(1), "MODIFIED")]
    other = [observed(-1, deployment(5)), observed(5, deployment(1), "MODIFIED"), observed(9, deployment(0), "MODIFIED")]
    assert compare(told(one), told(other), 0)["order"].agreement is None


def test_alerts_are_compared_by_set_and_by_onset() -> None:
    one = told([], alerts={"Errors (web)": 120.0, "Silent (cart)": 300.0})
    other = told([], alerts={"Errors (web)": 180.0, "Late (cart)": 300.0})
    exact, loose = compare(one, other, 0), compare(one, other, 60)
    assert exact["alerts"].agreement == pytest.approx(1 / 3)
    assert (exact["onsets"].agreement, loose["onsets"].agreement) == (0, 1)
    assert exact["onsets"].twin_only == ("Errors (web) after 120 s",)


def test_alerts_that_nobody_waited_for_are_not_compared() -> None:
    found = compare(told([], alerts={"Errors (web)": 60.0}), told([]), 60)
    assert found["alerts"].agreement is None
    assert "not waited for" in found["alerts"].note


@pytest.mark.parametrize(
    ("moved", "errors", "latency"),
    [
        (shift(), "same", "same"),
        (shift(failed=4), "same", "same"),
        (shift(failed=6), "up", "same"),
        (shift(seconds=0.2), "same", "same"),
        (shift(seconds=0.4), "same", "up"),
        (shift(seconds=0.02), "same", "down"),
        (shift(requests=0), "silent", "silent"),
    ],
)
def test_directions(moved: Shift, errors: str, latency: str) -> None:
    assert (moved.errors(), moved.latency()) == (errors, latency)


def test_a_service_without_requests_before_tells_nothing() -> None:
    idle = Level(requests=1, failed=1, seconds=1)
    assert (Shift(before=idle, under=idle).errors(), Shift(before=idle, under=idle).latency()) == (None, None)


def test_services_that_move_otherwise_are_told() -> None:
    one = told([], shifts={"web": shift(failed=50), "cart": shift(), "pay": shift(failed=50)})
    other = told([], shifts={"web": shift(failed=80), "cart": shift(), "pay": shift(requests=0)})
    errors = compare(one, other, 0)["errors"]
    assert errors.agreement == 0.5
    assert (errors.both, errors.twin_only, errors.other_only) == (("web up",), ("pay up",), ("pay silent",))


_times = st.lists(st.tuples(st.floats(0, 29), st.integers(0, 3), st.sampled_from(string.ascii_uppercase)), max_size=8)


def _stream(moves: list[tuple[float, int, str]]) -> list[Observation]:
    changes = [observed(-1, deployment(1))]
    for second, ready, reason in sorted(moves):
        changes += [observed(second, deployment(ready), "MODIFIED"), observed(second, event("Pod", "web-0", reason))]
    return changes


@given(_times, _times)
def test_every_world_agrees_with_itself_and_agreement_does_not_depend_on_who_is_first(one, other) -> None:
    worlds = told(_stream(one)), told(_stream(other))
    alone = compare(worlds[0], worlds[0], 0)
    assert all(alone[name].agreement in (None, 1) for name in ASPECTS)
    there, back = compare(*worlds, 0), compare(*reversed(worlds), 0)
    for name in ASPECTS:
        assert there[name].agreement == back[name].agreement
        assert (there[name].twin_only, there[name].other_only) == (back[name].other_only, back[name].twin_only)
        assert there[name].agreement is None or 0 <= there[name].agreement <= 1


def _fault(name: str, *other: Observation) -> ComparedFault:
    aspects = compare(told(broken_pull("7c9d8f", "x2b4c")), told([*broken_pull("7c9d8f", "x2b4c"), *other]), 0)
    return ComparedFault(scenario=name, faults=("image",), outcome="compared", seconds=30, aspects=aspects)


def test_faults_are_summed_up_with_intervals() -> None:
    extra = observed(9, event("Pod", "web-7c9d8f-x2b4c", "BackOff"))
    failed = ComparedFault(scenario="d", faults=("image",), outcome="environment_error", cause="no Docker")
    summed = validation("kind", [_fault("a"), _fault("b"), _fault("c", extra), failed])
    events = summed.agreement["events"]
    assert events.mean == pytest.approx((1 + 1 + 2 / 3) / 3)
    assert (events.n, events.whole) == (3, pytest.approx(2 / 3))
    assert events.low is not None
    assert events.mean is not None
    assert events.high is not None
    assert events.low <= events.mean <= events.high
    assert summed.agreement["alerts"].n == 0
    assert [each.scenario for each in summed.failed] == ["d"]
