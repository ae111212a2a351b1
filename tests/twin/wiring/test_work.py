"""What objects do to the work of services."""

from __future__ import annotations

from typing import Any

import pytest

from itbench.cluster.reference import ObjectRef
from itbench.twin.flow.state import Kind
from itbench.twin.wiring.wiring import Wiring
from itbench.twin.workload.behaviour import image_behaviours

Shop = Any


def selector(service: str) -> dict[str, Any]:
    return {"mode": "all", "selector": {"namespaces": ["shop"], "labelSelectors": {"app.kubernetes.io/component": service}}}


def test_pods_count_when_they_run_and_serve_when_they_are_ready(shop: Shop) -> None:
    assert (shop.service("front").running, shop.service("front").serving) == (2, 2)
    assert shop.service("load").serving == 1, "one that nobody calls serves by running"
    shop.cluster.scale(ObjectRef.parse("deployment/front", "shop"), 0)
    assert (shop.service("front").running, shop.service("front").serving) == (0, 0)


def test_a_pod_may_use_its_limit_or_its_node(shop: Shop) -> None:
    assert shop.service("catalog").cores == 4.0
    shop.container("catalog", resources={"limits": {"cpu": "250m"}})
    assert shop.service("catalog", after=60).cores == 0.25


def test_stressors_leave_a_program_its_part_of_the_processor(shop: Shop) -> None:
    spec = {"stressors": {"cpu": {"workers": 10, "load": 50}}, **selector("store")}
    shop.create("chaos-mesh.org/v1alpha1", "StressChaos", "hot", spec)
    store = shop.service("store", after=1)
    assert store.cores - store.busy == pytest.approx(4.0 / 6)


def test_a_program_of_one_thread_uses_one_processor(shop: Shop) -> None:
    services = shop.running.graph.application.services
    services["store"] = services["store"].model_copy(update={"threads": 1})
    assert shop.service("store").cores == 1.0


def test_a_thread_waits_for_its_turn_behind_stressors(shop: Shop) -> None:
    spec = {"stressors": {"cpu": {"workers": 40, "load": 100}}, **selector("store")}
    shop.create("chaos-mesh.org/v1alpha1", "StressChaos", "hot", spec)
    (wait,) = shop.route("store", "read", after=1).delays
    assert wait.seconds == pytest.approx(0.003 * 40 / 4)


def test_a_full_heap_fails_and_slows_requests(shop: Shop) -> None:
    shop.create("chaos-mesh.org/v1alpha1", "JVMChaos", "jvm", {"action": "stress", "memType": "heap", **selector("store")})
    route = shop.route("store", "read", after=1)
    assert route.failures[0].cause.text == "java.lang.OutOfMemoryError: Java heap space"
    assert route.delays
    assert shop.service("store", after=0).busy > 0


def on_the_node_of_store(shop: Shop) -> str:
    """Another service of which one pod of two runs beside the store."""
    shop.state()
    nodes = {pod["metadata"]["name"]: pod["spec"]["nodeName"] for pod in shop.cluster.list("Pod", "shop")}
    own = next(node for name, node in nodes.items() if name.startswith("store-"))
    return next(name.partition("-")[0] for name, node in nodes.items() if node == own and name[:5] in ("front", "catal"))


@pytest.mark.parametrize(("limit", "left"), [("3", 2.0), ("1", 3.0)])
def test_stressors_leave_to_others_what_they_do_not_take_or_an_even_part(shop: Shop, limit: str, left: float) -> None:
    shop.container("store", resources={"limits": {"cpu": limit}, "requests": {"cpu": "10m"}})
    other = on_the_node_of_store(shop)
    assert shop.service(other).cores == 4.0
    spec = {"stressors": {"cpu": {"workers": 30, "load": 100}}, **selector("store")}
    shop.create("chaos-mesh.org/v1alpha1", "StressChaos", "hot", spec)
    assert shop.service(other, after=1).cores == pytest.approx((4.0 + left) / 2)


def test_programs_beside_the_application_take_what_their_image_says(shop: Shop) -> None:
    node = next(pod for pod in shop.cluster.list("Pod", "shop") if pod["metadata"]["name"].startswith("store-"))["spec"]
    resources = {"requests": {"cpu": "10m"}, "limits": {"cpu": "700m"}}
    container = {"name": "scan", "image": "registry.local/platform/workload-scanner:1", "resources": resources}
    for number in range(2):
        body = {"nodeName": node["nodeName"], "containers": [container]}
        shop.create("v1", "Pod", f"scan-{number}", body)
    shop.wiring = Wiring(shop.running.graph, image_behaviours())
    assert shop.service("store", after=60).cores == pytest.approx(4.0 - 2 * 0.7)


def test_a_stressor_takes_memory(shop: Shop) -> None:
    before = shop.service("store").base_memory
    spec = {"stressors": {"memory": {"workers": 2, "size": "16MB"}}, **selector("store")}
    shop.create("chaos-mesh.org/v1alpha1", "StressChaos", "fat", spec)
    assert shop.service("store", after=1).base_memory == before + 32e6


def test_settings_in_the_environment_change_what_a_program_does(shop: Shop) -> None:
    shop.env("store", WAIT_MS="400", CPU_MS="10", LEAK_MB="2", ERROR_RATE="0.3")
    route = shop.route("store", "read")
    assert route.cpu == pytest.approx(0.01 - 0.0025)
    assert [delay.seconds for delay in route.delays] == [pytest.approx(0.399)]
    (failure,) = route.failures
    assert (failure.kind, failure.share, failure.cause.text) == (Kind.STATUS, 0.3, "HTTP 500")
    assert [str(ref) for ref in failure.cause.objects] == ["deployment/store"]
    assert shop.service("store").leak == 2 * 2**20


def test_a_setting_that_is_no_number_is_not_obeyed(shop: Shop) -> None:
    shop.env("store", WAIT_MS="fast")
    assert shop.route("store", "read").delays == ()


def test_http_chaos_breaks_requests_off(shop: Shop) -> None:
    shop.create(
        "chaos-mesh.org/v1alpha1",
        "HTTPChaos",
        "cut",
        {"target": "Request", "port": 8080, "abort": True, **selector("store")},
    )
    (failure,) = shop.route("store", "read", after=1).failures
    assert (failure.kind, failure.share) == (Kind.RESET, 1.0)


def test_http_chaos_answers_what_it_is_told(shop: Shop) -> None:
    spec = {"target": "Response", "port": 8080, "replace": {"code": 418}, "path": "/read*", **selector("store")}
    shop.create("chaos-mesh.org/v1alpha1", "HTTPChaos", "tea", spec)
    (failure,) = shop.route("store", "read", after=1).failures
    assert failure.cause.status == 418


def test_http_chaos_spares_other_paths(shop: Shop) -> None:
    spec = {"target": "Request", "port": 8080, "abort": True, "path": "/write", **selector("store")}
    shop.create("chaos-mesh.org/v1alpha1", "HTTPChaos", "else", spec)
    assert shop.route("store", "read", after=1).failures == ()


def test_io_chaos_delays_a_share_of_requests(shop: Shop) -> None:
    spec = {"action": "latency", "delay": "200ms", "percent": 50, "volumePath": "/data", **selector("store")}
    shop.create("chaos-mesh.org/v1alpha1", "IOChaos", "disk", spec)
    (delay,) = shop.route("store", "read", after=1).delays
    assert delay.seconds == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("action", "extra", "fails"),
    [
        ("exception", {}, True),
        ("return", {"value": "null"}, True),
        ("ruleData", {"ruleData": "RULE x\nDO return null\nENDRULE"}, True),
        ("latency", {"latency": 500}, False),
        ("gc", {}, False),
    ],
)
def test_jvm_chaos_fails_or_delays(shop: Shop, action: str, extra: dict[str, Any], fails: bool) -> None:
    shop.create("chaos-mesh.org/v1alpha1", "JVMChaos", "jvm", {"action": action, **extra, **selector("store")})
    route = shop.route("store", "read", after=1)
    assert bool(route.failures) is fails
    assert [delay.seconds for delay in route.delays] == ([0.5] if action == "latency" else [])


def test_one_of_two_pods_that_fails_fails_half(shop: Shop) -> None:
    shop.create(
        "chaos-mesh.org/v1alpha1",
        "JVMChaos",
        "half",
        {"action": "exception", **selector("catalog"), "mode": "fixed", "value": "1"},
    )
    (failure,) = shop.route("catalog", "list", after=1).failures
    assert failure.share == pytest.approx(0.5)


def test_an_experiment_ends_when_its_time_is_up(shop: Shop) -> None:
    spec = {"target": "Request", "port": 8080, "abort": True, "duration": "1m30s", **selector("store")}
    shop.create("chaos-mesh.org/v1alpha1", "HTTPChaos", "cut", spec)
    assert shop.route("store", "read", after=89).failures
    assert not shop.route("store", "read", after=2).failures


def test_what_lives_in_a_container_goes_with_it(shop: Shop) -> None:
    shop.create("chaos-mesh.org/v1alpha1", "JVMChaos", "jvm", {"action": "exception", **selector("store")})
    assert shop.route("store", "read", after=2).failures
    pods = shop.running.twin.store.list("Pod", "shop")
    pod = next(pod for pod in pods if pod["metadata"]["name"].startswith("store-"))
    worker = shop.running.twin.kubelets.worker(pod)
    assert worker is not None
    worker.end_container("store", 1)
    assert not shop.route("store", "read", after=5).failures


def test_nonsense_in_an_experiment_does_nothing(shop: Shop) -> None:
    spec = {"stressors": {"cpu": {"workers": "many", "load": None}}, **selector("store"), "value": "x"}
    shop.create("chaos-mesh.org/v1alpha1", "StressChaos", "odd", spec)
    assert shop.service("store", after=1).cores == 4.0
