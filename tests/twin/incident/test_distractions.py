"""What happens in both worlds is innocent: it happens when it should, and nothing of it is held against the incident."""

from __future__ import annotations

from typing import Any

import pytest

from itbench.cluster.reference import ObjectRef
from itbench.model.errors import DatasetError, ItbenchError
from itbench.twin.incident.incident import Incident
from itbench.twin.incident.measure import measure, play
from itbench.twin.incident.plan import plan
from itbench.twin.incident.simulate import simulate
from itbench.twin.telemetry.recording import LITE

from .conftest import Write, scaled_to_zero, wrong_port

RECO = ObjectRef("Deployment", "reco", "shop")
SCALED = {"verb": "scale", "object": "deployment/reco", "replicas": 0}
OFF = {"at": "90s", "text": "Nobody needs it at night.", "change": SCALED}


@pytest.mark.parametrize("faulted", [True, False])
def test_a_distraction_happens_at_its_time_in_both_worlds(write: Write, faulted: bool) -> None:
    incident = Incident(plan(write(scaled_to_zero("cart"), distractions=[OFF])), 4, faulted=faulted)
    cluster = incident.running.twin.cluster
    incident.wait_until(85)
    assert cluster.get(RECO)["spec"]["replicas"] == 1
    incident.wait_until(95)
    assert cluster.get(RECO)["spec"]["replicas"] == 0


def test_what_a_distraction_does_is_neither_a_root_nor_on_the_chain(write: Write) -> None:
    worlds = play(plan(write(scaled_to_zero("cart"), distractions=[OFF])), 4)
    measured = measure(worlds)
    assert [str(item.injection.roots[0]) for item in worlds.injected] == ["deployment/cart"]
    assert "reco" not in {impact.service for impact in measured.impacts}
    assert "reco" not in measured.chain.services
    assert "cart" in measured.chain.services


def test_the_same_change_as_a_fault_is_on_the_chain(write: Write) -> None:
    """Otherwise the test above would prove nothing."""
    measured = measure(play(plan(write(scaled_to_zero("reco"))), 4))
    assert "reco" in measured.chain.services


def test_the_truth_does_not_accuse_a_distraction(write: Write) -> None:
    truth = simulate(plan(write(wrong_port("store"), distractions=[OFF])), 4, LITE).truth()
    roots = [group for group in truth["groups"] if group.get("root_cause")]
    assert [(group["kind"], group["filter"]) for group in roots] == [("Service", ["store\\b"])]
    assert not any("reco" in group["id"] for group in truth["groups"])


@pytest.mark.parametrize(
    ("change", "key", "words"),
    [
        ({"verb": "explode", "object": "deployment/reco"}, "distractions[0].change.verb", "should be 'apply'"),
        ({"verb": "scale", "object": "deployment/reco"}, "distractions[0].change", "scale needs replicas"),
        ({**SCALED, "at": 5}, "distractions[0].change.at", "beside its change"),
    ],
)
def test_what_cannot_be_done_is_told_with_its_place(write: Write, change: dict[str, Any], key: str, words: str) -> None:
    with pytest.raises(ItbenchError, match=f"(?i){words}") as caught:
        plan(write(scaled_to_zero("cart"), distractions=[{"at": 5, "change": change}]))
    assert caught.value.key == key
    assert (caught.value.line or 0) > 1


def test_an_object_that_is_not_there_is_told_with_its_place(write: Write) -> None:
    change = {"verb": "rollout-restart", "object": "deployment/nobody"}
    ready = plan(write(scaled_to_zero("cart"), distractions=[{"at": 5, "change": change}]))
    with pytest.raises(ItbenchError, match="nobody") as caught:
        Incident(ready, 4).play()
    assert caught.value.key == "distractions[0].change.object"


def test_a_distraction_beyond_the_end_is_refused(write: Write) -> None:
    with pytest.raises(DatasetError, match="beyond the end") as caught:
        write(scaled_to_zero("cart"), distractions=[{**OFF, "at": "7m"}])
    assert caught.value.key == "distractions[0].at"
