"""What an API server and a Prometheus answer, as records of a snapshot."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from itbench.cluster.protocol import KubeObject
from itbench.model.entity import Entity
from itbench.snapshot.records import Alert, Event, LogRecord, Series

# What a series is about: the first of these labels that it has. `service` comes late: exporters put their own name there.
_SERVICES = ("service_name", "destination_workload")
_OTHERS = ("deployment", "statefulset", "daemonset", "service", "job")
_LONGEST = 240  # of the 255 bytes of a file's name
_LINE = re.compile(
    r"^(?P<time>\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)) "
    r"(?:\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d) )?"  # the program's own, where it says the time, too
    r"(?:(?P<severity>DEBUG|INFO|WARN|WARNING|ERROR|FATAL) )?(?P<body>.*)$",
    re.DOTALL,
)
_SEVERITIES = {"DEBUG": 5, "INFO": 9, "WARN": 13, "WARNING": 13, "ERROR": 17, "FATAL": 21}


def event_of(obj: KubeObject, watch: str = "ADDED", recorded_at: datetime | None = None) -> Event:
    """A core/v1 Event, in the form of old and new clients (a series counts what comes again).

    Args:
        obj: the Event.
        watch: what was reported of it.
        recorded_at: when.
    """
    involved = obj.get("involvedObject") or {}
    series = obj.get("series") or {}
    told = (
        obj.get("lastTimestamp")
        or series.get("lastObservedTime")
        or obj.get("firstTimestamp")
        or obj.get("eventTime")
        or obj["metadata"]["creationTimestamp"]
    )
    return Event(
        time=datetime.fromisoformat(told),
        involved=Entity(namespace=involved.get("namespace"), kind=involved.get("kind"), name=involved.get("name", "")),
        reason=obj.get("reason") or "",
        message=obj.get("message") or "",
        type=obj.get("type") or "Normal",
        count=obj.get("count") or series.get("count") or 1,
        component=(obj.get("source") or {}).get("component") or obj.get("reportingComponent") or "",
        watch=watch,
        recorded_at=recorded_at,
    )


def alert_of(found: Mapping[str, Any], now: datetime) -> Alert:
    """One of Prometheus's `/api/v1/alerts`, as seen `now`."""
    active = found.get("activeAt")
    return Alert(
        time=now,
        labels=found["labels"],
        state=found["state"],
        active_since=datetime.fromisoformat(active) if active else None,
        value=float(found.get("value", "nan")),
        annotations=found.get("annotations") or {},
    )


def series_of(found: Mapping[str, Any]) -> Series | None:
    """A series of a pod or a service, from a range query's result; None for any other."""
    labels = dict(found["metric"])
    metric = labels.pop("__name__", "")
    service = next((labels[label] for label in _SERVICES if labels.get(label)), None)
    if service:
        kind, name = "service", service
    elif labels.get("pod"):
        kind, name = "pod", labels["pod"]
    else:
        kind, name = "service", next((labels[label] for label in _OTHERS if labels.get(label)), "")
    if not _is_file_name(name):
        return None
    points = tuple((datetime.fromtimestamp(time, UTC), float(value)) for time, value in found["values"])
    return Series(metric, kind, name, labels, points)


def _is_file_name(name: str) -> bool:
    """Whether there can be a file of metrics for it; labels may be anything."""
    return name.isprintable() and 0 < len(name.encode()) <= _LONGEST and "/" not in name and not name.endswith("_raw")


def log_of(line: str, now: datetime, service: str, resource: Mapping[str, str]) -> LogRecord:
    """A line of a container; `now` is its time where it says none."""
    found = _LINE.match(line)
    if found is None:
        return LogRecord(now, line, service, resource=resource)
    severity = found["severity"] or ""
    return LogRecord(
        datetime.fromisoformat(found["time"]),
        found["body"],
        service,
        severity,
        _SEVERITIES.get(severity, 0),
        resource=resource,
    )


def resource_of(pod: KubeObject, container: str) -> dict[str, str]:
    """Where a container's log comes from, in OpenTelemetry's words."""
    metadata = pod["metadata"]
    return {
        "k8s.namespace.name": metadata["namespace"],
        "k8s.pod.name": metadata["name"],
        "k8s.container.name": container,
        "service.name": (metadata.get("labels") or {}).get("app.kubernetes.io/name") or container,
    }
