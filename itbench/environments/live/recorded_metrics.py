"""The metrics and alerts of a snapshot, for a Prometheus: in the order of time, a stretch at once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np

from itbench.environments.live.monitoring import ALERTS
from itbench.environments.live.prometheus import Prometheus
from itbench.environments.live.remote_write import Points
from itbench.snapshot.records import Alert, Series
from itbench.snapshot.snapshot import Snapshot

_STRETCH = timedelta(minutes=20)  # Prometheus takes nothing that is an hour older than what it has
_NO_NAME = re.compile(r"[^a-zA-Z0-9_]")
_NO_METRIC = re.compile(r"[^a-zA-Z0-9_:]")
_LOOK = timedelta(minutes=1)
Labels = tuple[tuple[str, str], ...]


def feed(prometheus: Prometheus, snapshot: Snapshot, at: datetime) -> int:
    """Write what was measured until a time; gives the number of samples.

    Raises:
        PrometheusError: it does not take them.
    """
    ((begin, end),) = snapshot.query(
        "SELECT min(time), max(time) FROM (SELECT time FROM stored.metrics UNION ALL SELECT time FROM stored.alerts)"
    )
    written = 0
    if begin is None:
        return written
    since, last = begin.replace(tzinfo=at.tzinfo), min(end.replace(tzinfo=at.tzinfo), at)
    while since <= last:
        until = min(since + _STRETCH, last + timedelta(microseconds=1))
        points = list(_points(snapshot, since, until))
        prometheus.write(points)
        written += sum(len(one.times) for one in points)
        since = until
    return written


def alerts_at(snapshot: Snapshot, at: datetime) -> Sequence[Alert]:
    """The alerts that were active when the recorder last looked."""
    before = snapshot.alerts(until=at + timedelta(microseconds=1), limit=None)
    times = sorted({alert.time for alert in before})
    if not times:
        return []
    # Where a look found nothing, nothing tells of it but that the time of a look has passed.
    period = min((later - earlier for earlier, later in pairwise(times)), default=_LOOK)
    return [alert for alert in before if alert.time == times[-1] and at - alert.time < period * 1.5]


def _points(snapshot: Snapshot, since: datetime, until: datetime) -> Iterator[Points]:
    # The same series may be in the file of a pod and that of a service: Prometheus has it once.
    found: dict[Labels, dict[int, float]] = {}
    for one in snapshot.series(since=since, until=until, limit=None):
        found.setdefault(_labels(one), {}).update((_ms(time), value) for time, value in one.points)
    for alert in snapshot.alerts(since=since, until=until, limit=None):
        labels = {**_named(alert.labels), "alertstate": alert.state, "__name__": ALERTS}
        found.setdefault(tuple(sorted(labels.items())), {})[_ms(alert.time)] = 1.0
    for key, values in found.items():
        times = sorted(values)
        yield Points(
            dict(key), np.array(times, dtype=np.int64), np.array([values[time] for time in times], dtype=np.float64)
        )


def _labels(one: Series) -> Labels:
    """The labels of a series; those of older recorders say what it is about in the file's name alone."""
    labels = _named(one.labels)
    labels.setdefault("pod" if one.object_kind == "pod" else "service_name", one.object_name)
    labels["__name__"] = _NO_METRIC.sub("_", one.metric)
    return tuple(sorted(labels.items()))


def _named(labels: object) -> dict[str, str]:
    assert isinstance(labels, dict)
    return {_NO_NAME.sub("_", key): str(value) for key, value in labels.items() if key != "__name__" and key}


def _ms(time: datetime) -> int:
    return round(time.timestamp() * 1000)
