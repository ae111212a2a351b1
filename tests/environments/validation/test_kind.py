from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from itbench.cluster.memory import MemoryCluster
from itbench.cluster.reference import ObjectRef
from itbench.environments.kind.engine import Engine
from itbench.environments.kind.owners import owner, owner_of
from itbench.environments.kind.telemetry import Telemetry
from itbench.environments.validation.kind import is_quiet, nodes_like, onsets
from itbench.environments.validation.observed import write_observed
from itbench.environments.validation.selection import choose
from itbench.environments.validation.session import ValidationRequest, validate
from itbench.environments.validation.simulated import simulated, undisturbed
from itbench.model.errors import ClusterError
from itbench.snapshot.records import Alert
from itbench.twin.base import node


def pod(name: str, namespace: str, cpu: str, phase: str = "Running") -> dict:
    resources = {"requests": {"cpu": cpu, "memory": "100Mi"}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"nodeName": "real", "containers": [{"name": "c", "image": "i", "resources": resources}]},
        "status": {"phase": phase},
    }


def test_a_twins_nodes_are_as_large_as_what_others_leave_and_have_the_same_images() -> None:
    cluster = MemoryCluster(lambda: datetime(2026, 1, 1, tzinfo=UTC))
    real = node("real", cpu="4", memory="1Gi", labels={"disk": "fast"})
    real["status"]["images"] = [{"names": ["docker.io/library/busybox:1"], "sizeBytes": 7}]
    real["spec"]["taints"] = [{"key": "mine", "effect": "NoSchedule"}]
    cluster.create(real)
    cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
    pods = (pod("a", "kube-system", "500m"), pod("b", "kube-system", "1", "Succeeded"), pod("c", "shop", "700m"))
    for each in pods:
        cluster.create(each)
        cluster.replace(cluster.get(ObjectRef.of(each)) | {"status": each["status"]}, subresource="status")
    (made,) = nodes_like(cluster, "shop")
    assert made["status"]["allocatable"]["cpu"] == "3500m"
    assert made["status"]["allocatable"]["memory"] == str(2**30 - 100 * 2**20)
    assert made["metadata"]["labels"]["disk"] == "fast"
    assert made["status"]["images"] == [{"names": ["docker.io/library/busybox:1"]}]
    assert made["spec"]["taints"] == real["spec"]["taints"]


def test_an_alert_counts_if_it_fires_after_the_fault_whenever_its_rule_began_to_hold() -> None:
    begun = datetime(2026, 1, 1, tzinfo=UTC)

    def alert(name: str, active: float, state: str = "firing") -> Alert:
        labels = {"alertname": name, "service_name": "cart"}
        return Alert(begun + timedelta(seconds=400), labels, state, begun + timedelta(seconds=active))

    alerts = [
        alert("Errors", 60),
        alert("Starting", -45),
        alert("Old", -200),
        alert("Other", 90),
        alert("Late", 90, "pending"),
    ]
    found = onsets(alerts, dict.fromkeys(("Errors", "Starting", "Old", "Late"), 180), begun)
    assert found == {"Errors (cart)": 240, "Starting (cart)": 135, "Other (cart)": 90}


class Proxy:
    """An API server behind which Prometheus answers this, or nobody does."""

    def __init__(self, alerts: list[dict] | None) -> None:
        self.alerts = alerts

    def json(self, *_: object) -> dict:
        if self.alerts is None:
            raise ClusterError("no endpoints available")
        return {"data": {"alerts": self.alerts}}


@pytest.mark.parametrize(
    ("alerts", "quiet"), [([], True), (None, False), ([{"state": "pending", "labels": {"alertname": "Errors"}}], False)]
)
def test_no_fault_comes_while_rules_hold_or_prometheus_is_on_its_way(alerts: list[dict] | None, quiet: bool) -> None:
    telemetry = Telemetry(MemoryCluster(lambda: datetime(2026, 1, 1, tzinfo=UTC)), Proxy(alerts), "shop")
    assert is_quiet(telemetry) is quiet


def test_what_is_recorded_is_compared_without_docker(
    written: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody.sock")
    chosen, _ = choose("kind", None, [str(written())])
    request = ValidationRequest("kind", out=tmp_path / "out", resume=True)
    with pytest.raises(ClusterError, match="Docker"):
        validate(request, chosen, lambda _: None)
    write_observed(simulated(undisturbed(chosen[0].plan), 7), tmp_path / "out" / chosen[0].id, "kind")
    (fault,) = validate(request, chosen, lambda _: None).faults
    assert (fault.outcome, fault.aspects["states"].agreement) == ("compared", 1)


@pytest.mark.integration
@pytest.mark.usefixtures("kind_here")
def test_the_twin_agrees_with_a_real_cluster(written: Callable[..., Path], tmp_path: Path) -> None:
    paths = [written("nobody-reads"), written("reviews-gone", "deleted-kubernetes-service", "v1 Service reviews")]
    chosen, _ = choose("kind", None, [str(path) for path in paths])
    summed = validate(ValidationRequest("kind", out=tmp_path / "out", window=20.0), chosen, lambda _: None)
    for fault in summed.faults:
        assert fault.outcome == "compared", fault.cause
        assert fault.aspects["states"].agreement == 1, fault.aspects["states"]
        assert fault.aspects["events"].agreement in (None, 1), fault.aspects["events"]
        assert "not waited for" in fault.aspects["alerts"].note
    with Engine.connect() as engine:
        assert not [name for name in engine.clusters() if owner_of(name) == owner()]
