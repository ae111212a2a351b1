"""Who reads a Secret or a ConfigMap when it starts is restarted by the fix, and nobody else."""

from __future__ import annotations

from typing import Any

import pytest
from numpy.random import default_rng

from itbench.cluster.protocol import Cluster
from itbench.cluster.reference import ObjectRef
from itbench.faults.fixes import RestartUsers
from itbench.faults.injection import Injection
from itbench.faults.pacing import Pacer
from itbench.faults.registry import fault

from .conftest import workload

NOTHING = Injection(fault="none", arguments={}, roots=(), objects=())
KINDS = ("Deployment", "StatefulSet")


def reader(kind: str, name: str, namespace: str, **container: Any) -> dict[str, Any]:
    made = workload(kind, name, namespace)
    made["spec"]["template"]["spec"]["containers"][1] |= container
    return made


def key_of(source: str, name: str) -> list[dict[str, Any]]:
    taken = {f"{source}KeyRef": {"name": name, "key": "user"}}
    return [{"name": "PLAIN", "value": name}, {"name": "TAKEN", "valueFrom": taken}]


def restarted(cluster: Cluster, namespace: str) -> set[str]:
    return {
        found["metadata"]["name"]
        for kind in KINDS
        for found in cluster.list(kind, namespace)
        if "kubectl.kubernetes.io/restartedAt" in found["spec"]["template"]["metadata"].get("annotations", {})
    }


@pytest.mark.parametrize(("kind", "source"), [("Secret", "secret"), ("ConfigMap", "configMap")])
def test_only_who_takes_its_environment_from_it_is_restarted(cluster: Cluster, shop: str, kind: str, source: str) -> None:
    other = "configMap" if source == "secret" else "secret"
    cluster.create(reader("Deployment", "by-key", shop, env=key_of(source, "store")))
    cluster.create(reader("StatefulSet", "whole", shop, envFrom=[{f"{source}Ref": {"name": "store"}}]))
    cluster.create(reader("Deployment", "another-name", shop, env=key_of(source, "store-2")))
    cluster.create(reader("Deployment", "another-kind", shop, envFrom=[{f"{other}Ref": {"name": "store"}}]))
    RestartUsers(object=ObjectRef(kind, "store", shop)).apply(cluster, NOTHING)
    assert restarted(cluster, shop) == {"by-key", "whole"}


def test_rotated_credentials_are_set_back_before_their_users_restart(cluster: Cluster, shop: str, pacer: Pacer) -> None:
    ref = ObjectRef("Secret", "store", shop)
    before = cluster.get(ref)["data"]
    cluster.create(reader("Deployment", "mailer", shop, env=key_of("secret", "store")))
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "store", "namespace": shop}}
    rotated = fault("corrupted-kubernetes-secret-credentials", {"kubernetesObject": secret})
    injection = rotated.inject(cluster, pacer, default_rng(1))
    assert cluster.get(ref)["data"] != before
    assert restarted(cluster, shop) == set()
    (fix,) = rotated.fixes()
    assert fix.commands == (
        f"kubectl -n {shop} edit secret store",
        f"kubectl -n {shop} rollout restart deployment NAME",
    )
    fix.apply(cluster, injection)
    assert cluster.get(ref)["data"] == before
    assert restarted(cluster, shop) == {"mailer"}
