"""What must be there before a fault: the message names what there is instead, and nothing is changed."""

from __future__ import annotations

from typing import Any

import pytest

from itbench.cluster.protocol import Cluster
from itbench.cluster.reference import ObjectRef
from itbench.faults.protocol import Pacer
from itbench.faults.registry import fault
from itbench.model.errors import FaultError

from .conftest import NODES, everything
from .test_library import BY_NUMBER, CASES, CHAOS, SERVER, STORE, made, on

NAME = "kubernetesObject.metadata.name"
WRONG: dict[str, tuple[int, dict[str, Any], str, str]] = {
    "missing object": (20, on("wep"), NAME, r"no Deployment 'wep' in namespace shop-\d+. Did you mean 'web'\?"),
    "missing Service": (30, on("frontend", "Service", "v1"), NAME, "no Service 'frontend' .* There are: web"),
    "wrong container": (
        15,
        on("web", container={"name": "weeb"}),
        "container.name",
        "no container 'weeb'. Did you mean 'web'",
    ),
    "container to choose": (12, on("web"), "container.name", "several containers. Choose one: web, proxy"),
    "wrong variable": (
        13,
        on("web", container={"name": "web", "env": {"name": "CART_ADR", "value": "x"}}),
        "container.env.name",
        "no variable 'CART_ADR' in its env. Did you mean 'CART_ADDR'",
    ),
    "same value": (
        13,
        on("web", container={"name": "web", "env": {"name": "CART_ADDR", "value": "cart:8080"}}),
        "",
        "is like that already",
    ),
    "wrong port": (14, on("web", "Service", "v1", targetPort=9000), "targetPort", "no target port 9000. It has: 8080, 8081"),
    "wrong flag": (
        18,
        on("flagd-config", "ConfigMap", "v1", flag={"name": "cartFailures", "state": "on"}),
        "flag.name",
        "no flag 'cartFailures'. Did you mean 'cartFailure'",
    ),
    "wrong variant": (
        18,
        on("flagd-config", "ConfigMap", "v1", flag={"name": "cartFailure", "state": "100%"}),
        "flag.state",
        "no variant '100%'. There are: off, on",
    ),
    "flag is so already": (
        18,
        on("flagd-config", "ConfigMap", "v1", flag={"name": "cartFailure", "state": "off"}),
        "flag.state",
        "is 'off' already",
    ),
    "nobody scales it": (11, on("valkey-cart"), NAME, "no autoscaler scales deployment/valkey-cart. Scaled are: web"),
    "no limits": (24, on("web", container={"name": "proxy"}), "container.name", "no resource limits to remove"),
    "not Valkey": (27, on("web", **SERVER), "container.name", "does not run Valkey"),
    "wrong experiment": (
        21,
        on("x", "Schedule", "chaos-mesh.org/v1alpha1", scheduleSpec={"type": "PodChoas"}),
        "scheduleSpec.type",
        "Did you mean 'PodChaos'",
    ),
    "experiment without a body": (
        21,
        on("x", "Schedule", "chaos-mesh.org/v1alpha1", scheduleSpec={"type": "PodChaos", "podChoas": {}}),
        "scheduleSpec.podChaos",
        "Did you mean 'podChoas'",
    ),
}


def filled(args: dict[str, Any], namespace: str) -> dict[str, Any]:
    """Arguments with the namespace."""
    target = args["kubernetesObject"]
    return {**args, "kubernetesObject": {**target, "metadata": {**target["metadata"], "namespace": namespace}}}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_told(case: str, cluster: Cluster, shop: str, pacer: Pacer) -> None:
    number, args, key, message = WRONG[case]
    before = everything(cluster, shop)
    broken = fault(BY_NUMBER[number].id, filled(args, shop))
    with pytest.raises(FaultError, match=message) as caught:
        broken.check(cluster)
    assert (caught.value.key or "") == key
    with pytest.raises(FaultError):
        broken.inject(cluster, pacer)
    assert everything(cluster, shop) == before


def test_a_missing_namespace_is_told(cluster: Cluster, shop: str) -> None:
    broken = fault(
        BY_NUMBER[21].id, filled(on("x", "Schedule", "chaos-mesh.org/v1alpha1", scheduleSpec=CHAOS), "chaos-mesh")
    )
    with pytest.raises(FaultError, match="no namespace 'chaos-mesh'") as caught:
        broken.check(cluster)
    assert caught.value.key == "kubernetesObject.metadata.namespace"


@pytest.mark.parametrize("number", CASES)
def test_every_fault_notices_that_its_object_is_missing(number: int, memory: Cluster) -> None:
    with pytest.raises(FaultError, match="there is no"):
        made(number, "nowhere").check(memory)


@pytest.mark.parametrize("number", [2, 6, 7, 10, 17, 19, 21, 22, 23, 25, 27, 28])
def test_what_is_there_is_not_overwritten(number: int, cluster: Cluster, shop: str, pacer: Pacer) -> None:
    injection = made(number, shop).inject(cluster, pacer)
    with pytest.raises(FaultError):
        made(number, shop).check(cluster)
    made(number, shop).undo(cluster, pacer, injection)


@pytest.mark.parametrize("number", [1, 19, 26])
def test_a_node_must_take_pods(number: int, cluster: Cluster, shop: str) -> None:
    for name in NODES:
        cluster.patch(ObjectRef("Node", name), {"spec": {"unschedulable": True}}, "merge")
    with pytest.raises(FaultError, match="no node that takes pods"):
        made(number, shop).check(cluster)


def test_the_mesh_must_be_there(cluster: Cluster, shop: str) -> None:
    cluster.patch(ObjectRef("Namespace", shop), {"metadata": {"labels": {"istio.io/dataplane-mode": None}}}, "merge")
    for number in (3, 22):
        with pytest.raises(FaultError, match="not in Istio's ambient mode"):
            made(number, shop).check(cluster)


def test_memory_that_nobody_bounds_is_not_filled(cluster: Cluster, shop: str) -> None:
    path = "/spec/template/spec/containers/0/resources"
    cluster.patch(ObjectRef("Deployment", "valkey-cart", shop), [{"op": "remove", "path": path}], "json")
    with pytest.raises(FaultError, match="no memory limit"):
        fault(BY_NUMBER[28].id, filled(on("valkey-cart", **STORE), shop)).check(cluster)
    with pytest.raises(FaultError, match="requests neither CPU nor memory"):
        fault(BY_NUMBER[19].id, filled(on("valkey-cart"), shop)).check(cluster)
