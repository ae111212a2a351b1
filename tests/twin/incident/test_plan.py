from __future__ import annotations

from typing import Any

import pytest

from itbench.model.errors import DatasetError
from itbench.twin.incident.plan import plan
from itbench.twin.incident.preparation import application_of

from .conftest import Write, scaled_to_zero, target


def test_steps_come_in_the_order_of_time(write: Write) -> None:
    pause = {"id": "pause-execution", "args": {"seconds": 5}}
    late = {"at": "2m", "faults": [scaled_to_zero("cart")]}
    early = {"at": "1m", "before": [pause], "faults": [scaled_to_zero("reco")], "after": [pause]}
    steps = plan(write(disruptions=[late, early])).steps
    assert [step.at for step in steps] == [60.0, 60.0, 60.0, 120.0]
    assert [step.key[1:3] for step in steps] == [(1, "before"), (1, "faults"), (1, "after"), (0, "faults")]


@pytest.mark.parametrize(
    ("faults", "key", "words"),
    [
        ([{"id": "scaled-to-zero"}], "disruptions[0].faults[0].id", "no fault"),
        ([{**scaled_to_zero("cart"), "args": {}}], "disruptions[0].faults[0].args.kubernetesObject", "missing"),
        (
            [{**scaled_to_zero("cart"), "args": {"kubernetesObject": target("Deployment", "cart"), "force": True}}],
            "disruptions[0].faults[0].args.force",
            "no argument",
        ),
    ],
)
def test_what_is_wrong_with_a_fault_is_told_with_its_place(
    write: Write, faults: list[dict[str, Any]], key: str, words: str
) -> None:
    with pytest.raises(DatasetError, match=words) as caught:
        plan(write(*faults))
    assert caught.value.key == key
    assert caught.value.line is not None
    assert caught.value.line > 1


def test_an_unknown_waiter_is_told_with_its_place(write: Write) -> None:
    with pytest.raises(DatasetError, match="no waiter") as caught:
        plan(write(disruptions=[{"faults": [scaled_to_zero("cart")], "after": [{"id": "wait"}]}]))
    assert caught.value.key == "disruptions[0].after[0].id"


def test_the_load_of_the_scenario_replaces_the_applications(write: Write) -> None:
    load = application_of(write(scaled_to_zero("cart"), load={"users": 30})).load
    assert (load.users, load.rate) == (30, None)
    assert application_of(write(scaled_to_zero("cart"))).load.rate == 5


def test_autoscaling_gives_every_workload_but_the_load_an_autoscaler(write: Write) -> None:
    application = application_of(write(scaled_to_zero("cart"), autoscaling=True))
    scaled = {obj["metadata"]["name"] for obj in application.manifests if obj["kind"] == "HorizontalPodAutoscaler"}
    assert scaled == set(application.services) - {"load"}


def test_an_unknown_application_is_told_with_its_place(write: Write) -> None:
    with pytest.raises(DatasetError, match="corner-shop") as caught:
        plan(write(scaled_to_zero("cart"), application="corner-shop"))
    assert caught.value.key == "application"
