from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from itbench.cluster.manifest import read_manifest
from itbench.twin.app.load import application_names, load_application
from itbench.twin.app.objects import manifests

SHOP = Path(__file__).parents[1] / "applications" / "shop.yaml"


def by_name(name: str) -> dict[tuple[str, str], dict[str, Any]]:
    return {(obj["kind"], obj["metadata"]["name"]): obj for obj in manifests(load_application(name))}


@pytest.mark.parametrize("name", [*application_names(), str(SHOP)])
def test_every_object_is_of_a_known_kind_and_lies_in_the_namespace(name: str) -> None:
    application = load_application(name)
    for obj in manifests(application):
        read_manifest(obj)
        assert obj["kind"] == "Namespace" or obj["metadata"]["namespace"] == application.namespace


def test_a_service_becomes_a_workload_and_a_kubernetes_service() -> None:
    objects = by_name("otel-demo")
    deployment, service = objects["Deployment", "cart"], objects["Service", "cart"]
    template = deployment["spec"]["template"]
    (container,) = template["spec"]["containers"]
    assert {"name": "VALKEY_ADDR", "value": "valkey-cart:6379"} in container["env"]
    assert service["spec"]["ports"] == [{"name": "tcp-service", "port": 8080, "protocol": "TCP", "targetPort": 8080}]
    assert service["spec"]["selector"].items() <= template["metadata"]["labels"].items()
    assert deployment["spec"]["selector"]["matchLabels"].items() <= template["metadata"]["labels"].items()
    assert container["resources"] == {"requests": {"cpu": "20m"}, "limits": {"memory": "160Mi"}}


def test_secrets_and_files_are_referred_to() -> None:
    shop = by_name(str(SHOP))
    env = shop["Deployment", "cart"]["spec"]["template"]["spec"]["containers"][0]["env"]
    assert env[-1] == {"name": "STORE_TOKEN", "valueFrom": {"secretKeyRef": {"name": "store-access", "key": "token"}}}
    pod = by_name("otel-demo")["Deployment", "flagd"]["spec"]["template"]["spec"]
    assert pod["volumes"] == [{"name": "flagd-config", "configMap": {"name": "flagd-config"}}]


def test_flags_are_written_in_flagds_format() -> None:
    document = json.loads(by_name("otel-demo")["ConfigMap", "flagd-config"]["data"]["demo.flagd.json"])
    assert document["flags"]["paymentFailure"]["variants"]["90%"] == 0.95
    assert document["flags"]["adFailure"] == {
        "description": "Fail ad service",
        "state": "ENABLED",
        "variants": {"on": True, "off": False},
        "defaultVariant": "off",
    }


def test_workloads_that_share_a_service_make_it_once() -> None:
    objects = [obj for obj in manifests(load_application("book-info")) if obj["kind"] == "Service"]
    (reviews,) = [obj for obj in objects if obj["metadata"]["name"] == "reviews"]
    assert reviews["spec"]["selector"] == {"app": "reviews"}
