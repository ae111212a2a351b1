"""Workloads of every kind, hardened as the restricted Pod Security Standard and the CIS benchmark ask for."""

from __future__ import annotations

from typing import Any

import numpy as np

from itbench.compliance.fleets.words import APPLICATIONS, chance, names, pick

Object = dict[str, Any]
_REGISTRY = "registry.shop.example"


def workloads(rng: np.random.Generator) -> list[Object]:
    """A namespace with a workload of each kind, their service accounts, a Service and a ConfigMap."""
    namespace = pick(rng, ("shop", "store", "market", "orders"))
    objects: list[Object] = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}]
    kinds = ("Deployment", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "Pod", "Pod")
    for kind, name in zip(kinds, names(rng, APPLICATIONS, len(kinds)), strict=True):
        meta = {"name": name, "namespace": namespace, "labels": {"app": name}}
        account = {"name": f"{name}-account", "namespace": namespace}
        objects.append(
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": account, "automountServiceAccountToken": False}
        )
        objects.append(_workload(rng, kind, meta, _pod(rng, name, kind)))
    first = objects[2]["metadata"]["name"]
    objects.append(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": first, "namespace": namespace},
            "spec": {"type": "ClusterIP", "selector": {"app": first}, "ports": [{"port": 80, "targetPort": 8080}]},
        }
    )
    settings = {
        "LOG_LEVEL": pick(rng, ("info", "warn")),
        "NOTE": "hostNetwork: true and privileged: true are not wanted",
    }
    meta = {"name": "settings", "namespace": namespace}
    objects.append({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": settings})
    return objects


def some_workloads(rng: np.random.Generator) -> list[Object]:
    """One workload of four kinds and nothing else: Kyverno takes its time for each object."""
    namespace = pick(rng, ("shop", "store", "market", "orders"))
    kinds = ("Deployment", pick(rng, ("StatefulSet", "DaemonSet")), "CronJob", "Pod")
    return [
        _workload(rng, kind, {"name": name, "namespace": namespace, "labels": {"app": name}}, _pod(rng, name, kind))
        for kind, name in zip(kinds, names(rng, APPLICATIONS, len(kinds)), strict=True)
    ]


def _workload(rng: np.random.Generator, kind: str, meta: Object, spec: Object) -> Object:
    labels = meta["labels"]
    template = {"metadata": {"labels": labels}, "spec": spec}
    selector = {"matchLabels": labels}
    replicas = int(rng.integers(1, 4))
    inner: Object
    match kind:
        case "Pod":
            return {"apiVersion": "v1", "kind": kind, "metadata": meta, "spec": spec}
        case "Job":
            return {
                "apiVersion": "batch/v1",
                "kind": kind,
                "metadata": meta,
                "spec": {"backoffLimit": 2, "template": template},
            }
        case "CronJob":
            inner = {"schedule": f"{int(rng.integers(60))} 3 * * *", "jobTemplate": {"spec": {"template": template}}}
            return {"apiVersion": "batch/v1", "kind": kind, "metadata": meta, "spec": inner}
        case "DaemonSet":
            inner = {"selector": selector, "template": template}
        case "StatefulSet":
            inner = {"replicas": replicas, "serviceName": meta["name"], "selector": selector, "template": template}
        case _:
            inner = {"replicas": replicas, "selector": selector, "template": template}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": meta, "spec": inner}


def _pod(rng: np.random.Generator, name: str, kind: str) -> Object:
    level = pick(rng, ("pod", "container", "both"))
    containers = [_container(rng, name, level)]
    if chance(rng, 0.4):
        containers.append(_container(rng, "proxy", level))
    spec: Object = {
        "serviceAccountName": f"{name}-account",
        "automountServiceAccountToken": False,
        "containers": containers,
        "volumes": [
            {"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}},
            {"name": "settings", "configMap": {"name": "settings"}},
            {"name": "secret", "secret": {"secretName": f"{name}-secret", "defaultMode": 0o400}},
        ],
    }
    if level != "container":
        spec["securityContext"] = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
        if chance(rng, 0.5):
            spec["securityContext"]["fsGroup"] = int(rng.integers(10_000, 20_000))
    for field in ("hostNetwork", "hostPID", "hostIPC"):
        if chance(rng, 0.3):  # the default, written out
            spec[field] = False
    if chance(rng, 0.3):
        first = {
            key: value for key, value in _container(rng, "wait", level).items() if key not in ("livenessProbe", "ports")
        }
        spec["initContainers"] = [first]
    if kind in ("Job", "CronJob"):
        spec["restartPolicy"] = "Never"
        for container in containers:
            container.pop("livenessProbe", None)
    return spec


def _container(rng: np.random.Generator, name: str, level: str) -> Object:
    digest = "".join(pick(rng, "0123456789abcdef") for _ in range(64))
    tag = f":{int(rng.integers(1, 9))}.{int(rng.integers(0, 30))}.{int(rng.integers(0, 9))}"
    security: Object = {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    if chance(rng, 0.3):
        security["privileged"] = False
    if chance(rng, 0.2):
        security["capabilities"]["add"] = ["NET_BIND_SERVICE"]
    if level != "pod":
        security["runAsNonRoot"] = True
        security["seccompProfile"] = {"type": "RuntimeDefault"}
    if chance(rng, 0.4):
        security["runAsUser"] = int(rng.integers(10_000, 20_000))
    memory = f"{int(rng.integers(1, 8)) * 64}Mi"
    container: Object = {
        "name": name,
        "image": f"{_REGISTRY}/{pick(rng, ('shop', 'base'))}/{name}{tag if chance(rng, 0.5) else ''}@sha256:{digest}",
        "ports": [{"containerPort": 8080}],
        "env": [{"name": "MODE", "value": pick(rng, ("fast", "safe"))}],
        "envFrom": [{"configMapRef": {"name": "settings"}}],
        "resources": {"requests": {"cpu": "100m", "memory": memory}, "limits": {"cpu": "500m", "memory": memory}},
        "livenessProbe": {"httpGet": {"path": "/live", "port": 8080}},
        "securityContext": security,
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108 - inside a container
    }
    return container
