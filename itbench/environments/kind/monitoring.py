"""Monitoring in a real cluster: a collector of spans, an exporter of object metrics, and Prometheus with the alert rules.

The manifests are environments/kind/monitoring/*.yaml; the rules are the very files of environments/alerts/ that the twin
evaluates. The images are those of `itbench.environments.kind.archive.monitoring_images`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from itbench.bundled import bundled
from itbench.cluster.protocol import KubeObject
from itbench.twin.app.application import Application

NAMESPACE = "monitoring"
PROMETHEUS_SERVICE, PROMETHEUS_PORT, PROMETHEUS_NODE_PORT = "prometheus", 9090, 30090
"""Where Prometheus is reached: within the cluster, and on every node."""

SECONDS = 5.0
"""Between two scrapes of programs and objects, and between two evaluations of rules."""

_PARTS = ("collector", "exporter", "prometheus")
_EXPORTER = "object-metrics"
_RULES = "prometheus-rules"
_COMMON = "kubernetes"


def monitoring_manifests(application: Application, rules: Mapping[str, str] | None = None) -> list[KubeObject]:
    """Everything to apply, in an order in which nothing waits for what comes later.

    Args:
        application: that is watched.
        rules: Prometheus rule files by name; the default are those of `rule_files`.
    """
    objects = [obj for part in _PARTS for obj in _parts(part)]
    data = dict(rule_files(application) if rules is None else rules)
    metadata = {"name": _RULES, "namespace": NAMESPACE}
    config: KubeObject = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
    first = next(index for index, obj in enumerate(objects) if obj["kind"] != "Namespace")
    objects.insert(first, config)
    for obj in objects:
        if obj["kind"] != "Deployment":
            continue
        template = obj["spec"]["template"]
        if obj["metadata"]["name"] == _EXPORTER:
            template["spec"]["containers"][0]["env"] = [{"name": "NAMESPACES", "value": application.namespace}]
        elif obj["metadata"]["name"] == PROMETHEUS_SERVICE:
            template["metadata"]["annotations"] = {"checksum/configuration": _checksum(objects)}
    return objects


def _checksum(objects: Sequence[KubeObject]) -> str:
    """Of all configuration: Prometheus reads its files when it starts, so that other files must start it anew."""
    texts = [obj["data"] for obj in objects if obj["kind"] == "ConfigMap"]
    return hashlib.sha256(json.dumps(texts, sort_keys=True).encode()).hexdigest()[:16]


def rule_files(application: Application) -> dict[str, str]:
    """The rules for an application and those for any, as texts by file name."""
    folder = bundled("environments") / "alerts"
    paths = [folder / f"{name}.yaml" for name in (application.name, _COMMON)]
    return {path.name: path.read_text(encoding="utf-8") for path in paths if path.is_file()}


def _parts(name: str) -> list[KubeObject]:
    path: Path = bundled("environments") / "kind" / "monitoring" / f"{name}.yaml"
    return [obj for obj in yaml.safe_load_all(path.read_text(encoding="utf-8")) if obj is not None]
