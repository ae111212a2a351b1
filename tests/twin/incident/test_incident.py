from __future__ import annotations

import pytest

from itbench.cluster.reference import ObjectRef
from itbench.model.errors import DatasetError
from itbench.twin.incident.incident import Incident, begin_of
from itbench.twin.incident.measure import Worlds
from itbench.twin.incident.plan import plan
from itbench.twin.randomness import Streams

from .conftest import Write, scaled_to_zero, target, wrong_port


def test_the_fault_comes_after_the_healthy_time_and_the_recording_ends_when_it_should(cart_gone: Worlds) -> None:
    assert [item.time for item in cart_gone.injected] == [120.0]
    assert sum(len(flow) * flow.seconds for flow in cart_gone.faulted.flows) == 420.0


def test_the_worlds_are_equal_to_the_last_bit_until_the_fault(cart_gone: Worlds) -> None:
    def before(flows):
        return [flow for flow in flows if flow.first * flow.seconds < 120.0]

    for one, two in zip(before(cart_gone.faulted.flows), before(cart_gone.healthy.flows), strict=True):
        length = min(len(one), round(120 / one.seconds) - one.first)
        assert (one.arrivals[:length] == two.arrivals[:length]).all()
        assert (one.answers.times[..., 0][:, :length] == two.answers.times[..., 0][:, :length]).all()


def test_the_healthy_world_has_no_fault(cart_gone: Worlds) -> None:
    names = {seen.object["metadata"]["name"] for seen in cart_gone.healthy.observations if seen.object["kind"] == "Pod"}
    gone = {seen.object["metadata"]["name"] for seen in cart_gone.healthy.observations if seen.type == "DELETED"}
    assert any(name.startswith("cart-") for name in names)
    assert not any(name.startswith("cart-") for name in gone)


def test_a_world_without_its_fault_is_the_same_whatever_the_fault_is(write: Write) -> None:
    first, second = (Incident(plan(write(item)), 4, faulted=False) for item in (scaled_to_zero("cart"), wrong_port("store")))
    for incident in (first, second):
        incident.play()
    one, two = first.happened(), second.happened()
    assert [seen.object for seen in one.observations] == [seen.object for seen in two.observations]
    assert all((a.arrivals == b.arrivals).all() for a, b in zip(one.flows, two.flows, strict=True))


def test_waiters_run_in_both_worlds_at_the_same_moments(write: Write) -> None:
    restart = {"id": "restart-kubernetes-workload", "args": {"kubernetesObject": target("Deployment", "reco")}}
    disruption = {"faults": [scaled_to_zero("cart")], "after": [restart]}
    ready = plan(write(disruptions=[disruption]))
    faulted = Incident(ready, 4)
    faulted.play()
    healthy = Incident(ready, 4, faulted=False, moments=faulted.moments)
    healthy.play()
    assert healthy.moments == faulted.moments
    ref = ObjectRef("Deployment", "reco", "shop")
    for incident in (faulted, healthy):
        annotations = incident.running.twin.cluster.get(ref)["spec"]["template"]["metadata"].get("annotations", {})
        assert "kubectl.kubernetes.io/restartedAt" in annotations


def test_undo_takes_everything_back(write: Write) -> None:
    incident = Incident(plan(write(scaled_to_zero("cart"), wrong_port("store"))), 4)
    cluster = incident.running.twin.cluster
    refs = ObjectRef("Deployment", "cart", "shop"), ObjectRef("Service", "store", "shop")
    before = [cluster.get(ref)["spec"] for ref in refs]
    incident.play()
    assert [cluster.get(ref)["spec"] for ref in refs] != before
    incident.undo()
    assert [cluster.get(ref)["spec"] for ref in refs] == before


def test_pods_that_the_scenario_replaced_are_replaced_again_and_no_others(write: Write) -> None:
    replace = {"id": "delete-workload-pods", "args": {"kubernetesObject": target("Deployment", "reco")}}
    incident = Incident(plan(write(disruptions=[{"faults": [wrong_port("store")], "after": [replace]}])), 4)
    incident.play()

    def pods() -> dict[str, set[str]]:
        listed = incident.running.twin.cluster.list("Pod", "shop")
        names = {pod["metadata"]["name"] for pod in listed}
        return {service: {name for name in names if name.startswith(f"{service}-")} for service in ("reco", "cart")}

    before, since = pods(), incident.now
    incident.replace_pods()
    after = pods()
    assert len(before["reco"]) == len(after["reco"]) == 1
    assert not before["reco"] & after["reco"]
    assert before["cart"] == after["cart"] != set()
    assert incident.now > since


def test_where_the_scenario_replaced_no_pods_none_are_replaced(write: Write) -> None:
    incident = Incident(plan(write(wrong_port("store"))), 4)
    incident.play()
    pods = {pod["metadata"]["name"] for pod in incident.running.twin.cluster.list("Pod", "shop")}
    since = incident.now
    incident.replace_pods()
    assert {pod["metadata"]["name"] for pod in incident.running.twin.cluster.list("Pod", "shop")} == pods
    assert incident.now == since


def test_two_faults_on_one_field_are_refused_with_the_line_of_the_second(write: Write) -> None:
    file = write(disruptions=[{"faults": [wrong_port("store")]}, {"at": "1m", "faults": [wrong_port("store")]}])
    with pytest.raises(DatasetError) as caught:
        Incident(plan(file), 4).play()
    assert caught.value.key is not None
    assert caught.value.key.startswith("disruptions[1].faults[0]")
    assert caught.value.line is not None


def test_a_missing_object_is_told_with_its_place(write: Write) -> None:
    with pytest.raises(DatasetError, match="basket") as caught:
        Incident(plan(write(scaled_to_zero("basket"))), 4).play()
    assert caught.value.path is not None
    assert caught.value.line is not None


def test_recordings_begin_in_the_daytime_of_a_day_that_the_seed_chooses() -> None:
    begins = [begin_of(Streams(seed)) for seed in range(50)]
    assert len({begin.date() for begin in begins}) > 30
    assert all(7 <= begin.hour <= 19 and begin.second == 0 for begin in begins)
    assert begin_of(Streams(3)) == begins[3]
