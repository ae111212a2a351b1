"""What monitoring of a real cluster has seen: alerts and metrics of Prometheus, spans of the collector, logs of pods.

All of it is asked through the API server, with all rights.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from itbench.cluster.protocol import Cluster
from itbench.cluster.reference import ObjectRef
from itbench.cluster.transport import Transport
from itbench.environments.kind.monitoring import NAMESPACE, PROMETHEUS_PORT, PROMETHEUS_SERVICE
from itbench.model.errors import ClusterError
from itbench.snapshot.records import Alert, LogRecord, Series, Span
from itbench.twin.objects import labels_of, name_of

HISTORY = 900.0
"""Seconds that are looked back on, as far as there is anything."""

_STEP = 15.0
_LINES = 200  # of each container
_SPAN_SECONDS = 60.0  # an application makes hundreds of spans a second
_COLLECTOR = "app.kubernetes.io/name=otel-collector"
_KINDS = ("Internal", "Internal", "Server", "Client", "Producer", "Consumer")
_LINE = re.compile(r"^(?P<time>\d{4}-\d\d-\d\dT[\d:.]+Z) (?:(?P<severity>[A-Z]{4,5}) )?(?P<body>.*)$")
_SEVERITIES = {"DEBUG": 5, "INFO": 9, "WARN": 13, "ERROR": 17, "FATAL": 21}
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
        return [
            Alert(
                time=now,
                labels=each["labels"],
                state=each["state"],
                active_since=datetime.fromisoformat(each["activeAt"]),
                value=float(each["value"]),
                annotations=each["annotations"],
            )
            for each in self._asked("alerts", {})["alerts"]
            if each["state"] == "firing"
        ]

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
                found = _series(each)
                if found is not None:
                    yield found

    def spans(self) -> Iterator[Span]:
        """Spans of the last minute, as far as the collector has kept them.

        Raises:
            ClusterError: the collector does not answer.
        """
        query = {"since": str(int((datetime.now(UTC).timestamp() - _SPAN_SECONDS) * 1e9))}
        for pod in self._cluster.list("Pod", NAMESPACE, _COLLECTOR):
            name = quote(f"{name_of(pod)}:4318", safe="")
            text = self._transport.text("GET", f"/api/v1/namespaces/{NAMESPACE}/pods/{name}/proxy/spans", query)
            for line in text.splitlines():
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
                service = labels_of(pod).get("app.kubernetes.io/name") or container["name"]
                resource = {
                    "k8s.namespace.name": self._namespace,
                    "k8s.pod.name": name_of(pod),
                    "k8s.container.name": container["name"],
                    "service.name": service,
                }
                yield from (_record(line, service, resource) for line in text.splitlines() if line.strip())

    def _asked(self, what: str, query: Mapping[str, str | int | bool | None]) -> Any:
        return self._transport.json("GET", f"{_PROXY}/{what}", query)["data"]


def _series(found: Mapping[str, Any]) -> Series | None:
    """A series of a pod or a service; None for any other."""
    labels = dict(found["metric"])
    metric = labels.pop("__name__", "")
    service = labels.get("service_name") or labels.get("destination_workload")
    kind, name = ("service", service) if service else ("pod", labels.get("pod"))
    if not name:
        return None
    points = tuple((datetime.fromtimestamp(time, UTC), float(value)) for time, value in found["values"])
    return Series(metric, kind, name, labels, points)


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


def _record(line: str, service: str, resource: Mapping[str, str]) -> LogRecord:
    found = _LINE.match(line)
    if found is None:
        return LogRecord(datetime.now(UTC), line, service, resource=resource)
    severity = found["severity"] or ""
    time = datetime.fromisoformat(found["time"])
    return LogRecord(time, found["body"], service, severity, _SEVERITIES.get(severity, 0), resource=resource)
