"""What the containers of a live world print: what their processes say as they start, then the lines of the application.

Lines of requests are sampled as in a recording (errors are kept more often than the rest); each has its time and level.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from itbench.cluster.reference import ObjectRef
from itbench.snapshot.records import LogRecord
from itbench.twin.incident.incident import Incident
from itbench.twin.telemetry.history import History
from itbench.twin.telemetry.logs import Logger
from itbench.twin.telemetry.pods import Roster
from itbench.twin.telemetry.recording import LITE
from itbench.twin.telemetry.traffic import Traffic

_KEPT = 5000  # lines a pod


class LiveLogs:
    """The logs of an incident that goes on. Nothing may change it meanwhile.

    Args:
        incident: at the end of a tick.
        recorded: its logs so far.
    """

    def __init__(self, incident: Incident, recorded: Iterable[LogRecord]) -> None:
        self._incident = incident
        self._lines: dict[tuple[str, str], deque[LogRecord]] = defaultdict(lambda: deque(maxlen=_KEPT))
        self._until = incident.ticked
        self._take(recorded)

    def read(self, namespace: str, pod: str, container: str, *, tail: int | None, previous: bool) -> str:
        """The lines of one container.

        Raises:
            ClusterError: there is no such pod or container.
        """
        cluster = self._incident.running.twin.cluster
        ref = ObjectRef("Pod", pod, namespace)
        first = cluster.logs(ref, container, None, previous=previous).splitlines()
        found = cluster.get(ref)
        lines = first
        if container == found["spec"]["containers"][0]["name"]:  # the others are not the application's
            self._refresh()
            begin, end = _run(found, container, previous=previous)
            lines += [
                _printed(line)
                for line in self._lines.get((namespace, pod), ())
                if begin is not None and begin <= line.time and (end is None or line.time <= end)
            ]
        shown = lines if tail is None else lines[max(0, len(lines) - tail) :]
        return "".join(f"{line}\n" for line in shown)

    def _refresh(self) -> None:
        """Work out what was logged since the last time."""
        now = self._incident.ticked
        if now <= self._until:
            return
        part = self._incident.happened(self._until)
        self._until = now
        roster = Roster(part.usages, History(part.observations))
        streams = self._incident.streams.from_tick(part.skipped)
        logger = Logger(part.flows, Traffic.of(part.flows), roster, streams, part.begin, LITE.logs)
        self._take(logger.records(()))

    def _take(self, records: Iterable[LogRecord]) -> None:
        for line in records:
            self._lines[line.namespace, line.pod].append(line)


def _run(pod: dict[str, Any], container: str, *, previous: bool) -> tuple[datetime | None, datetime | None]:
    """When a run of a container began and ended; None for a beginning that never was, or an end that is ahead."""
    statuses = (pod.get("status") or {}).get("containerStatuses") or ()
    status: dict[str, Any] = next((item for item in statuses if item["name"] == container), {})
    state = status.get("lastState" if previous else "state") or {}
    run = state.get("terminated") or state.get("running") or {}
    if not run and not previous:  # it waits to be started again; what it printed last is there to be read
        run = (status.get("lastState") or {}).get("terminated") or {}
    return _moment(run.get("startedAt")), _moment(run.get("finishedAt"))


def _moment(stamp: str | None) -> datetime | None:
    return datetime.fromisoformat(stamp) if stamp else None


def _printed(line: LogRecord) -> str:
    time = line.time.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
    return f"{time}Z {line.severity or 'INFO'} {line.body}"
