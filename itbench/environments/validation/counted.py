"""What each service of a real cluster has answered, from the counters of the collector that its programs report to."""

from __future__ import annotations

from collections.abc import Mapping

from itbench.cluster.protocol import Cluster
from itbench.cluster.transport import Transport
from itbench.environments.kind.collector import CALLS, collected_metrics, samples_of
from itbench.twin.compare.service_levels import Level, Shift

_TIMES = "traces_span_metrics_duration_milliseconds_sum"
# The spans in which a service answers; those in which it asks others are of their callees, too.
_ANSWERS = frozenset(("SPAN_KIND_SERVER", "SPAN_KIND_CONSUMER"))
_NOTHING = Level(requests=0, failed=0, seconds=0)

Counted = Mapping[str, Level]
"""By service, since the collector began."""


def collected(cluster: Cluster, transport: Transport) -> Counted:
    """What the collectors have counted by now.

    Raises:
        ClusterError: one does not answer, or none is ready.
    """
    return counted(collected_metrics(cluster, transport))


def counted(text: str) -> Counted:
    """The same, from metrics in Prometheus' text format."""
    found: dict[str, dict[str, float]] = {}
    for sample in samples_of(text, CALLS, _TIMES):
        if sample.labels.get("span_kind") not in _ANSWERS:
            continue
        name = sample.labels.get("service_name", "")
        service = found.setdefault(name, {"requests": 0.0, "failed": 0.0, "seconds": 0.0})
        if sample.name == _TIMES:
            service["seconds"] += sample.value / 1000
        else:
            service["requests"] += sample.value
            service["failed"] += sample.value if sample.failed else 0.0
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
