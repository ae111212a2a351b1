"""A metrics server, for applications with autoscalers.

Others do without it: while it is away, API servers delete no namespaces.
"""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from itbench.bundled import bundled
from itbench.cluster.protocol import KubeObject
from itbench.cluster.reference import ObjectRef
from itbench.cluster.server import ServerCluster
from itbench.cluster.transport import Transport
from itbench.model.errors import AlreadyExistsError, ClusterError, NotFoundError
from itbench.twin.app.application import Application

_SERVICES = "/apis/apiregistration.k8s.io/v1/apiservices"
_AVAILABLE_SECONDS = 180.0
_LOOK = 1.0


def has_autoscalers(application: Application) -> bool:
    """Whether an application has autoscalers."""
    return any(obj["kind"] == "HorizontalPodAutoscaler" for obj in application.manifests)


def metrics_manifests() -> tuple[list[KubeObject], KubeObject]:
    """The objects of a metrics server, and the APIService by which the API server asks it."""
    path: Path = bundled("environments") / "kind" / "monitoring" / "metrics-server.yaml"
    objects = [obj for obj in yaml.safe_load_all(path.read_text(encoding="utf-8")) if obj is not None]
    (service,) = (obj for obj in objects if obj["kind"] == "APIService")
    return [obj for obj in objects if obj is not service], service


def start_metrics_server(cluster: ServerCluster, transport: Transport) -> None:
    """Have a metrics server, and wait until it tells of the nodes.

    Raises:
        ClusterError: it does not get available.
    """
    objects, service = metrics_manifests()
    for obj in objects:
        with suppress(AlreadyExistsError):
            cluster.create(obj)
    with suppress(AlreadyExistsError):
        transport.json("POST", _SERVICES, None, service)
    end = time.monotonic() + _AVAILABLE_SECONDS
    while not _available(transport.json("GET", f"{_SERVICES}/{service['metadata']['name']}")):
        if time.monotonic() > end:
            raise ClusterError(f"the metrics server is not available after {_AVAILABLE_SECONDS:.0f} s")
        time.sleep(_LOOK)


def stop_metrics_server(cluster: ServerCluster, transport: Transport) -> None:
    """Remove it, where there is one; what is asked through it goes first.

    Raises:
        ClusterError: the API server does not answer.
    """
    objects, service = metrics_manifests()
    with suppress(NotFoundError):
        transport.json("DELETE", f"{_SERVICES}/{service['metadata']['name']}")
    for obj in objects:
        with suppress(NotFoundError):
            cluster.delete(ObjectRef.of(obj))


def _available(service: Any) -> bool:
    conditions = (service.get("status") or {}).get("conditions") or ()
    return any(each["type"] == "Available" and each["status"] == "True" for each in conditions)
