"""Usual experiments of Chaos Mesh on the pods of one service, to begin with."""

from __future__ import annotations

from typing import Any

from itbench.twin.app.application import Application

_USUAL: dict[str, dict[str, Any]] = {
    "NetworkChaos": {"action": "delay", "delay": {"latency": "1s", "jitter": "100ms"}},
    "PodChaos": {"action": "pod-failure"},
    "StressChaos": {"stressors": {"cpu": {"workers": 8, "load": 100}}},
    "HTTPChaos": {"target": "Request", "path": "*", "abort": True},
    "JVMChaos": {"action": "stress", "memType": "heap", "port": 9277},
    "IOChaos": {"action": "latency", "delay": "500ms", "percent": 100, "volumePath": "/var/lib", "path": "/var/lib/**/*"},
    "DNSChaos": {"action": "error", "patterns": ["*"]},
}
EXPERIMENTS = tuple(_USUAL)


def experiment(kind: str, service: str, application: Application) -> dict[str, Any]:
    """The spec of a usual experiment of a kind on all pods of a service."""
    selector = {"namespaces": [application.namespace], "labelSelectors": {"app.kubernetes.io/component": service}}
    port = application.services[service].port
    found = {"mode": "all", "selector": selector, **_USUAL[kind]}
    return {**found, "port": port} if kind == "HTTPChaos" and port is not None else found
