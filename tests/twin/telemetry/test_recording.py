from __future__ import annotations

import csv
import hashlib
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from itbench.snapshot.records import Alert
from itbench.snapshot.snapshot import open_snapshot
from itbench.tools.toolbox import Toolbox
from itbench.twin.flow.graph import compile_graph
from itbench.twin.flow.state import State
from itbench.twin.randomness import Streams
from itbench.twin.telemetry.history import Observation
from itbench.twin.telemetry.logs import LogSampling
from itbench.twin.telemetry.noise import Noise
from itbench.twin.telemetry.recording import Recording, Sampling, record
from itbench.twin.telemetry.rules.load import rules_for
from itbench.twin.telemetry.spans import TraceSampling

from .conftest import BEGIN, BREAKS_AT, TICKS, World

SAMPLING = Sampling(TraceSampling(1, 6), LogSampling(0.05, 0.1), scrape_seconds=60.0)
BREAKS = BEGIN + timedelta(seconds=BREAKS_AT * 5)
EVENT = {
    "kind": "Event",
    "metadata": {"name": "e", "namespace": "shop"},
    "involvedObject": {"kind": "Pod", "name": "ads-5d9c-0", "namespace": "shop"},
    "reason": "Pulled",
    "message": "Container image already present on machine",
}


def recorded(world: World, broken: State | None = None, seed: int = 11) -> Recording:
    streams = Streams(seed)
    happened = world.happened(broken)
    happened = replace(happened, observations=[*happened.observations, Observation(5.0, "ADDED", EVENT)])
    return record(happened, streams, rules_for("otel-demo"), SAMPLING, Noise(streams, BEGIN, TICKS * 5))


def digest(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_same_seed_makes_the_same_files(world: World, tmp_path: Path) -> None:
    for name, seed in (("one", 11), ("two", 11), ("other", 12)):
        recorded(world, world.refused("orders"), seed).write(tmp_path / name)
    one, two, other = (digest(tmp_path / name) for name in ("one", "two", "other"))
    assert one == two
    assert len(one) > 10
    assert one["otel_traces_raw.tsv"] != other["otel_traces_raw.tsv"]


def test_without_the_fault_nothing_differs(world: World, tmp_path: Path) -> None:
    recorded(world).write(tmp_path / "one")
    recorded(world, world.healthy).write(tmp_path / "two")
    assert digest(tmp_path / "one") == digest(tmp_path / "two")


@pytest.mark.integration
def test_what_is_written_is_read_without_a_problem(world: World, tmp_path: Path) -> None:
    recording = recorded(world, world.refused("orders"))
    recording.write(tmp_path / "scenario")
    with open_snapshot(tmp_path / "scenario", cache_dir=tmp_path / "cache") as snapshot:
        check = snapshot.check()
        assert not check.problems
        assert not check.missing
        written = sorted(recording.spans, key=lambda span: (span.time, span.trace_id, span.span_id))
        assert snapshot.spans(limit=None) == written
        assert {alert.state for alert in snapshot.alerts()} == {"firing"}


def test_recorders_look_every_minute_whether_or_not_something_fires(world: World, tmp_path: Path) -> None:
    recorded(world, world.refused("orders")).write(tmp_path)
    files = sorted((tmp_path / "alerts").iterdir())
    assert [path.name[21:26] for path in files] == [f"10-{minute:02}" for minute in range(1, 16)]
    counts = [len(json.loads(path.read_text())) for path in files]
    assert counts[:9] == [0] * 9
    assert all(counts[9:])


def test_columns_are_those_of_the_public_datasets(world: World, tmp_path: Path) -> None:
    recorded(world).write(tmp_path)

    def header(name: str) -> str:
        with (tmp_path / name).open(encoding="utf-8", newline="") as stream:
            return " ".join(next(csv.reader(stream, delimiter="\t")))

    assert header("metrics/service_front_raw.tsv") == (
        "metric_name timestamp value service_name namespace bucket_le tags metric_type status_code"
    )
    assert header("metrics/pod_ads-5d9c-0_raw.tsv") == "metric_name timestamp value pod_name namespace tags"
    assert header("otel_traces_raw.tsv").startswith("Timestamp TraceId SpanId ParentSpanId TraceState SpanName SpanKind")
    files = {path.name for path in (tmp_path / "metrics").iterdir()}
    assert not any(name.startswith("service_users") for name in files)


def test_alerts_follow_the_fault(world: World) -> None:
    recording = recorded(world, world.refused("orders"))
    firing = [alert for alert in recording.alerts if alert.state == "firing"]

    def first(name: str, entity: str) -> Alert:
        return next(alert for alert in firing if (alert.name, alert.entity) == (name, entity))

    # Broken at 10:05. The front's first errors are in the scrape of 10:06, which is the second sample of its series at
    # 10:07; three minutes later the alert fires. Nobody asked the orders since 10:05: the rate is 0 at 10:10.
    errors = first("HighRequestErrorRate", "front")
    assert errors.active_since == BREAKS + timedelta(minutes=2)
    assert errors.time == BREAKS + timedelta(minutes=5)
    silent = first("NoRequestsReceived", "orders")
    assert silent.active_since == BREAKS + timedelta(minutes=4)
    assert silent.time == BREAKS + timedelta(minutes=9)
    assert {alert.entity for alert in firing if alert.name == "HighRequestErrorRate"} == {"front"}
    assert not [alert for alert in recorded(world).alerts if alert.name != "CPUThrottlingHigh"]


def test_in_a_mesh_the_proxies_report_and_not_the_programs(world: World) -> None:
    application = world.application.model_copy(update={"namespace_labels": {"istio.io/dataplane-mode": "ambient"}})
    meshed = World(application, compile_graph(application))
    recording = recorded(meshed, meshed.refused("orders"))
    assert not recording.spans
    assert recording.logs
    metrics = {one.metric for one in recording.samples}
    assert "istio_requests_total" in metrics
    assert not any(metric.startswith("traces_") for metric in metrics)


@pytest.mark.integration
def test_the_tools_find_in_a_recording_what_the_fault_did(world: World, tmp_path: Path) -> None:
    recorded(world, world.refused("orders")).write(tmp_path / "scenario")
    pivot = {"pivot": BREAKS.isoformat()}
    with Toolbox(open_snapshot(tmp_path / "scenario", cache_dir=tmp_path / "cache"), "sre") as toolbox:
        answers = {
            name: toolbox.call(name, arguments)
            for name, arguments in (
                ("incident_overview", {}), ("call_changes", pivot), ("trace_errors", pivot), ("metric_anomalies", pivot),
                ("log_patterns", pivot), ("entity_context", {"name": "orders"}),
                ("metrics", {"expression": "p95(traces_span_metrics_duration_milliseconds_bucket)"}),
            )
        }  # fmt: skip
    assert [name for name, answer in answers.items() if answer.is_error] == []
    assert "new | front | [orders]" in answers["call_changes"].text
    assert "front | " in answers["trace_errors"].text.splitlines()[3]
    assert "traces_span_metrics_calls_total | front" in answers["metric_anomalies"].text
    assert "NEW" in answers["log_patterns"].text
