"""The collector that programs report to, on each node: what it has counted, read through the API server, past Prometheus."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple
from urllib.parse import quote

from itbench.cluster.protocol import Cluster, KubeObject
from itbench.cluster.transport import Query, Transport
from itbench.environments.kind.monitoring import NAMESPACE
from itbench.environments.kind.program import COLLECTOR_PORT
from itbench.model.errors import ClusterError
from itbench.twin.objects import is_ready, name_of

CALLS = "traces_span_metrics_calls_total"
MESH_CALLS = "istio_requests_total"

_COLLECTOR = "app.kubernetes.io/name=otel-collector"
_SAMPLE = re.compile(r"^(\w+)\{([^}]*)\} (\S+)")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


class Sample(NamedTuple):
    """One line of metrics."""

    name: str
    labels: Mapping[str, str]
    value: float

    @property
    def failed(self) -> bool:
        """Whether it counts requests that failed; of histograms nothing is said."""
        return self.labels.get("status_code") == "STATUS_CODE_ERROR" or self.labels.get("response_code", "").startswith("5")


def collectors(cluster: Cluster) -> list[KubeObject]:
    """The collectors' pods."""
    return list(cluster.list("Pod", NAMESPACE, _COLLECTOR))


def asked(transport: Transport, pod: KubeObject, what: str, query: Query | None = None) -> str:
    """What a collector answers.

    Raises:
        ClusterError: it does not.
    """
    name = quote(f"{name_of(pod)}:{COLLECTOR_PORT}", safe="")
    return transport.text("GET", f"/api/v1/namespaces/{NAMESPACE}/pods/{name}/proxy/{what}", query)


def collected_metrics(cluster: Cluster, transport: Transport) -> str:
    """What all collectors have counted since they began, in Prometheus' text format.

    Raises:
        ClusterError: one does not answer, or none is ready.
    """
    pods = [pod for pod in collectors(cluster) if is_ready(pod)]
    if not pods:
        raise ClusterError("no pod of the collector is ready")
    return "\n".join(asked(transport, pod, "metrics") for pod in pods)


def samples_of(text: str, *names: str) -> Iterator[Sample]:
    """The samples of some metrics."""
    for line in text.splitlines():
        found = _SAMPLE.match(line)
        if found is not None and found[1] in names:
            yield Sample(found[1], dict(_LABEL.findall(found[2])), float(found[3]))
