"""Monitoring of a live world goes on: once a minute the recorded files, and a Prometheus if there is one, get what is new.

A longer recording begins with the shorter one, sample by sample and line by line, because everything random in it is drawn
for its own moment. So the files that an agent has read stay true, and grow.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from threading import Event, Thread

import numpy as np
from numpy.typing import NDArray

from itbench.environments.live.prometheus import Prometheus
from itbench.environments.live.remote_write import STALE, Points
from itbench.snapshot.records import Alert
from itbench.twin.flow.moments import Array
from itbench.twin.incident.incident import Incident
from itbench.twin.incident.simulate import observe
from itbench.twin.telemetry.alerts import INTERVAL
from itbench.twin.telemetry.recording import LITE, Recording
from itbench.twin.telemetry.series import Samples

_LOOK_SECONDS = 0.5
_BATCH = 30  # scrapes; Prometheus takes nothing that is an hour older than what it has
ALERTS = "ALERTS"


class Monitoring:
    """Follows a world that goes on; a context manager.

    Args:
        incident: the world.
        lock: held while the world is looked at.
        folder: of the recording; written already.
        recorded: what is in it.
        prometheus: is fed, too.

    Attributes:
        recording: what has been seen so far.
        failure: why monitoring has ended, if it has.
    """

    def __init__(
        self,
        incident: Incident,
        lock: AbstractContextManager[object],
        folder: Path,
        recorded: Recording,
        prometheus: Prometheus | None,
    ) -> None:
        self._incident = incident
        self._lock = lock
        self._folder = folder
        self._next = folder.with_name(f"{folder.name}.next")
        self.recording = recorded
        self._prometheus = prometheus
        self._fed = 0
        self._stop = Event()
        self._thread = Thread(target=self._run, name="monitoring", daemon=True)
        self.failure: Exception | None = None

    def __enter__(self) -> Monitoring:
        self._feed(self.recording)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        shutil.rmtree(self._next, ignore_errors=True)

    def alerts(self) -> Sequence[Alert]:
        """Those that are pending or firing as of the last whole minute."""
        recording = self.recording
        last = recording.scrapes.times[-1]
        return [alert for alert in recording.alerts if alert.time == last]

    def _run(self) -> None:
        try:
            while not self._stop.wait(_LOOK_SECONDS):
                if self._incident.ticked >= self.recording.scrapes.count * INTERVAL:
                    self._go_on()
        except Exception as error:  # whoever ends this asks what became of it
            self.failure = error

    def _go_on(self) -> None:
        with self._lock:
            happened = self._incident.happened()
        recording = observe(self._incident.plan, self._incident.seed, happened, LITE)
        self._feed(recording)
        self._publish(recording)
        self.recording = recording

    def _publish(self, recording: Recording) -> None:
        """Put each file into the place of the shorter one. Who has that open reads on in it."""
        shutil.rmtree(self._next, ignore_errors=True)
        recording.write(self._next)
        for source in sorted(self._next.rglob("*")):
            target = self._folder / source.relative_to(self._next)
            if source.is_dir():
                target.mkdir(exist_ok=True)
            elif not (target.exists() and source.parent.name == "alerts"):  # what was seen at a time stays as it was
                source.replace(target)

    def _feed(self, recording: Recording) -> None:
        if self._prometheus is None:
            return
        times = np.array([round(time.timestamp() * 1000) for time in recording.scrapes.times], dtype=np.int64)
        for first in range(self._fed, recording.scrapes.count, _BATCH):
            part = slice(first, min(first + _BATCH, recording.scrapes.count))
            self._prometheus.write(list(_points(_series(recording), times, part)))
        self._fed = recording.scrapes.count


def _series(recording: Recording) -> Iterator[tuple[dict[str, str], Array]]:
    """Labels and values of everything that is measured, and of the alerts as Prometheus keeps them."""
    for one in recording.samples:
        yield _labels(one), one.values
    index = {time: number for number, time in enumerate(recording.scrapes.times)}
    alerts: dict[tuple[tuple[str, str], ...], Array] = {}
    for alert in recording.alerts:
        labels = {**alert.labels, "alertstate": alert.state, "__name__": ALERTS}
        row = alerts.setdefault(tuple(sorted(labels.items())), np.full(recording.scrapes.count, np.nan))
        row[index[alert.time]] = 1.0
    for key, row in alerts.items():
        yield dict(key), row


def _labels(one: Samples) -> dict[str, str]:
    return {**one.labels, "__name__": one.metric}


def _points(
    series: Iterator[tuple[dict[str, str], Array]],
    times: NDArray[np.int64],
    part: slice,
) -> Iterator[Points]:
    """The samples of a stretch; where a series ends, a mark that says so."""
    for labels, values in series:
        there = ~np.isnan(values)
        ends = np.zeros_like(there)
        ends[1:] = there[:-1] & ~there[1:]
        chosen = np.flatnonzero((there | ends)[part]) + part.start
        if chosen.size:
            yield Points(labels, times[chosen], np.where(ends, STALE, values)[chosen])
