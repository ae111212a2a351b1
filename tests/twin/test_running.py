from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from itbench.cluster.reference import ObjectRef
from itbench.twin.app.load import load_application
from itbench.twin.flow.flow import Flow
from itbench.twin.running import RunningApplication

SHOP = Path(__file__).parent / "applications" / "shop.yaml"


def shop(seed: int = 0) -> RunningApplication:
    return RunningApplication(load_application(str(SHOP)), seed=seed)


def failing(flows: list[Flow], service: str, route: str) -> list[float]:
    index = flows[0].graph.route_index(service, route)
    return [float(share) for flow in flows for share in flow.failures()[:, index]]


def test_an_application_is_up_at_second_zero_and_all_ticks_are_solved() -> None:
    running = shop()
    flows = running.advance(300)
    assert sum(map(len, flows)) == 60
    assert [flow.first for flow in flows] == [sum(map(len, flows[:index])) for index in range(len(flows))]
    assert max(failing(flows, "load", "visit")) == pytest.approx(0, abs=1e-6)
    assert running.twin.clock.now == 300


def test_a_change_shows_and_its_repair_clears_it() -> None:
    running = shop()
    running.advance(60)
    running.twin.cluster.scale(ObjectRef.parse("deployment/cart", "shop"), 0)
    broken = failing(running.advance(120), "front", "page")
    assert broken[3:] == pytest.approx([1.0] * (len(broken) - 3), abs=1e-3)
    running.twin.cluster.scale(ObjectRef.parse("deployment/cart", "shop"), 1)
    assert failing(running.advance(120), "front", "page")[-1] == pytest.approx(0, abs=1e-6)


def test_a_bad_roll_out_leaves_the_old_pods_serving() -> None:
    running = shop()
    image = {"containers": [{"name": "front", "image": "registry.local/shop/web:9.9.9"}]}
    running.twin.cluster.patch(ObjectRef.parse("deployment/front", "shop"), {"spec": {"template": {"spec": image}}})
    flows = running.advance(120)
    assert max(failing(flows, "load", "visit")) < 0.01
    assert flows[-1].state.services[flows[-1].graph.service_index("front")].serving == 2


def test_two_worlds_are_the_same_until_something_is_changed() -> None:
    one, other = shop(seed=5), shop(seed=5)
    before = one.advance(120), other.advance(120)
    other.twin.cluster.scale(ObjectRef.parse("deployment/store", "shop"), 0)
    assert all((a.arrivals == b.arrivals).all() for a, b in zip(*before, strict=True))
    assert failing(one.advance(60), "front", "page") != failing(other.advance(60), "front", "page")


def test_a_flag_acts_when_the_flag_service_sees_it() -> None:
    running = RunningApplication(load_application("otel-demo"), seed=1)
    ref = ObjectRef.parse("configmap/flagd-config", "otel-demo")
    text = running.twin.cluster.get(ref)["data"]["demo.flagd.json"]
    name = text.index('"productCatalogFailure"')
    changed = text[:name] + text[name:].replace('"defaultVariant": "off"', '"defaultVariant": "on"', 1)
    running.twin.cluster.patch(ref, {"data": {"demo.flagd.json": changed}}, "merge")
    shares = failing(running.advance(120), "product-catalog", "oteldemo.ProductCatalogService/GetProduct")
    assert shares[0] == pytest.approx(0, abs=1e-6)
    assert shares[-1] == pytest.approx(0.1, abs=1e-3)


def test_an_autoscaler_adds_pods_under_load_and_relieves_them(tmp_path: Path) -> None:
    text = SHOP.read_text(encoding="utf-8").replace("rate: 5", "rate: 8", 1).replace("cpu: 10m", "cpu: 20m", 1)
    path = tmp_path / "shop.yaml"
    path.write_text(text, encoding="utf-8")
    running = RunningApplication(load_application(str(path)))
    scaler = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "catalog", "namespace": "shop"},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "catalog"},
            "minReplicas": 1,
            "maxReplicas": 10,
            "metrics": [
                {
                    "type": "Resource",
                    "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}},
                }
            ],
        },
    }
    running.twin.cluster.create(scaler)
    flow = running.advance(300)[-1]
    catalog = flow.graph.service_index("catalog")
    # 16 requests a second of 5 ms are 80 mCPU: eight pods of 20 mCPU at half of it.
    assert flow.state.services[catalog].serving == 8
    assert flow.cores[-1, catalog] == pytest.approx(0.01, rel=0.05)


def test_a_leak_begins_with_its_flag_and_ends_in_an_oom_kill() -> None:
    running = RunningApplication(load_application("otel-demo"), seed=1)
    running.advance(600)
    ref = ObjectRef.parse("configmap/flagd-config", "otel-demo")
    document = json.loads(running.twin.cluster.get(ref)["data"]["demo.flagd.json"])
    document["flags"]["recommendationCacheFailure"]["defaultVariant"] = "on"
    running.twin.cluster.patch(ref, {"data": {"demo.flagd.json": json.dumps(document)}}, "merge")

    def status() -> dict[str, Any]:
        (pod,) = running.twin.cluster.list("Pod", "otel-demo", "app.kubernetes.io/name=recommendation")
        return dict(pod["status"]["containerStatuses"][0])

    running.advance(300)
    assert status()["restartCount"] == 0
    running.advance(300)  # 430 MiB of room at 1 MiB a second
    assert status()["lastState"]["terminated"]["reason"] == "OOMKilled"
    running.advance(200)
    assert status()["restartCount"] == 1


_HOOK = {"postStart": {"exec": {"command": ["sh", "-c", "nohup sh /scripts/storage.sh >/dev/null 2>&1 &"]}}}


@pytest.mark.parametrize(
    "how",
    [{"command": ["sh", "-c", "valkey-server & sh /scripts/storage.sh"]}, {"lifecycle": _HOOK}],
    ids=["command", "hook"],
)
def test_a_script_that_fills_a_server_ends_in_an_oom_kill(how: dict[str, Any]) -> None:
    running = RunningApplication(load_application("otel-demo"), seed=1)
    cluster = running.twin.cluster
    script = 'while true; do head -c "1000000" /dev/urandom | valkey-cli -x SET "k:$RANDOM"; sleep 1; done'
    metadata = {"name": "storage-script", "namespace": "otel-demo"}
    cluster.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"storage.sh": script}})
    container = {"name": "valkey-cart", "volumeMounts": [{"name": "scripts", "mountPath": "/scripts"}], **how}
    pod = {"volumes": [{"name": "scripts", "configMap": {"name": "storage-script"}}], "containers": [container]}
    cluster.patch(ObjectRef.parse("deployment/valkey-cart", "otel-demo"), {"spec": {"template": {"spec": pod}}})
    flow = running.advance(20)[-1]
    assert flow.state.services[flow.graph.service_index("valkey-cart")].serving == 1
    running.advance(100)
    (now,) = cluster.list("Pod", "otel-demo", "app.kubernetes.io/name=valkey-cart")
    (status,) = now["status"]["containerStatuses"]
    assert status["restartCount"] >= 2
    assert status["lastState"]["terminated"]["reason"] == "OOMKilled"
