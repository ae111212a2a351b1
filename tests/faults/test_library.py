"""Every fault on a cluster in memory and on a real API server: what it changes, and that undo leaves nothing."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from numpy.random import default_rng

from itbench.cluster.protocol import Cluster
from itbench.faults.injection import Injection
from itbench.faults.protocol import Fault, Pacer
from itbench.faults.registry import FAULTS, fault

from .conftest import everything

POD = "spec.template.spec"
WEB = f"{POD}.containers[name=web]"
VALKEY = f"{POD}.containers[name=valkey-cart]"


def on(name: str, kind: str = "Deployment", version: str = "apps/v1", **more: Any) -> dict[str, Any]:
    """Arguments about an object; the namespace is filled in."""
    return {"kubernetesObject": {"apiVersion": version, "kind": kind, "metadata": {"name": name}}, **more}


SERVER = {"container": {"name": "web"}}
STORE = {"container": {"name": "valkey-cart"}}
CHAOS = {"type": "PodChaos", "podChaos": {"action": "pod-failure", "mode": "all", "selector": {}}}

# number: arguments, and what changes: fields of objects, objects that come (+) or go (-).
CASES: dict[int, tuple[dict[str, Any], set[str]]] = {
    1: (
        on("web"),
        {f"deployment/web {POD}.nodeSelector", "deployment/web spec.replicas", "node/* spec.unschedulable"},
    ),
    2: (on("web"), {f"deployment/web {POD}.initContainers", "+configmap/web-config"}),
    3: (on("", "Namespace", "v1"), {"namespace/* metadata.labels.istio.io/dataplane-mode"}),
    4: (on("web"), {f"deployment/web {POD}.dnsPolicy"}),
    5: (on("db", "StatefulSet"), {f"statefulset/db {POD}.initContainers"}),
    6: (on("web"), {"+networkpolicy/web-ingress"}),
    7: (on("web"), {"+resourcequota/memory"}),
    8: (
        on("web", **SERVER),
        {
            f"deployment/web {WEB}.resources.{name}"
            for name in ("requests.cpu", "requests.memory", "limits.cpu", "limits.memory")
        },
    ),
    9: (on("web", **SERVER), {f"deployment/web {WEB}.command"}),
    10: (
        on("", "Namespace", "v1", loadGenerator={"options": {"requestsPerSecond": 1000}}),
        {
            *("+deployment/workload-scanner", "+serviceaccount/workload-scanner"),
            *("+clusterrole/workload-scanner", "+clusterrolebinding/workload-scanner"),
        },
    ),
    11: (on("web"), {"horizontalpodautoscaler/web-scaler spec.metrics"}),
    12: (on("web", **SERVER), {f"deployment/web {WEB}.readinessProbe"}),
    13: (
        on("web", container={"name": "web", "env": {"name": "CART_ADDR", "value": "cart:0"}}),
        {f"deployment/web {WEB}.env[name=CART_ADDR].value"},
    ),
    14: (on("web", "Service", "v1", targetPort=8080), {"service/web spec.ports[name=http].targetPort"}),
    15: (on("web", **SERVER), {f"deployment/web {WEB}.image"}),
    16: (on("db", "StatefulSet"), {f"statefulset/db {POD}.nodeSelector"}),
    17: (
        on("web", **SERVER),
        {f"deployment/web {WEB}.volumeMounts", f"deployment/web {POD}.volumes", "+persistentvolumeclaim/web-data"},
    ),
    18: (
        on("flagd-config", "ConfigMap", "v1", flag={"name": "cartFailure", "state": "on"}),
        {"configmap/flagd-config data.demo.flagd.json(json).flags.cartFailure.defaultVariant"},
    ),
    19: (
        on("web"),
        {
            f"deployment/web {POD}.nodeSelector",
            f"deployment/web {POD}.priorityClassName",
            *("+priorityclass/application-critical", "+priorityclass/application-non-critical"),
            "+deployment/critical-data-collector",
        },
    ),
    20: (on("web"), {"deployment/web spec.replicas"}),
    21: (on("web-chaos", "Schedule", "chaos-mesh.org/v1alpha1", scheduleSpec=CHAOS), {"+schedule/web-chaos"}),
    22: (
        on("web"),
        {"deployment/web spec.template.metadata.labels.istio.io/dataplane-mode", "+peerauthentication/default"},
    ),
    23: (
        on("front", "Gateway", "gateway.networking.k8s.io/v1", httpMethods=["GET"]),
        {"+authorizationpolicy/front-methods"},
    ),
    24: (on("web", **SERVER), {f"deployment/web {WEB}.resources.limits"}),
    25: (on("web"), {f"deployment/web {POD}.affinity", "+daemonset/node-log-agent"}),
    26: (on("web", **SERVER), {f"deployment/web {WEB}.image", f"deployment/web {POD}.nodeSelector"}),
    27: (
        on("valkey-cart", **STORE),
        {f"deployment/valkey-cart {VALKEY}.{name}" for name in ("command", "env")} | {"+secret/valkey-credentials"},
    ),
    28: (
        on("valkey-cart", **STORE),
        {f"deployment/valkey-cart {VALKEY}.{name}" for name in ("lifecycle", "env", "volumeMounts")}
        | {f"deployment/valkey-cart {POD}.volumes", "+configmap/valkey-storage-script"},
    ),
    29: (on("web", "Service", "v1"), {"service/web spec.selector.app.kubernetes.io/name"}),
    30: (on("web", "Service", "v1"), {"-service/web"}),
    36: (on("store", "Secret", "v1"), {"secret/store data.user", "secret/store data.password"}),
}
BY_NUMBER = {kind.number: kind for kind in FAULTS.values()}
TELLING = re.compile(
    r"invalid|nonexist|broken|(?<!de)fault|chaos-?bench|it-?bench|hello-bench|block|deny|corrupt|fail(?!ureThreshold)|inject|wrong|\bbad\b",
    re.IGNORECASE,
)


def made(number: int, namespace: str) -> Fault[Any]:
    """The fault of a number, on the application in a namespace."""
    args = {**CASES[number][0]}
    target = {**args["kubernetesObject"]}
    place = {"name": namespace} if target["kind"] == "Namespace" else {**target["metadata"], "namespace": namespace}
    args["kubernetesObject"] = {**target, "metadata": place}
    found: Fault[Any] = fault(BY_NUMBER[number].id, args)
    return found


def told(injection: Injection, namespace: str) -> set[str]:
    """What an injection changed, in the words of CASES."""
    lines = set()
    for change in injection.changes:
        ref = str(change.object)
        if change.object.kind in ("Node", "Namespace"):
            ref = f"{change.object.kind.lower()}/*"
        lines.add(f"{ref} {change.field}" if change.path else f"{'+' if change.old is None else '-'}{ref}")
    return lines


def test_every_fault_of_the_public_library_is_there() -> None:
    assert set(CASES) == set(BY_NUMBER) == {*range(1, 31), 36}


@pytest.mark.parametrize("number", CASES)
class TestEachFault:
    def test_changes_what_it_says_and_undo_leaves_nothing(
        self, number: int, cluster: Cluster, shop: str, pacer: Pacer
    ) -> None:
        before = everything(cluster, shop)
        broken = made(number, shop)
        injection = broken.inject(cluster, pacer, default_rng(7))
        assert told(injection, shop) == CASES[number][1]
        assert everything(cluster, shop) != before
        undone = broken.undo(cluster, pacer, injection)
        assert everything(cluster, shop) == before
        assert undone.restored
        assert undone.left == []

    def test_survives_on_disk(self, number: int, cluster: Cluster, shop: str, pacer: Pacer) -> None:
        before = everything(cluster, shop)
        broken = made(number, shop)
        injection = broken.inject(cluster, pacer, default_rng(7))
        read = Injection.model_validate_json(injection.model_dump_json())
        assert read == injection
        assert read.fields == injection.fields
        fault(read.fault, read.arguments).undo(cluster, pacer, read)
        assert everything(cluster, shop) == before


@pytest.mark.parametrize("number", CASES)
class TestInMemory:
    @pytest.fixture
    def cluster(self, memory: Cluster) -> Cluster:
        return memory

    def test_nothing_that_it_leaves_gives_it_away(self, number: int, cluster: Cluster, shop: str, pacer: Pacer) -> None:
        seen = {str(obj["metadata"].get("uid")): obj for obj in _all(cluster, shop)}
        made(number, shop).inject(cluster, pacer, default_rng(7))
        telling: set[str] = set()
        for obj in _all(cluster, shop):
            old = seen.get(str(obj["metadata"]["uid"]))
            new_words = set(_words(obj)) - (set(_words(old)) if old else set())
            telling |= {word for word in new_words if TELLING.search(word)}
        # What an experiment or a policy does must be written in it.
        assert telling == {21: {"pod-failure"}, 23: {"DENY"}}.get(number, set())

    def test_the_same_generator_makes_the_same_fault(self, number: int, cluster: Cluster, shop: str, pacer: Pacer) -> None:
        broken = made(number, shop)
        first = broken.inject(cluster, pacer, default_rng(3))
        broken.undo(cluster, pacer, first)
        second = broken.inject(cluster, pacer, default_rng(3))
        assert [change.new for change in first.changes if change.path] == [
            change.new for change in second.changes if change.path
        ]

    def test_roots_are_among_what_it_changed(self, number: int, cluster: Cluster, shop: str, pacer: Pacer) -> None:
        injection = made(number, shop).inject(cluster, pacer, default_rng(7))
        assert injection.roots
        assert set(injection.roots) <= {item.object for item in injection.objects}

    def test_undoing_twice_does_nothing_the_second_time(
        self, number: int, cluster: Cluster, shop: str, pacer: Pacer
    ) -> None:
        broken = made(number, shop)
        injection = broken.inject(cluster, pacer, default_rng(7))
        broken.undo(cluster, pacer, injection)
        again = broken.undo(cluster, pacer, injection)
        assert not again.restored
        assert "repaired already" in str(again)

    def test_says_what_repairs_it(self, number: int, cluster: Cluster, shop: str, pacer: Pacer) -> None:
        fixes = made(number, shop).fixes()
        assert fixes
        assert all(fix.text and fix.steps and all(fix.commands) for fix in fixes)

    def test_a_second_one_is_refused_or_shares_no_field(
        self, number: int, cluster: Cluster, shop: str, pacer: Pacer
    ) -> None:
        from itbench.faults.injection import shared_fields
        from itbench.model.errors import FaultError

        first = made(number, shop).inject(cluster, pacer, default_rng(7))
        try:
            second = made(number, shop).inject(cluster, pacer, default_rng(8))
        except FaultError:
            return
        assert shared_fields(first, second)


def _all(cluster: Cluster, namespace: str) -> list[Any]:
    from .conftest import CLUSTER_KINDS, KINDS

    found = [obj for kind in KINDS for obj in cluster.list(kind, namespace)]
    return found + [obj for kind in CLUSTER_KINDS for obj in cluster.list(kind)]


def _words(tree: Any) -> list[str]:
    """All keys and texts in a tree."""
    if isinstance(tree, dict):
        return [str(key) for key in tree] + [word for value in tree.values() for word in _words(value)]
    if isinstance(tree, list):
        return [word for value in tree for word in _words(value)]
    if isinstance(tree, str) and tree.startswith("{"):
        return _words(json.loads(tree))
    return [tree] if isinstance(tree, str) else []
