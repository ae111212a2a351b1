from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from itbench.cluster.reference import ObjectRef
from itbench.model.errors import UsageError
from itbench.twin.app.load import load_application
from itbench.twin.objects import name_of
from itbench.twin.running import RunningApplication
from itbench.twin.telemetry.collector import Collector
from itbench.twin.telemetry.recording import Happened

SHOP = Path(__file__).parents[1] / "applications" / "shop.yaml"
CART = ObjectRef.parse("deployment/cart", "shop")


def shop() -> RunningApplication:
    return RunningApplication(load_application(str(SHOP)), seed=3)


def names(happened: Happened, service: str) -> list[str]:
    return [usage.name for usage in happened.usages if usage.service == service]


def test_what_is_there_at_first_was_there_before_and_later_changes_have_their_times() -> None:
    running = shop()
    collector = Collector(running)
    collector.add(running.advance(60))
    running.twin.cluster.scale(CART, 0)
    collector.add(running.advance(60))
    happened = collector.happened()
    opening = [seen for seen in happened.observations if seen.time < 0]
    assert {seen.type for seen in opening} == {"ADDED"}
    assert ("Service", "cart") in {(seen.object["kind"], name_of(seen.object)) for seen in opening}
    scaled = next(
        seen
        for seen in happened.observations
        if seen.object["kind"] == "Deployment" and name_of(seen.object) == "cart" and seen.object["spec"]["replicas"] == 0
    )
    assert scaled.time == 60
    assert sum(map(len, happened.flows)) == 24
    assert happened.begin == running.twin.clock.epoch


def test_a_pod_that_goes_stops_running_and_a_new_one_begins() -> None:
    running = shop()
    collector = Collector(running)
    collector.add(running.advance(60))
    old = next(pod for pod in running.twin.store.list("Pod", "shop") if name_of(pod).startswith("cart-"))
    running.twin.cluster.delete(ObjectRef.of(old))
    collector.add(running.advance(60))
    happened = collector.happened()
    assert len(names(happened, "cart")) == 2
    first = next(usage for usage in happened.usages if usage.name == name_of(old))
    second = next(usage for usage in happened.usages if usage.service == "cart" and usage is not first)
    assert first.run.tolist()[:12] == [1] * 12
    assert first.run[-1] == 0
    assert second.run.tolist()[:12] == [0] * 12
    assert second.serving[-1]
    assert not first.serving[12:].any()
    assert first.cores[-1] == 0
    assert second.cores[-1] == pytest.approx(first.cores[11], rel=0.05)


def test_each_restart_of_a_container_is_another_run_whose_memory_begins_anew() -> None:
    running = shop()
    collector = Collector(running)
    collector.add(running.advance(20))
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "cart", "env": [{"name": "LEAK_MB", "value": "1"}]}]}}}}
    running.twin.cluster.patch(CART, patch)
    collector.add(running.advance(220))
    leaking = max((usage for usage in collector.happened().usages if usage.service == "cart"), key=lambda one: one.run.max())
    assert leaking.run.max() >= 2
    first = np.flatnonzero(leaking.run == 1)
    second = np.flatnonzero(leaking.run == 2)
    assert (np.diff(leaking.memory[first]) >= 0).all()
    assert leaking.memory[second[0]] < leaking.memory[first[-1]]
    limit = leaking.pod["spec"]["containers"][0]["resources"]["limits"]["memory"]
    assert limit.endswith("Mi")
    assert leaking.memory.max() <= int(limit.removesuffix("Mi")) * 2**20


def test_without_a_tick_there_is_nothing_to_tell() -> None:
    with pytest.raises(UsageError, match="nothing has been simulated"):
        Collector(shop()).happened()


def test_what_is_forgotten_leaves_the_objects_as_they_were() -> None:
    running = shop()
    collector = Collector(running)
    collector.add(running.advance(60))
    running.twin.cluster.scale(CART, 2)
    for _ in range(10):
        collector.add(running.advance(60))
    whole = collector.happened()
    since = collector.happened(360.0)
    collector.forget(360.0)
    rest = collector.happened()
    assert collector.begin == 360
    assert [seen.time for seen in since.observations] == [seen.time for seen in rest.observations]
    assert (rest.begin - whole.begin).total_seconds() == 360
    assert sum(map(len, rest.flows)) == 60
    assert rest.flows[0].first == 0
    assert len(rest.observations) < len(whole.observations)
    assert names(rest, "cart") == names(whole, "cart")
    assert rest.usages[0].cores.tolist() == whole.usages[0].cores[72:].tolist()
    assert rest.uptime == whole.uptime + 360


def test_a_closed_collector_sees_nothing_more() -> None:
    running = shop()
    collector = Collector(running)
    collector.add(running.advance(10))
    collector.close()
    before = len(collector.happened().observations)
    running.twin.cluster.scale(CART, 0)
    running.advance(30)
    assert len(collector.happened().observations) == before
