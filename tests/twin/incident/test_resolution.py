from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from itbench.cluster.reference import ObjectRef
from itbench.snapshot.records import Alert
from itbench.twin.incident.incident import Incident
from itbench.twin.incident.plan import plan
from itbench.twin.incident.resolution import Reference, Resolution, resolution

from .conftest import Write, scaled_to_zero

CART = ObjectRef("Deployment", "cart", "shop")
Act = Callable[[Incident], None]


def after(write: Write, act: Act, alerts: Callable[[Incident], list[Alert]] = lambda _: []) -> Resolution:
    """What becomes of a cart scaled to zero if somebody acts at the end of the recording and five minutes pass."""
    incident = Incident(plan(write(scaled_to_zero("cart"))), 4)
    incident.play()
    healthy = Incident(incident.plan, 4, faulted=False, moments=incident.moments)
    healthy.play()
    since = incident.now
    act(incident)
    for world in (incident, healthy):
        world.wait_until(since + 300)
    quiet = Alert(incident.running.twin.clock.epoch, {"alertname": "Usual"})
    return resolution(Reference.of(healthy, [quiet]), incident, since, lambda: alerts(incident))


def scale_back(incident: Incident) -> None:
    incident.running.twin.cluster.scale(CART, 1)


def test_who_brings_the_service_back_resolves_the_incident(write: Write) -> None:
    found = after(write, scale_back)
    assert found.resolved
    assert found.restored is not None
    assert 0 < found.restored <= 60
    assert found.cleared == 0
    assert found.after == found.restored


def test_without_a_repair_it_is_not_over_and_says_what_is_wrong(write: Write) -> None:
    found = after(write, lambda _: None)
    assert not found.resolved
    assert found.after is None
    assert found.wrong[0] == "cart has no pod ready instead of 1 pod"


@pytest.mark.parametrize("service", ["cart", "store"])
def test_deleting_a_workload_is_no_repair(write: Write, service: str) -> None:
    def act(incident: Incident) -> None:
        scale_back(incident)
        incident.running.twin.cluster.delete(ObjectRef("Deployment", service, "shop"))

    found = after(write, act)
    assert not found.resolved
    assert found.missing == (ObjectRef("Deployment", service, "shop", "apps/v1"),)


def test_taking_away_what_no_request_needs_now_is_no_repair(write: Write) -> None:
    secret = ObjectRef("Secret", "store-access", "shop")

    def act(incident: Incident) -> None:
        scale_back(incident)
        incident.advance(60)  # the pods that run have read it
        incident.running.twin.cluster.delete(secret)

    found = after(write, act)
    assert found.restored is not None
    assert not found.resolved
    assert str(found) == "secret/store-access is gone"


def test_taking_the_users_away_is_no_repair(write: Write) -> None:
    def act(incident: Incident) -> None:
        scale_back(incident)
        load = incident.plan.application.load.service
        incident.running.twin.cluster.scale(ObjectRef("Deployment", load, "shop"), 0)

    assert not after(write, act).resolved


def test_an_alert_of_the_incident_that_still_fires_keeps_it_open(write: Write) -> None:
    def firing(last: float, name: str = "Errors") -> Callable[[Incident], list[Alert]]:
        def alerts(incident: Incident) -> list[Alert]:
            begin = incident.running.twin.clock.epoch
            times = [second for second in range(60, int(incident.now) + 1, 60) if second <= incident.now - 300 + last]
            return [Alert(begin + timedelta(seconds=second), {"alertname": name}) for second in times]

        return alerts

    still = after(write, scale_back, firing(300))
    assert not still.resolved
    assert still.firing == ("Errors (cluster-wide)",)
    gone = after(write, scale_back, firing(120))
    assert gone.resolved
    assert gone.cleared == 180
    assert after(write, scale_back, firing(300, "Usual")).resolved
