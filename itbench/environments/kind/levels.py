"""Service levels of an application on a real cluster, from the counters of the collector that its programs report to.

They are read at every look, past Prometheus: its scrapes would tell of a recovery only seconds later, and whoever takes
Prometheus down must not look as if nothing failed.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress

from itbench.cluster.protocol import Cluster
from itbench.cluster.transport import Transport
from itbench.environments.kind.collector import CALLS, MESH_CALLS, collected_metrics, samples_of
from itbench.environments.kind.tallies import Callees, Seen, tallies
from itbench.model.errors import ClusterError

SECONDS = 5.0
"""Over which failures are counted."""
SHARE = 0.05
"""Of the requests that may fail; of one kind of span of one service."""

_KEPT = 5.0  # seconds between two moments that are kept

Counters = Mapping[tuple[str, str], tuple[float, float]]
"""By service and kind of request: how many there were, and how many of them failed."""


def counters(text: str) -> dict[tuple[str, str], tuple[float, float]]:
    """What the collector has counted, from its metrics in Prometheus' text format."""
    found: dict[tuple[str, str], tuple[float, float]] = {}
    for sample in samples_of(text, CALLS, MESH_CALLS):
        labels = sample.labels
        if sample.name == MESH_CALLS:
            key = labels.get("destination_workload", ""), labels.get("reporter", "request")
        else:
            key = labels.get("service_name", ""), labels.get("span_kind", "").removeprefix("SPAN_KIND_").lower()
        calls, failures = found.get(key, (0.0, 0.0))
        found[key] = calls + sample.value, failures + (sample.value if sample.failed else 0.0)
    return found


def failing(before: Counters, now: Counters) -> list[str]:
    """The services of whose requests too many have failed between two moments, in words."""
    told = []
    for key, (calls, failures) in sorted(now.items()):
        calls_then, failures_then = before.get(key, (0.0, 0.0))
        if calls < calls_then:  # the collector has been restarted
            calls_then = failures_then = 0.0
        made, failed = calls - calls_then, failures - failures_then
        if failed >= 1 and failed > SHARE * made:
            told.append(f"{failed:.0f} of {made:.0f} requests ({key[1]}) of {key[0]} fail")
    return told


class CollectedLevels:
    """Service levels of the last seconds, as the collector has them.

    Args:
        cluster: with rights to read everything.
        transport: the same.
        callees: who calls whom.

    Attributes:
        seen: what had been counted at some moments, the oldest first; `forget` empties it.
    """

    def __init__(self, cluster: Cluster, transport: Transport, callees: Callees) -> None:
        self._cluster = cluster
        self._transport = transport
        self._callees = callees
        self._seen: deque[tuple[float, Counters]] = deque()
        self.seen: list[Seen] = []

    def mark(self) -> float:
        """Keep what has been counted by now; gives the moment, `time.monotonic`. A silent collector is none."""
        with suppress(ClusterError):
            self._keep(collected_metrics(self._cluster, self._transport))
        return self.seen[-1].seconds if self.seen else time.monotonic()

    def forget(self) -> None:
        """Drop all but what was seen last."""
        del self.seen[:-1]

    def _keep(self, text: str) -> None:
        self.seen.append(Seen(time.monotonic(), tallies(text, self._callees)))

    def problems(self) -> list[str]:
        """What service levels lack at the moment, in words. A collector that is silent is one."""
        now = time.monotonic()
        try:
            text = collected_metrics(self._cluster, self._transport)
        except ClusterError as error:
            return [f"the collector does not answer: {error.message[:80]}"]
        if not self.seen or now - self.seen[-1].seconds >= _KEPT:
            self._keep(text)
        read = counters(text)
        if not read:
            return ["no requests are made"]
        self._seen.append((now, read))
        while len(self._seen) > 1 and self._seen[1][0] <= now - SECONDS:
            self._seen.popleft()
        began, before = self._seen[0]
        if now - began < SECONDS:
            return []  # nobody has looked for long enough
        idle = not any(calls > before.get(key, (0.0, 0.0))[0] for key, (calls, _) in read.items())
        return ["no requests are made"] if idle else failing(before, read)
