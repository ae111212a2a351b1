"""What each service of a real cluster has answered, from the counters of the collector that its programs report to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote

from itbench.cluster.protocol import Cluster
from itbench.cluster.transport import Transport
from itbench.environments.kind.monitoring import NAMESPACE
from itbench.twin.compare.service_levels import Level, Shift
from itbench.twin.objects import is_ready, name_of

_PORT = 4318
_COLLECTOR = "app.kubernetes.io/name=otel-collector"
_SAMPLE = re.compile(r"^traces_span_metrics_(calls_total|duration_milliseconds_sum)\{([^}]*)\} (\S+)")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
# The spans in which a service answers; those in which it asks others are of their callees, too.
_ANSWERS = frozenset(("SPAN_KIND_SERVER", "SPAN_KIND_CONSUMER"))
_NOTHING = Level(requests=0, failed=0, seconds=0)

Counted = Mapping[str, Level]
"""By service, since the collector began."""


def collected(cluster: Cluster, transport: Transport) -> Counted:
    """What the collectors have counted by now.

    Raises:
        ClusterError: one does not answer.
    """
    texts = []
    for pod in cluster.list("Pod", NAMESPACE, _COLLECTOR):
        if is_ready(pod):
            name = quote(f"{name_of(pod)}:{_PORT}", safe="")
            texts.append(transport.text("GET", f"/api/v1/namespaces/{NAMESPACE}/pods/{name}/proxy/metrics"))
    return counted("\n".join(texts))


def counted(text: str) -> Counted:
    """The same, from metrics in Prometheus' text format."""
    found: dict[str, dict[str, float]] = {}
    for line in text.splitlines():
        sample = _SAMPLE.match(line)
        if sample is None:
            continue
        labels = dict(_LABEL.findall(sample[2]))
        if labels.get("span_kind") not in _ANSWERS:
            continue
        service = found.setdefault(labels.get("service_name", ""), {"requests": 0.0, "failed": 0.0, "seconds": 0.0})
        value = float(sample[3])
        if sample[1] != "calls_total":
            service["seconds"] += value / 1000
            continue
        service["requests"] += value
        if labels.get("status_code") == "STATUS_CODE_ERROR":
            service["failed"] += value
    return {name: Level(**values) for name, values in found.items()}


def between(first: Counted, second: Counted) -> dict[str, Level]:
    """What was answered between two moments; all of it if the counters began anew meanwhile."""
    found = {}
    for name, now in second.items():
        then = first.get(name, _NOTHING)
        if then.requests > now.requests:
            then = _NOTHING
        found[name] = Level(
            requests=now.requests - then.requests,
            failed=max(now.failed - then.failed, 0.0),
            seconds=max(now.seconds - then.seconds, 0.0),
        )
    return found


def shifts(before: tuple[Counted, Counted], under: tuple[Counted, Counted]) -> dict[str, Shift]:
    """How services moved from one stretch of time to another, each told by what was counted at its beginning and end."""
    sides = between(*before), between(*under)
    names = sorted({*sides[0], *sides[1]})
    return {name: Shift(before=sides[0].get(name, _NOTHING), under=sides[1].get(name, _NOTHING)) for name in names}
