"""Everything that monitoring keeps of one simulated stretch of time, and its files in the layout of the public datasets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from itbench.snapshot.records import Alert, Event, LogRecord, ObjectVersion, Span
from itbench.snapshot.writer import SnapshotWriter
from itbench.twin.flow.flow import Flow
from itbench.twin.randomness import Streams
from itbench.twin.telemetry.alerts import INTERVAL, evaluation_times, sightings
from itbench.twin.telemetry.history import History, Observation
from itbench.twin.telemetry.logs import Logger, LogSampling
from itbench.twin.telemetry.mesh_metrics import mesh_samples
from itbench.twin.telemetry.noise import Noise
from itbench.twin.telemetry.object_metrics import object_samples
from itbench.twin.telemetry.pods import PodUsage, Roster, pod_samples
from itbench.twin.telemetry.queue_metrics import queue_samples
from itbench.twin.telemetry.rules.load import AlertRule
from itbench.twin.telemetry.semantics import in_mesh
from itbench.twin.telemetry.series import Samples, Scrapes, records
from itbench.twin.telemetry.span_metrics import span_samples
from itbench.twin.telemetry.spans import Tracer, TraceSampling
from itbench.twin.telemetry.traffic import Traffic


@dataclass(frozen=True, slots=True)
class Sampling:
    """How much is kept.

    Attributes:
        scrape_seconds: between samples of metrics.
        dump_seconds: between dumps of all objects.
    """

    traces: TraceSampling
    logs: LogSampling
    scrape_seconds: float
    dump_seconds: float = 300.0


LITE = Sampling(TraceSampling(each=1, every=12), LogSampling(ordinary=0.02, trouble=0.1), scrape_seconds=60.0)
"""A request of each kind a minute; enough to see who calls whom and what fails. An hour of otel-demo: about 45 MB."""
FULL = Sampling(TraceSampling(each=2, every=3), LogSampling(ordinary=0.5, trouble=1.0), scrape_seconds=30.0)
"""Eight requests of each kind a minute, half of the ordinary lines and all others. An hour of otel-demo: about 150 MB."""


@dataclass(frozen=True, slots=True, eq=False)
class Happened:
    """What a simulation leaves to be observed.

    Attributes:
        begin: the time of tick 0 and of second 0.
        flows: consecutive ones from tick 0 on; at least one.
        usages: of every pod of the application that there ever was.
        observations: the watch stream of all objects, with seconds before 0 for what was there at first.
        uptime: seconds that the application had been running before.
        skipped: ticks before tick 0, of which nothing is kept. What is random in a tick does not depend on it.
    """

    begin: datetime
    flows: Sequence[Flow]
    usages: Sequence[PodUsage]
    observations: Sequence[Observation]
    uptime: float = 0.0
    skipped: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """What monitoring has of it; `alerts` are both pending and firing."""

    scrapes: Scrapes
    samples: tuple[Samples, ...]
    alerts: tuple[Alert, ...]
    spans: tuple[Span, ...]
    logs: tuple[LogRecord, ...]
    events: tuple[Event, ...]
    objects: tuple[ObjectVersion, ...]

    def write(self, folder: Path) -> None:
        """Write all files of a scenario folder but the ground truth.

        Recorders keep only alerts that fire, and a file for each time that they looked, also where nothing did.
        """
        writer = SnapshotWriter(folder)
        firing = (alert for alert in self.alerts if alert.state == "firing")
        writer.write_alerts(firing, evaluation_times(self.scrapes))
        writer.write_events(self.events)
        writer.write_objects(self.objects)
        writer.write_logs(self.logs)
        writer.write_spans(self.spans)
        writer.write_metrics(records(self.samples, self.scrapes))


def record(happened: Happened, streams: Streams, rules: Sequence[AlertRule], sampling: Sampling, noise: Noise) -> Recording:
    """Observe what happened: equal arguments give equal recordings, to the byte.

    Raises:
        UsageError: the metrics' interval is no whole number of ticks.
    """
    traffic = Traffic.of(happened.flows)
    application = traffic.graph.application
    history = History(happened.observations)
    roster = Roster(happened.usages, history)
    seconds = len(traffic) * traffic.seconds
    streams = streams.from_tick(happened.skipped)
    scrapes = Scrapes.over(happened.begin, traffic.seconds, sampling.scrape_seconds, len(traffic), happened.uptime)
    samples = tuple(samples_of(happened, traffic, history, scrapes, streams))
    spans: list[Span] = []
    if not in_mesh(application):
        tracer = Tracer(traffic, roster, streams, happened.begin, sampling.traces)
        spans = sorted(tracer.spans(happened.flows), key=lambda span: span.time)
    logger = Logger(happened.flows, traffic, roster, streams, happened.begin, sampling.logs)
    logs = [*logger.records(spans), *noise.logs(application, roster, traffic.seconds)]
    events = [*history.events(happened.begin, seconds), *noise.events(application, history)]
    return Recording(
        scrapes=scrapes,
        samples=samples,
        alerts=tuple(sightings(rules, samples, scrapes)),
        spans=tuple(spans),
        logs=tuple(sorted(logs, key=lambda line: line.time)),
        events=tuple(sorted(events, key=lambda event: event.recorded_at or event.time)),
        objects=tuple(history.dumps(happened.begin, seconds, sampling.dump_seconds)),
    )


def alerts_of(
    happened: Happened, streams: Streams, rules: Sequence[AlertRule], sampling: Sampling, interval: float = INTERVAL
) -> tuple[Alert, ...]:
    """The alerts alone, as `record` has them, or with another `interval` between evaluations, in seconds.

    Raises:
        UsageError: as `record`.
    """
    traffic = Traffic.of(happened.flows)
    scrapes = Scrapes.over(happened.begin, traffic.seconds, sampling.scrape_seconds, len(traffic), happened.uptime)
    streams = streams.from_tick(happened.skipped)
    samples = tuple(samples_of(happened, traffic, History(happened.observations), scrapes, streams))
    return tuple(sightings(rules, samples, scrapes, interval))


def samples_of(
    happened: Happened, traffic: Traffic, history: History, scrapes: Scrapes, streams: Streams
) -> Iterator[Samples]:
    """All series; `streams` are those from tick 0 of what happened on."""
    if in_mesh(traffic.graph.application):
        yield from mesh_samples(traffic, scrapes, streams)
    else:
        yield from span_samples(traffic, scrapes, streams)
    yield from queue_samples(traffic, happened.usages, scrapes, streams)
    yield from pod_samples(happened.usages, scrapes, streams)
    yield from object_samples(history, traffic.graph.application, scrapes)
