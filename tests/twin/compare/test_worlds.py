from __future__ import annotations

import math

import pytest

from itbench.twin.compare.facts import changed
from itbench.twin.compare.subjects import Subjects
from itbench.twin.compare.worlds import GONE, read_world

from .kube import NAMESPACE, broken_pull, deployment, endpoints, event, obj, observed, pod, replica_set


def test_pods_are_named_by_what_people_wrote() -> None:
    subjects = Subjects()
    subjects.learn(replica_set("5d9f8b"))
    subjects.learn(pod("x2b4c", "5d9f8b"))
    assert subjects.of(pod("x2b4c", "5d9f8b")) == "Deployment/web"
    assert subjects.told_of({"kind": "Pod", "name": "web-5d9f8b-x2b4c"}) == "Pod web"
    assert subjects.told_of({"kind": "ReplicaSet", "name": "web-5d9f8b"}) == "ReplicaSet web"


@pytest.mark.parametrize(
    ("kind", "name", "told"),
    [
        ("Pod", "product-catalog-7c9d8f6b5d-x2b4c", "Pod product-catalog"),
        ("Pod", "kafka-0", "Pod kafka-0"),
        ("ReplicaSet", "cart-7c9d8f6b5d", "ReplicaSet cart"),
        ("Deployment", "cart-7c9d8f6b5d", "Deployment cart-7c9d8f6b5d"),
    ],
)
def test_names_of_what_was_gone_before_it_was_seen_lose_what_controllers_add(kind: str, name: str, told: str) -> None:
    assert Subjects().told_of({"kind": kind, "name": name}) == told


def test_a_world_tells_before_and_after() -> None:
    world = read_world(broken_pull("7c9d8f", "x2b4c"), NAMESPACE, 30)
    assert (world.before(("Deployment/web", "ready")), world.last(("Deployment/web", "ready"))) == ("1", "0")
    assert world.last(("Deployment/web", "pods")) == "1 pulling"
    assert (world.before(("Service/web", "addresses")), world.last(("Service/web", "addresses"))) == ("1", "0")
    assert world.reasons == {("Deployment/web", "waiting ErrImagePull"): 2}
    assert world.events == {("Deployment web", "ScalingReplicaSet"), ("Pod web", "Failed")}
    assert world.fields == {"Deployment/web": 'spec.template.spec.containers[name=web].image="shop/web:none"'}


def test_a_pod_that_is_older_than_its_replica_set_has_the_same_owner() -> None:
    world = read_world([observed(-1, pod("x2b4c", "7c9d8f")), observed(-1, replica_set("7c9d8f"))], NAMESPACE, 30)
    assert world.last(("Deployment/web", "pods")) == "1 ready"
    assert not [item for item in world.histories if item[0].startswith("ReplicaSet")]


def test_what_happens_after_the_end_or_elsewhere_is_not_seen() -> None:
    late = [*broken_pull("7c9d8f", "x2b4c"), observed(31, event("Pod", "web-7c9d8f-x2b4c", "BackOff"))]
    other = event("Pod", "dns", "Killing", "kube-system") | {"metadata": {"name": "e", "namespace": "kube-system"}}
    world = read_world([*late, observed(3, other)], NAMESPACE, 30)
    assert {reason for _, reason in world.events} == {"ScalingReplicaSet", "Failed"}


def test_events_about_nodes_count_though_they_are_in_no_namespace() -> None:
    told = event("Node", "n1", "NodeNotSchedulable", "")
    assert read_world([observed(1, told)], NAMESPACE, 30).events == {("Node n1", "NodeNotSchedulable")}


def test_events_from_before_the_fault_do_not_count() -> None:
    old = event("Pod", "web-1", "Started")
    world = read_world([observed(-3, old), observed(5, old, "DELETED")], NAMESPACE, 30)
    assert world.events == set()


def test_pods_on_their_way_out_do_not_count() -> None:
    world = read_world([observed(-1, pod("a", "h")), observed(1, pod("a", "h", leaving=True), "MODIFIED")], NAMESPACE, 9)
    assert world.last(("ReplicaSet/web-h", "pods")) == "none"
    assert world.reasons == {}


def test_an_object_that_goes_is_gone() -> None:
    service = obj("Service", "web", spec={"selector": {"app": "web"}})
    world = read_world([observed(-1, service), observed(1, service, "DELETED")], NAMESPACE, 9)
    assert world.before(("Service/web", "is there")) == "yes"
    assert world.last(("Service/web", "is there")) == GONE
    assert world.fields == {"Service/web": "deleted"}


def test_late_values_are_those_of_the_last_ten_seconds() -> None:
    changes = [observed(-1, deployment(1)), observed(3, deployment(0), "MODIFIED"), observed(25, deployment(1), "MODIFIED")]
    assert read_world(changes, NAMESPACE, 30).late(("Deployment/web", "ready")) == {"0", "1"}
    assert read_world(changes, NAMESPACE, 36).late(("Deployment/web", "ready")) == {"1"}
    assert read_world(changes, NAMESPACE, math.inf).late(("Deployment/web", "ready")) == {"1"}


def test_changed_fields_are_told_without_registries_and_addresses() -> None:
    one, two = deployment(1), deployment(1, image="registry.local/shop/web:2")
    assert changed(one, two) == 'spec.template.spec.containers[name=web].image="shop/web:2"'
    assert changed(one, deployment(1, image="ghcr.io/shop/web:1")) == ""
    service = obj("Service", "web", spec={"clusterIP": "10.0.0.1", "ports": [{"port": 80}]})
    assert changed(service, service | {"spec": service["spec"] | {"clusterIP": "10.0.0.9"}}) == ""
    assert changed(None, service) == 'made: spec={"ports": [{"port": 80}]}'


def test_a_secret_is_not_told() -> None:
    one, two = (obj("Secret", "key", data={"password": value}) for value in ("b25l", "dHdv"))
    assert changed(one, two) == "data.password=…"


def test_ports_are_those_that_ready_addresses_listen_on() -> None:
    world = read_world(
        [observed(-1, endpoints("10.0.0.1")), observed(1, endpoints("10.0.0.1", port=81), "MODIFIED")], NAMESPACE, 9
    )
    assert (world.before(("Service/web", "ports")), world.last(("Service/web", "ports"))) == ("80/TCP", "81/TCP")
