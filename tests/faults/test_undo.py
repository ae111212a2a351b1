"""Undo when somebody else was there: repairs, half repairs, other changes, other faults."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.random import default_rng

from itbench.cluster.admission import AdmissionRequest
from itbench.cluster.memory import MemoryCluster
from itbench.cluster.protocol import Cluster, KubeObject
from itbench.cluster.reference import ObjectRef
from itbench.faults.fields import own_part
from itbench.faults.injection import Injection, shared_fields
from itbench.faults.protocol import Pacer
from itbench.faults.registry import fault
from itbench.model.errors import ForbiddenError, UndoError

from .conftest import START, StillPacer, everything, is_gone, named, nodes, workload
from .test_library import BY_NUMBER, made


def ref(text: str, namespace: str) -> ObjectRef:
    return ObjectRef.parse(text, namespace)


class TestOnBothClusters:
    def test_a_repaired_fault_leaves_nothing_to_do(self, cluster: Cluster, shop: str, pacer: Pacer) -> None:
        before = everything(cluster, shop)
        broken = made(6, shop)
        injection = broken.inject(cluster, pacer)
        cluster.delete(ref("networkpolicy/web-ingress", shop))
        undone = broken.undo(cluster, pacer, injection)
        assert not undone.restored
        assert str(undone) == "nothing to do: it was repaired already"
        assert everything(cluster, shop) == before

    def test_half_a_repair_is_completed(self, cluster: Cluster, shop: str, pacer: Pacer) -> None:
        before = everything(cluster, shop)
        broken = made(2, shop)
        injection = broken.inject(cluster, pacer)
        template = {"spec": {"template": {"spec": {"initContainers": None}}}}
        cluster.patch(ref("deployment/web", shop), template, "merge")
        undone = broken.undo(cluster, pacer, injection)
        assert undone.restored == ["configmap/web-config"]
        assert undone.already == ["deployment/web: spec.template.spec.initContainers"]
        assert everything(cluster, shop) == before

    def test_a_third_value_is_set_back_too(self, cluster: Cluster, shop: str, pacer: Pacer) -> None:
        before = everything(cluster, shop)
        broken = made(15, shop)
        injection = broken.inject(cluster, pacer)
        containers = [{"name": "web", "image": "registry.example.org/other:1"}]
        cluster.patch(ref("deployment/web", shop), {"spec": {"template": {"spec": {"containers": containers}}}})
        broken.undo(cluster, pacer, injection)
        assert everything(cluster, shop) == before

    def test_a_service_made_anew_by_somebody_is_as_before(self, cluster: Cluster, shop: str, pacer: Pacer) -> None:
        broken = made(30, shop)
        injection = broken.inject(cluster, pacer)
        ports = [{"name": "http", "port": 80, "targetPort": 9}]
        cluster.create(named("v1", "Service", "web", shop, spec={"selector": {"app": "else"}, "ports": ports}))
        broken.undo(cluster, pacer, injection)
        spec = cluster.get(ref("service/web", shop))["spec"]
        assert spec["selector"] == {"app.kubernetes.io/name": "web"}
        assert [port["targetPort"] for port in spec["ports"]] == [8080, 8081]

    def test_a_service_repaired_under_another_address_counts(self, cluster: Cluster, shop: str, pacer: Pacer) -> None:
        broken = made(30, shop)
        injection = broken.inject(cluster, pacer)
        cluster.create(named("v1", "Service", "stranger", shop, spec={"ports": [{"port": 1}]}))
        broken.fixes()[0].apply(cluster, injection)
        assert not broken.undo(cluster, pacer, injection).restored

    def test_a_service_whose_address_is_taken_comes_back_with_another(
        self, cluster: Cluster, shop: str, pacer: Pacer
    ) -> None:
        service = ref("service/web", shop)
        before = cluster.get(service)["spec"]
        broken = made(30, shop)
        injection = broken.inject(cluster, pacer)
        taken = {"clusterIP": before["clusterIP"], "ports": [{"port": 1}]}
        cluster.create(named("v1", "Service", "stranger", shop, spec=taken))
        broken.undo(cluster, pacer, injection)
        after = cluster.get(service)["spec"]
        assert after["clusterIP"] != before["clusterIP"]
        assert (after["selector"], after["ports"]) == (before["selector"], before["ports"])

    def test_a_deleted_workload_comes_back(self, cluster: Cluster, shop: str, pacer: Pacer) -> None:
        before = everything(cluster, shop)
        broken = made(9, shop)
        injection = broken.inject(cluster, pacer)
        cluster.delete(ref("deployment/web", shop))
        broken.undo(cluster, pacer, injection)
        assert everything(cluster, shop) == before

    def test_what_others_changed_is_told_by_its_path(self, cluster: Cluster, shop: str, pacer: Pacer) -> None:
        broken = made(9, shop)
        injection = broken.inject(cluster, pacer)
        cluster.patch(ref("deployment/web", shop), {"metadata": {"labels": {"team": "b"}}})
        with pytest.raises(UndoError, match=r"deployment/web: metadata\.labels\.team differs from before"):
            broken.undo(cluster, pacer, injection)
        undone = broken.undo(cluster, pacer, injection, exact=False)
        assert undone.left == ["deployment/web: metadata.labels.team"]
        labels = cluster.get(ref("deployment/web", shop))["metadata"]["labels"]
        assert labels["team"] == "b"

    @pytest.mark.parametrize("first", [0, 1])
    def test_two_flags_are_undone_in_either_order(self, first: int, cluster: Cluster, shop: str, pacer: Pacer) -> None:
        before = everything(cluster, shop)
        target = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "flagd-config", "namespace": shop}}
        both = [
            fault(BY_NUMBER[18].id, {"kubernetesObject": target, "flag": {"name": name, "state": "on"}})
            for name in ("cartFailure", "adFailure")
        ]
        done = [(each, each.inject(cluster, pacer)) for each in both]
        assert shared_fields(done[0][1], done[1][1]) == []
        for each, injection in (done[first], done[1 - first]):
            each.undo(cluster, pacer, injection, exact=False)
        assert everything(cluster, shop) == before

    def test_another_object_of_the_same_name_is_not_touched(self, cluster: Cluster, shop: str, pacer: Pacer) -> None:
        broken = made(6, shop)
        injection = broken.inject(cluster, pacer)
        policy = ref("networkpolicy/web-ingress", shop)
        cluster.delete(policy)
        cluster.create(named("networking.k8s.io/v1", "NetworkPolicy", "web-ingress", shop, spec={"podSelector": {}}))
        assert not broken.undo(cluster, pacer, injection).restored
        assert not is_gone(cluster, policy)


class TestInMemory:
    @pytest.fixture
    def cluster(self, memory: MemoryCluster) -> MemoryCluster:
        return memory

    def test_a_refused_injection_leaves_no_trace(self, cluster: MemoryCluster, shop: str, pacer: Pacer) -> None:
        before = everything(cluster, shop)

        def refuse(request: AdmissionRequest) -> None:
            if request.operation == "update" and request.object["kind"] == "Deployment":
                raise ForbiddenError("nothing may change today")

        cluster.admit_by(refuse)
        with pytest.raises(ForbiddenError, match="today"):
            made(25, shop).inject(cluster, pacer)
        assert everything(cluster, shop) == before

    def test_a_field_that_is_changed_again_at_once_is_told(self, cluster: MemoryCluster, shop: str, pacer: Pacer) -> None:
        broken = made(20, shop)
        injection = broken.inject(cluster, pacer)

        def insist(request: AdmissionRequest) -> None:
            if request.operation == "update" and request.object["kind"] == "Deployment":
                request.object["spec"]["replicas"] = 0

        cluster.admit_by(insist)
        with pytest.raises(UndoError, match=r"deployment/web: spec\.replicas differs from before"):
            broken.undo(cluster, pacer, injection)

    def test_what_a_crash_broke_off_can_be_undone_from_what_was_noted(
        self, cluster: MemoryCluster, shop: str, pacer: Pacer
    ) -> None:
        before = everything(cluster, shop)
        notes: list[str] = []

        class PowerCut(BaseException):
            """Nothing catches this."""

        def noted(injection: Injection) -> None:
            notes.append(injection.model_dump_json())
            if len(notes) == 3:
                raise PowerCut

        with pytest.raises(PowerCut):
            made(19, shop).inject(cluster, pacer, noted=noted)
        assert everything(cluster, shop) != before
        made(19, shop).undo(cluster, pacer, Injection.model_validate_json(notes[-1]))
        assert everything(cluster, shop) == before

    def test_two_faults_on_one_field_are_seen(self, cluster: MemoryCluster, shop: str, pacer: Pacer) -> None:
        one, other = made(8, shop).inject(cluster, pacer), made(24, shop).inject(cluster, pacer)
        assert shared_fields(one, other) == [
            "deployment/web: spec.template.spec.containers[name=web].resources.limits.cpu",
            "deployment/web: spec.template.spec.containers[name=web].resources.limits.memory",
        ]


PATCHES = [2, 4, 5, 8, 9, 12, 13, 15, 16, 17, 20, 22, 25, 26]
names = st.sampled_from(["alpha", "beta", "gamma", "delta"])


@st.composite
def pod_specs(draw: st.DrawFn) -> KubeObject:
    """What a workload's pods may look like besides."""
    spec: KubeObject = {}
    if draw(st.booleans()):
        spec["nodeSelector"] = draw(st.dictionaries(names, names, min_size=1, max_size=3))
    if draw(st.booleans()):
        found = draw(st.lists(names, unique=True, min_size=1, max_size=3))
        spec["initContainers"] = [{"name": f"init-{name}", "image": "x", "command": ["true"]} for name in found]
    if draw(st.booleans()):
        found = draw(st.lists(st.sampled_from(["data", "alpha", "beta"]), unique=True, min_size=1, max_size=3))
        spec["volumes"] = [{"name": name, "emptyDir": {}} for name in found]
    if draw(st.booleans()):
        term = {"labelSelector": {"matchLabels": {"a": "b"}}, "topologyKey": "zone"}
        rules = draw(st.sampled_from(["podAffinity", "podAntiAffinity"]))
        spec["affinity"] = {rules: {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    return spec


@st.composite
def containers(draw: st.DrawFn, volumes: list[KubeObject]) -> KubeObject:
    """A container to break."""
    env = draw(st.lists(names, unique=True, max_size=3))
    container: KubeObject = {
        "name": "web",
        "image": draw(st.sampled_from(["x", "x:1", "reg.example.org:5000/a/b", "a@sha256:" + "0" * 64])),
        "env": [*({"name": name, "value": "1"} for name in env), {"name": "CART_ADDR", "value": "cart:8080"}],
    }
    if draw(st.booleans()):
        container["command"] = draw(st.lists(names, max_size=2))
    if draw(st.booleans()):
        container["resources"] = draw(st.sampled_from([{"limits": {"cpu": "1"}}, {"requests": {"memory": "5Mi"}}]))
    if draw(st.booleans()):
        container["readinessProbe"] = {"tcpSocket": {"port": 8080}}
    mounted = [volume["name"] for volume in volumes if draw(st.booleans())]
    if mounted:
        container["volumeMounts"] = [{"name": name, "mountPath": f"/{name}"} for name in mounted]
    return container


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(st.data(), st.sampled_from(PATCHES), st.sampled_from(["Deployment", "StatefulSet"]), st.integers(0, 2**32))
def test_undo_is_the_inverse_of_inject(data: st.DataObject, number: int, kind: str, seed: int) -> None:
    cluster, pacer = MemoryCluster(lambda: START), StillPacer()
    cluster.create(named("v1", "Namespace", "shop", None, metadata={"labels": {"istio.io/dataplane-mode": "ambient"}}))
    for obj in nodes():
        cluster.create(obj)
    body = workload(kind, "web", "shop", replicas=data.draw(st.integers(1, 4)))
    spec = data.draw(pod_specs())
    spec["containers"] = [data.draw(containers(spec.get("volumes", []))), {"name": "proxy", "image": "y"}]
    body["spec"]["template"]["spec"] = spec
    cluster.create(body)
    before = everything(cluster, "shop")
    args: dict[str, Any] = {
        "kubernetesObject": {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": "web", "namespace": "shop"}},
        "container": {"name": "web", "env": {"name": "CART_ADDR", "value": "cart:0"}},
    }
    broken = fault(BY_NUMBER[number].id, args, unknown="ignore")
    injection = broken.inject(cluster, pacer, default_rng(seed))
    assert everything(cluster, "shop") != before
    broken.undo(cluster, pacer, injection)
    assert everything(cluster, "shop") == before
    assert own_part(cluster.get(ObjectRef(kind, "web", "shop"))) == before[f"{kind}/web"]
