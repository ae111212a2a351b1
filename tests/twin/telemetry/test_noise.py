from __future__ import annotations

import json
import re

from itbench.bundled import bundled
from itbench.cluster.patch import strategic_merge
from itbench.datasets.source import read_source
from itbench.twin.randomness import Streams
from itbench.twin.telemetry.history import History, Observation
from itbench.twin.telemetry.noise import Noise
from itbench.twin.telemetry.pods import Roster

from .conftest import BEGIN, World

HOUR = 3600.0


def history(world: World, without: str = "") -> History:
    return History([Observation(-60.0, "ADDED", usage.pod) for usage in world.usages() if usage.service != without])


def test_no_noise_is_possible(world: World) -> None:
    noise = Noise(Streams(1), BEGIN, HOUR, level=0.0)
    assert noise.changes(world.application) == []
    assert list(noise.logs(world.application, Roster(world.usages(), History(())), 5.0)) == []
    assert list(noise.events(world.application, history(world))) == []


def test_the_level_turns_the_noise_up(world: World) -> None:
    roster = Roster(world.usages(), History(()))
    counts = [len(list(Noise(Streams(1), BEGIN, 600.0, level).logs(world.application, roster, 5.0))) for level in (1, 3, 9)]
    assert counts == sorted(set(counts))


def test_probes_of_ready_pods_are_late_once(world: World) -> None:
    events = list(Noise(Streams(1), BEGIN, HOUR, level=20.0).events(world.application, history(world)))
    assert events
    for event in events:
        assert (event.reason, event.type, event.component) == ("Unhealthy", "Warning", "kubelet")
        assert event.message.startswith('Readiness probe failed: Get "http://10.244.0.9:8080/health": context deadline')


def test_noise_does_not_depend_on_what_else_happens(world: World) -> None:
    noise = Noise(Streams(4), BEGIN, HOUR, level=20.0)
    whole = list(noise.events(world.application, history(world)))
    less = list(noise.events(world.application, history(world, without="orders")))
    assert less == [event for event in whole if not event.involved.name.startswith("orders")] != whole


def test_innocent_changes_leave_what_containers_run_and_are_told_as_it_is(world: World) -> None:
    changes = [change for seed in range(40) for change in Noise(Streams(seed), BEGIN, HOUR).changes(world.application)]
    assert len({change.ref.name for change in changes}) > 2
    rolled = 0
    for change in changes:
        assert 0 <= change.time < HOUR
        assert change.ref.kind == "Deployment"
        container = {"name": change.ref.name, "image": "x:1", "env": [{"name": "MODE", "value": "shop"}]}
        template = {"metadata": {"labels": {"app": "x"}}, "spec": {"containers": [container]}}
        deployment = {"metadata": {"name": change.ref.name}, "spec": {"replicas": 1, "template": template}}
        patched = strategic_merge("Deployment", deployment, change.patch)
        assert patched != deployment
        rolled += patched["spec"]["template"] != template
        assert patched["spec"]["replicas"] == 1
        assert patched["spec"]["template"]["metadata"]["labels"]["app"] == "x"
        (told,) = patched["spec"]["template"]["spec"]["containers"]
        assert {**told, "env": [item for item in told["env"] if item["name"] == "MODE"]} == container
    assert 0 < rolled < len(changes)


def test_roll_outs_add_variables_that_no_service_reads() -> None:
    read = {
        name
        for path in (bundled("environments") / "applications").glob("*.yaml")
        for service in read_source(path).value["services"].values()
        for name in service.get("env") or {}
    }
    text = json.dumps(read_source(bundled("environments") / "noise.yaml").value["rollouts"])
    added = set(re.findall(r'"name": "([A-Z_]+)"', text))
    assert added
    assert not added & read
