"""What real clusters taught the twin: each of these was a difference that `itbench twin validate` found."""

from __future__ import annotations

import numpy as np

from itbench.cluster.reference import ObjectRef
from itbench.faults.registry import fault
from itbench.twin.app.load import load_application
from itbench.twin.base import node
from itbench.twin.compare.worlds import read_world
from itbench.twin.incident.pacing import TickPacer
from itbench.twin.running import RunningApplication
from itbench.twin.telemetry.history import Observation


def test_a_program_that_needs_a_name_crashes_where_the_nodes_resolver_is_asked() -> None:
    running = RunningApplication(load_application("otel-demo"))
    patch = {"spec": {"template": {"spec": {"dnsPolicy": "Default"}}}}
    found: list[Observation] = []
    clock = running.twin.clock
    close = running.twin.cluster.subscribe(lambda event: found.append(Observation(clock.now, event.type, event.object)))
    found[:] = [Observation(-1.0, seen.type, seen.object) for seen in found]
    running.twin.cluster.patch(ObjectRef.parse("deployment/checkout", "otel-demo"), patch, "strategic")
    running.advance(60)
    close()
    world = read_world(found, "otel-demo", 60)
    assert ("Deployment/checkout", "waiting CrashLoopBackOff") in world.reasons
    assert ("Pod checkout", "BackOff") in world.events
    assert world.last(("Deployment/checkout", "ready")) == "0"


def test_a_node_has_the_images_that_it_says() -> None:
    machine = node("only", cpu="8")
    image = "docker.io/library/busybox:1.37.0"
    machine["status"]["images"] = [{"names": [image]}]
    running = RunningApplication(load_application("book-info"), nodes=[machine])
    init = [{"name": "first", "image": image, "command": ["true"]}]
    running.twin.cluster.patch(
        ObjectRef.parse("deployment/reviews-v1", "book-info"),
        {"spec": {"template": {"spec": {"initContainers": init}}}},
        "strategic",
    )
    running.advance(20)
    events = [each for each in running.twin.store.list("Event", "book-info") if image in str(each.get("message"))]
    assert [each["reason"] for each in events] == ["Pulled"]


def test_who_is_preempted_is_the_victim_alone_however_soon_the_newcomer_comes() -> None:
    running = RunningApplication(load_application("otel-demo"), nodes=[node("only", cpu="1200m")], tick=1.0)
    target = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "product-catalog", "namespace": "otel-demo"},
    }
    known = fault("priority-kubernetes-workload-priority-preemption", {"kubernetesObject": target})
    known.inject(running.twin.cluster, TickPacer(running.advance, running.tick, most=5.0), np.random.default_rng(1))
    running.advance(20)
    told = [each for each in running.twin.store.list("Event", "otel-demo") if each["reason"] == "Preempted"]
    assert [each["involvedObject"]["name"].startswith("product-catalog") for each in told] == [True]
