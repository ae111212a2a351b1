"""What monitoring of a real cluster has seen: alerts and metrics of Prometheus, spans of the collector, logs of pods.

All of it is asked through the API server, with all rights.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from itbench.cluster.protocol import Cluster
from itbench.cluster.reference import ObjectRef
from itbench.cluster.transport import Transport
from itbench.environments.kind.collector import asked, collectors
from itbench.environments.kind.monitoring import NAMESPACE, PROMETHEUS_PORT, PROMETHEUS_SERVICE
from itbench.environments.recorder.records import alert_of, log_of, resource_of, series_of
from itbench.model.errors import ClusterError
from itbench.snapshot.records import Alert, LogRecord, Series, Span

HISTORY = 900.0
"""Seconds that are looked back on, as far as there is anything."""

_STEP = 15.0
_LINES = 200  # of each container
_SPAN_SECONDS = 60.0  # an application makes hundreds of spans a second
_KINDS = ("Internal", "Internal", "Server", "Client", "Producer", "Consumer")
_PROXY = f"/api/v1/namespaces/{NAMESPACE}/services/{PROMETHEUS_SERVICE}:{PROMETHEUS_PORT}/proxy/api/v1"


class Telemetry:
    """Monitoring of a cluster.

    Args:
        cluster: with rights to read everything.
        transport: the same.
        namespace: of the application.
    """

    def __init__(self, cluster: Cluster, transport: Transport, namespace: str) -> None:
        self._cluster = cluster
        self._transport = transport
        self._namespace = namespace

    def alerts(self) -> list[Alert]:
        """The alerts that fire or are about to.

        Raises:
            ClusterError: Prometheus does not answer.
        """
        now = datetime.now(UTC)
        return [alert_of(each, now) for each in self._asked("alerts", {})["alerts"]]

    def series(self) -> Iterator[Series]:
        """Metrics of the application's pods and services.

        Raises:
            ClusterError: Prometheus does not answer.
        """
        matching = f'{{namespace="{self._namespace}", __name__!~".*_bucket"}}'
        by = "sum by (__name__, namespace, service_name, destination_workload, le)"
        buckets = f'{by} ({{namespace="{self._namespace}", __name__=~".*_milliseconds_bucket"}})'
        end = datetime.now(UTC)
        window: dict[str, str | int | bool | None] = {
            "start": str((end - timedelta(seconds=HISTORY)).timestamp()),
            "end": str(end.timestamp()),
            "step": str(_STEP),
        }
        for query in (matching, buckets):
            for each in self._asked("query_range", {"query": query, **window})["result"]:
                found = series_of(each)
                if found is not None:
                    yield found

    def spans(self) -> Iterator[Span]:
        """Spans of the last minute, as far as the collector has kept them.

        Raises:
            ClusterError: the collector does not answer.
        """
        query = {"since": str(int((datetime.now(UTC).timestamp() - _SPAN_SECONDS) * 1e9))}
        for pod in collectors(self._cluster):
            for line in asked(self._transport, pod, "spans", query).splitlines():
                found = json.loads(line)
                if found["namespace"] == self._namespace:
                    yield _span(found)

    def logs(self) -> Iterator[LogRecord]:
        """The last lines of every container, those of containers that have ended included."""
        for pod in self._cluster.list("Pod", self._namespace):
            for container in pod["spec"]["containers"]:
                try:
                    text = self._cluster.logs(ObjectRef.of(pod), container["name"], _LINES)
                except ClusterError:  # it has not started
                    continue
                resource = resource_of(pod, container["name"])
                now = datetime.now(UTC)
                lines = (line for line in text.splitlines() if line.strip())
                yield from (log_of(line, now, resource["service.name"], resource) for line in lines)

    def _asked(self, what: str, query: Mapping[str, str | int | bool | None]) -> Any:
        return self._transport.json("GET", f"{_PROXY}/{what}", query)["data"]


def _span(found: Mapping[str, Any]) -> Span:
    begin, end = int(found["startTimeUnixNano"]), int(found["endTimeUnixNano"])
    return Span(
        time=datetime.fromtimestamp(begin // 1000 / 1e6, UTC),
        trace_id=found["traceId"],
        span_id=found["spanId"],
        parent_span_id=found.get("parentSpanId", ""),
        name=found["name"],
        service=found["service"],
        duration_ns=max(end - begin, 0),
        kind=_KINDS[found["kind"]],
        status="Error" if (found.get("status") or {}).get("code") == 2 else "Unset",
        resource={
            "k8s.namespace.name": found["namespace"],
            "k8s.pod.name": found["pod"],
            "service.name": found["service"],
        },
        attributes=found.get("described") or {},
    )
