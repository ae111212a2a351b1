"""The layout that the writer writes: that of the published files, to the letter."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from itbench.model.entity import Entity
from itbench.model.errors import SnapshotError
from itbench.snapshot.records import Alert, Event, LogRecord, ObjectVersion, Series, Span
from itbench.snapshot.snapshot import open_snapshot
from itbench.snapshot.writer import SnapshotWriter

NOON = datetime(2026, 3, 1, 12, 0, 0, 5, tzinfo=UTC)
LOG_COLUMNS = (
    "Timestamp, TimestampTime, TraceId, SpanId, TraceFlags, SeverityText, SeverityNumber, ServiceName, Body, "
    "ResourceSchemaUrl, ResourceAttributes, ScopeSchemaUrl, ScopeName, ScopeVersion, ScopeAttributes, LogAttributes"
)
SPAN_COLUMNS = (
    "Timestamp, TraceId, SpanId, ParentSpanId, TraceState, SpanName, SpanKind, ServiceName, ResourceAttributes, ScopeName, "
    "ScopeVersion, SpanAttributes, Duration, StatusCode, StatusMessage"
)


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


def test_logs_have_the_raw_columns(tmp_path: Path) -> None:
    SnapshotWriter(tmp_path).write_logs(
        [LogRecord(NOON, 'say "hi"\n', "cart", "INFO", 9, resource={"k8s.pod.name": "cart-0"})]
    )
    (row,) = table(tmp_path / "otel_logs_raw.tsv")
    assert ", ".join(row) == LOG_COLUMNS
    assert (row["Timestamp"], row["TimestampTime"]) == ("2026-03-01 12:00:00.000005000", "2026-03-01 12:00:00")
    assert (row["Body"], row["ResourceAttributes"]) == ('say "hi"\n', "{'k8s.pod.name': 'cart-0'}")


def test_spans_have_the_raw_columns_and_nanoseconds(tmp_path: Path) -> None:
    SnapshotWriter(tmp_path).write_spans([Span(NOON, "t", "s", "", "GET /", "cart", 1_500_000, attributes={"a": "it's"})])
    (row,) = table(tmp_path / "otel_traces_raw.tsv")
    assert ", ".join(row) == SPAN_COLUMNS
    assert (row["Duration"], row["SpanAttributes"]) == ("1500000", repr({"a": "it's"}))


def test_events_and_objects_have_the_raw_columns_and_json_bodies(tmp_path: Path) -> None:
    writer = SnapshotWriter(tmp_path)
    writer.write_events([Event(NOON, Entity(namespace="shop", kind="Pod", name="cart-0"), "Killing", "Stopping")])
    writer.write_objects([ObjectVersion(NOON, {"kind": "Pod", "metadata": {"name": "cart-0", "namespace": "shop"}})])
    (event,), (version,) = table(tmp_path / "k8s_events_raw.tsv"), table(tmp_path / "k8s_objects_raw.tsv")
    assert ", ".join(event) == ", ".join(version) == LOG_COLUMNS
    body = json.loads(event["Body"])
    assert (body["type"], body["object"]["involvedObject"]["name"]) == ("ADDED", "cart-0")
    assert json.loads(version["Body"])["kind"] == "Pod"


def test_metrics_are_in_one_file_for_each_object_with_the_raw_columns(tmp_path: Path) -> None:
    labels = {"namespace": "shop", "le": "50", "status_code": "X"}
    SnapshotWriter(tmp_path).write_metrics(
        [
            Series("memory", "pod", "cart-0", {"namespace": "shop"}, ((NOON, 1.5),)),
            Series("calls", "service", "cart", labels, ((NOON, 2.0),), "error_rate"),
        ]
    )
    (pod,) = table(tmp_path / "metrics" / "pod_cart-0_raw.tsv")
    assert ", ".join(pod) == "metric_name, timestamp, value, pod_name, namespace, tags"
    assert (pod["value"], pod["pod_name"], pod["tags"]) == ("1.5", "cart-0", "{'namespace': 'shop'}")
    (service,) = table(tmp_path / "metrics" / "service_cart_raw.tsv")
    columns = "metric_name, timestamp, value, service_name, namespace, bucket_le, tags, metric_type, status_code"
    assert ", ".join(service) == columns
    assert (service["bucket_le"], service["metric_type"], service["status_code"]) == ("50", "error_rate", "X")


def test_alerts_are_in_one_file_for_each_sighting(tmp_path: Path) -> None:
    alerts = [Alert(NOON + timedelta(minutes=minute), {"alertname": name}) for minute in (1, 0) for name in "BA"]
    SnapshotWriter(tmp_path).write_alerts(alerts)
    files = sorted(path.name for path in (tmp_path / "alerts").iterdir())
    assert files == ["alerts_at_2026-03-01T12-00-00.000005.json", "alerts_at_2026-03-01T12-01-00.000005.json"]
    document = json.loads((tmp_path / "alerts" / files[0]).read_text())
    assert [alert["labels"]["alertname"] for alert in document] == ["B", "A"]


def test_a_look_that_saw_nothing_leaves_an_empty_list(tmp_path: Path) -> None:
    looks = [NOON + timedelta(minutes=minute) for minute in range(3)]
    SnapshotWriter(tmp_path).write_alerts([Alert(looks[1], {"alertname": "A"})], looks)
    documents = [json.loads(path.read_text()) for path in sorted((tmp_path / "alerts").iterdir())]
    assert [len(document) for document in documents] == [0, 1, 0]
    with open_snapshot(tmp_path, cache_dir=tmp_path / "cache") as snapshot:
        check = snapshot.check()
        assert not check.problems
        assert "alerts" not in check.missing
        assert [report.rows for report in check.files] == [0, 1, 0]
        assert [alert.name for alert in snapshot.alerts()] == ["A"]


def test_a_recorder_that_never_saw_an_alert_is_no_missing_recorder(tmp_path: Path) -> None:
    SnapshotWriter(tmp_path).write_alerts([], [NOON])
    with open_snapshot(tmp_path, cache_dir=tmp_path / "cache") as snapshot:
        assert "alerts" not in snapshot.check().missing
        assert snapshot.alerts() == []


def test_an_object_that_was_deleted_and_seen_again_is_written_as_it_was_each_time(tmp_path: Path) -> None:
    manifest = {"kind": "Pod", "metadata": {"name": "cart-0", "namespace": "shop"}}
    SnapshotWriter(tmp_path).write_objects([ObjectVersion(NOON, manifest, deleted) for deleted in (False, True, False)])
    bodies = [json.loads(row["Body"]) for row in table(tmp_path / "k8s_objects_raw.tsv")]
    assert bodies == [manifest, {"object": manifest, "type": "DELETED"}, manifest]


def test_times_of_other_zones_are_written_in_utc(tmp_path: Path) -> None:
    there = NOON.astimezone(timezone(timedelta(hours=5)))
    SnapshotWriter(tmp_path).write_logs([LogRecord(there, "x")])
    assert table(tmp_path / "otel_logs_raw.tsv")[0]["Timestamp"] == "2026-03-01 12:00:00.000005000"


def test_the_same_records_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        shared = {"k8s.pod.name": "cart-0"}
        records = (LogRecord(NOON, str(number), resource=shared if name == "a" else dict(shared)) for number in range(50))
        SnapshotWriter(tmp_path / name).write_logs(records)
    assert (tmp_path / "a" / "otel_logs_raw.tsv").read_bytes() == (tmp_path / "b" / "otel_logs_raw.tsv").read_bytes()


@pytest.mark.parametrize(("kind", "name"), [("node", "n1"), ("pod", "../x"), ("pod", ""), ("pod", "x_raw")])
def test_metrics_that_have_no_file_are_refused(tmp_path: Path, kind: str, name: str) -> None:
    with pytest.raises(SnapshotError, match="no metrics file"):
        SnapshotWriter(tmp_path).write_metrics([Series("m", kind, name, {}, ((NOON, 1.0),))])


def test_text_that_is_no_unicode_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SnapshotError, match="a text cannot be written as UTF-8"):
        SnapshotWriter(tmp_path).write_logs([LogRecord(NOON, "\ud800")])
