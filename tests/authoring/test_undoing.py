from __future__ import annotations

from itbench.authoring.branching import futures
from itbench.authoring.rehearsal import Rehearsal
from itbench.cluster.reference import ObjectRef
from itbench.twin.incident.leftovers import left_over

NAMESPACE = "book-info"


def test_whatever_is_left_of_a_fault_is_told_field_by_field(lost: Rehearsal) -> None:
    def undone_badly() -> tuple[list[str], list[str]]:
        incident = lost.faulted
        incident.undo()
        clean = left_over(lost.healthy, incident)
        cluster = incident.running.twin.cluster
        cluster.scale(ObjectRef("Deployment", "details-v1", NAMESPACE), 2)
        cluster.delete(ObjectRef("Service", "ratings", NAMESPACE))
        made = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "left", "namespace": NAMESPACE}}
        cluster.create(made)
        incident.advance(60)
        return clean, left_over(lost.healthy, incident)

    ((clean, spoilt),) = futures([undone_badly])
    assert clean == []
    assert spoilt == ["configmap/left (new)", "deployment/details-v1: spec.replicas", "service/ratings (gone)"]
    assert left_over(lost.healthy, lost.faulted) == ["service/details: " + field for field in _changed(lost)]


def _changed(rehearsal: Rehearsal) -> list[str]:
    return [change.field for item in rehearsal.faulted.injected for change in item.injection.changes]
