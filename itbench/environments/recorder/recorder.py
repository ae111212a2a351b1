"""Record a cluster until told to stop, into a folder that appears whole."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

from itbench.cluster.transport import Transport
from itbench.environments.recorder.logs import Logs
from itbench.environments.recorder.metrics import Metrics, whole_step
from itbench.environments.recorder.secrets import Secrets
from itbench.environments.recorder.spool import Spool
from itbench.environments.recorder.watching import Scope, Watching
from itbench.model.errors import ClusterError
from itbench.snapshot.records import ObjectVersion
from itbench.tools.errors import ToolError

_LOOK_SECONDS = 0.5
_MOST_GAPS = 100
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be recorded.

    Attributes:
        kubeconfig: None as kubectl does.
        context: of it; None for its own.
        prometheus: URL; without one there are no metrics and alerts.
        scope: the namespaces.
        logs: whether those of containers are recorded, too.
        history: minutes before the start of which metrics are taken, too.
        every: seconds between looks at alerts, metrics and logs.
    """

    kubeconfig: Path | None = None
    context: str | None = None
    prometheus: str | None = None
    scope: Scope = field(default_factory=Scope)
    logs: bool = False
    history: float = 15.0
    every: float = 60.0


def finish_interrupted(folder: Path) -> bool:
    """Finish a recording whose recorder was killed; False where there is none.

    Raises:
        UsageError: the folder is there, or is being recorded.
    """
    with Spool(folder, Secrets()) as spool:
        if not spool.found:
            spool.discard()
            return False
        spool.note(interrupted=True)
        spool.finish()
    return True


def record(wish: Wish, folder: Path, stop: Event, minutes: float | None, tell: Tell) -> dict[str, object]:
    """Record until `stop` is set, or so many minutes have passed.

    Args:
        wish: what.
        folder: is not there yet.
        stop: may be set in a handler of signals.
        minutes: None for no end.
        tell: is told what a user wants to know meanwhile.

    Returns:
        What recording.json says.

    Raises:
        UsageError: the kubeconfig, a namespace, Prometheus's address or the folder is wrong.
        ClusterError: the API server does not answer at the start, or refuses everything.
    """
    secrets = Secrets()
    transport = Transport.open(wish.kubeconfig, wish.context)
    try:
        begin = datetime.now(UTC)
        metrics = None
        if wish.prometheus is not None:
            metrics = Metrics(wish.prometheus, wish.scope, whole_step(begin - timedelta(minutes=wish.history)))
            metrics.check()
        watching = Watching(transport, wish.scope)
        try:
            with Spool(folder, secrets) as spool:
                logs = Logs(transport, wish.scope) if wish.logs else None
                _Recorder(wish, watching, metrics, logs, spool, secrets, tell).run(begin, stop, minutes)
                spool.finish()
                return spool.about
        finally:
            watching.close()
    finally:
        transport.close()


class _Recorder:
    """Takes from the sources what they have, and adds it to the spool."""

    def __init__(
        self,
        wish: Wish,
        watching: Watching,
        metrics: Metrics | None,
        logs: Logs | None,
        spool: Spool,
        secrets: Secrets,
        tell: Tell,
    ) -> None:
        self._wish = wish
        self._watching = watching
        self._metrics = metrics
        self._logs = logs
        self._spool = spool
        self._secrets = secrets
        self._tell = tell
        self._counts = {"objects": 0, "events": 0, "logs": 0, "samples": 0, "alert_files": 0}
        self._gaps: list[str] = []
        self._failing: set[str] = set()

    def run(self, begin: datetime, stop: Event, minutes: float | None) -> None:
        self._spool.note(
            began=begin.isoformat(timespec="seconds"),
            namespaces=list(self._wish.scope.namespaces) or "all",
            not_permitted=self._watching.refused,
        )
        if self._watching.refused:
            self._tell(f"not permitted to read: {', '.join(self._watching.refused)}")
        self._tell(f"recording {'until Ctrl-C' if minutes is None else f'for {minutes:g} min'}")
        deadline = None if minutes is None else time.monotonic() + minutes * 60
        next_look = time.monotonic()
        self._changes(0)  # secrets are known before anything else is written
        while not stop.is_set() and (deadline is None or time.monotonic() < deadline):
            if time.monotonic() >= next_look:
                self._look()
                next_look += self._wish.every
                next_look = max(next_look, time.monotonic())
            wait = min(_LOOK_SECONDS, *(end - time.monotonic() for end in (next_look, deadline) if end is not None))
            self._changes(max(wait, 0.0))
        self._changes(0)
        self._look()
        self._tell(", ".join(f"{count} {name.replace('_', ' ')}" for name, count in self._counts.items()))

    def _changes(self, timeout: float) -> None:
        changes = self._watching.poll(timeout)
        self._went("the API server", self._watching.is_connected, "it does not answer")
        now = datetime.now(UTC)
        self._secrets.learn(change.object for change in changes if change.type != "DELETED")
        for change in changes:
            if change.object.get("kind") != "Event":
                self._spool.add_object(ObjectVersion(now, change.object, change.type == "DELETED"))
                self._counts["objects"] += 1
            elif change.type != "DELETED":  # it is only forgotten
                self._spool.add_event(now, change.type, change.object)
                self._counts["events"] += 1

    def _look(self) -> None:
        now = datetime.now(UTC)
        if self._metrics is not None:
            try:
                self._spool.add_alerts(now, self._metrics.alerts(now))
                self._counts["alert_files"] += 1
                for series in self._metrics.series(now):
                    self._spool.add_series(series)
                    self._counts["samples"] += sum(len(one.points) for one in series)
                self._went("Prometheus", True)
            except ToolError as error:
                self._went("Prometheus", False, error.message)
        if self._logs is not None:
            try:
                for line in self._logs.lines():
                    self._spool.add_log(line)
                    self._counts["logs"] += 1
                self._went("logs", True)
            except ClusterError as error:
                self._went("logs", False, error.message)
        missing = {} if self._metrics is None else self._metrics.missing
        self._spool.note(
            ended=now.isoformat(timespec="seconds"), recorded=self._counts, gaps=self._gaps, missing_metrics=missing
        )
        self._spool.flush()

    def _went(self, source: str, well: bool, why: str = "") -> None:
        """Note when a source ends to answer, and when it answers again."""
        if well == (source not in self._failing):
            return
        (self._failing.discard if well else self._failing.add)(source)
        said = f"{source} answers again" if well else f"{source}: {why[:300]}"
        self._tell(said)
        if len(self._gaps) < _MOST_GAPS:
            self._gaps.append(f"{datetime.now(UTC).isoformat(timespec='seconds')} {said}")
