"""Metrics and alerts of a cluster, asked of its Prometheus bit by bit."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from itbench.environments.recorder.records import alert_of, series_of
from itbench.environments.recorder.watching import Scope
from itbench.model.errors import UsageError
from itbench.snapshot.records import Alert, Series
from itbench.tools.errors import ToolError
from itbench.tools.prometheus import PrometheusClient

STEP = timedelta(seconds=15)
_SLICE = timedelta(minutes=15)  # of one question


class Metrics:
    """Follows a Prometheus.

    Args:
        url: of it.
        scope: whose metrics.
        since: metrics are asked from then on.

    Attributes:
        missing: what could not be had, a reason by the metric's name.
    """

    def __init__(self, url: str, scope: Scope, since: datetime) -> None:
        self._client = PrometheusClient(url)
        self._scope = scope
        self._next = since
        self.missing: dict[str, str] = {}
        names = "|".join(map(re.escape, scope.namespaces))
        self._selector = f"namespace=~{json.dumps(names)}" if names else 'namespace!=""'

    def check(self) -> None:
        """See whether it answers.

        Raises:
            UsageError: it does not.
        """
        try:
            self._client.ask("query", query="vector(1)")
        except ToolError as error:
            raise UsageError(
                f"--prometheus {self._client.url}: {error.message}",
                hint="Such as http://127.0.0.1:9090, after: kubectl port-forward -n monitoring svc/prometheus 9090",
            ) from None

    def alerts(self, now: datetime) -> list[Alert]:
        """The alerts that fire.

        Raises:
            ToolError: Prometheus does not answer.
        """
        found = (alert_of(each, now) for each in self._client.ask("alerts").get("alerts") or ())
        return [alert for alert in found if alert.state == "firing" and self._scope.has(alert.labels.get("namespace"))]

    def series(self, until: datetime) -> Iterator[list[Series]]:
        """What was measured since the last call, one metric and stretch of time after another.

        Raises:
            ToolError: Prometheus does not answer; the next call asks for it again.
        """
        while self._next <= until:
            end = min(self._next + _SLICE, until)
            for metric in self._names(self._next, end):
                try:
                    # Whole steps, so that all series have the same times.
                    found = self._client.ask(
                        "query_range",
                        query=f"{{__name__={json.dumps(metric)}, {self._selector}}}",
                        start=f"{self._next.timestamp():.3f}",
                        end=f"{end.timestamp():.3f}",
                        step=f"{STEP.total_seconds():.0f}",
                    )
                except ToolError as error:
                    if not self._answers():
                        raise
                    self.missing[metric] = error.message
                    continue
                records = (series_of(each) for each in found["result"])
                yield [one for one in records if one is not None]
            while self._next <= end:
                self._next += STEP

    def _names(self, since: datetime, until: datetime) -> list[str]:
        seconds = max(int((until - since).total_seconds()), 1) + 1
        query = f"count by (__name__) (last_over_time({{{self._selector}}}[{seconds}s]))"
        # ALERTS is what alerts/ has.
        query = f'group by (__name__) ({{{self._selector}, __name__!~"ALERTS.*"}})' if seconds < 300 else query
        found = self._client.ask("query", query=query, time=f"{until.timestamp():.3f}")["result"]
        return sorted(name for each in found if (name := each["metric"].get("__name__")) and not name.startswith("ALERTS"))

    def _answers(self) -> bool:
        try:
            self._client.ask("query", query="vector(1)")
        except ToolError:
            return False
        return True


def whole_step(time: datetime) -> datetime:
    """The last whole step before a time."""
    step = STEP.total_seconds()
    return datetime.fromtimestamp(time.timestamp() // step * step, UTC)
