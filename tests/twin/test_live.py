from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from itbench.cluster.reference import ObjectRef
from itbench.model.errors import UsageError
from itbench.snapshot.records import Alert
from itbench.snapshot.snapshot import open_snapshot
from itbench.twin.app.load import load_application
from itbench.twin.live import LiveTwin
from itbench.twin.randomness import Streams
from itbench.twin.running import RunningApplication
from itbench.twin.telemetry.collector import Collector
from itbench.twin.telemetry.recording import LITE, alerts_of
from itbench.twin.telemetry.rules.load import rules_for

CART = ObjectRef.parse("deployment/cart", "otel-demo")
CART_SERVICE = ObjectRef.parse("service/cart", "otel-demo")


def demo(**options: Any) -> LiveTwin:
    return LiveTwin(RunningApplication(load_application("otel-demo"), seed=7), seed=7, **options)


def states(alerts: Sequence[Alert]) -> set[tuple[str, str, str]]:
    return {(alert.name, alert.entity, alert.state) for alert in alerts}


def firing(live: LiveTwin) -> set[tuple[str, str]]:
    return {(alert.name, alert.entity) for alert in live.alerts() if alert.state == "firing"}


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_alerts_fire_after_their_time_and_clear_after_the_repair() -> None:
    live = demo()
    live.advance(300)
    assert not live.alerts()
    live.cluster.scale(CART, 0)
    live.advance(120)
    assert ("HighRequestErrorRate", "frontend", "pending") in states(live.alerts())
    live.advance(180)  # `for: 3m` from the second minute on
    assert {("HighRequestErrorRate", "frontend"), ("HighRequestErrorRate", "checkout")} <= firing(live)
    live.advance(240)  # the rate over five minutes is zero from the fifth on, and `for: 5m`
    assert ("NoRequestsReceived", "cart", "pending") in states(live.alerts())
    live.advance(240)
    assert ("NoRequestsReceived", "cart") in firing(live)
    live.cluster.scale(CART, 1)
    live.advance(240)
    assert not live.alerts()


def test_a_service_that_is_deleted_and_made_again() -> None:
    live = demo()
    live.advance(120)
    service = live.cluster.get(CART_SERVICE)
    live.cluster.delete(CART_SERVICE)
    live.advance(360)
    assert ("HighRequestErrorRate", "frontend") in firing(live)
    for field in ("uid", "resourceVersion", "creationTimestamp", "managedFields"):
        service["metadata"].pop(field, None)
    service["spec"].pop("clusterIP", None)
    service["spec"].pop("clusterIPs", None)
    live.cluster.create(service)
    live.advance(300)
    assert not live.alerts()


def test_what_is_seen_live_is_what_a_recording_has() -> None:
    application, rules = load_application("otel-demo"), rules_for("otel-demo")
    running = RunningApplication(application, seed=7)
    collector, live = Collector(running), demo()
    expected: dict[int, set[tuple[str, str, str]]] = {minute: set() for minute in range(1, 21)}
    for change_at in (8, 20):
        collector.add(running.advance(change_at * 60 - running.twin.clock.now))
        running.twin.cluster.scale(CART, 0)
    happened = collector.happened()
    for alert in alerts_of(happened, Streams(7), rules, LITE):
        expected[round((alert.time - happened.begin).total_seconds() / 60)].add((alert.name, alert.entity, alert.state))
    seen = {}
    for minute in range(1, 21):
        live.advance(60)
        seen[minute] = states(live.alerts())
        if minute == 8:
            live.cluster.scale(CART, 0)
    assert seen == expected
    assert seen[20]


def test_service_levels_follow_the_fault() -> None:
    live = demo()
    assert not live.service_levels()
    live.advance(60)
    healthy = {level.service: level for level in live.service_levels()}
    assert healthy["frontend"].errors == pytest.approx(0, abs=1e-3)
    assert healthy["cart"].rate > 1
    assert healthy["cart"].p50 is not None
    assert healthy["cart"].p95 is not None
    assert 0 < healthy["cart"].p50 < healthy["cart"].p95 < 1
    live.cluster.scale(CART, 0)
    live.advance(60)
    broken = {level.service: level for level in live.service_levels()}
    assert broken["frontend"].errors > 0.1
    assert (broken["cart"].rate, broken["cart"].p50) == (0.0, None)


def test_a_snapshot_is_read_without_a_problem_and_has_the_alerts_that_were_seen(tmp_path: Path) -> None:
    live = demo()
    live.advance(120)
    live.cluster.scale(CART, 0)
    live.advance(420)
    live.snapshot(tmp_path / "so-far")
    with open_snapshot(tmp_path / "so-far", cache_dir=tmp_path / "cache") as snapshot:
        check = snapshot.check()
        assert not check.problems
        assert not check.missing
        last = max(alert.time for alert in snapshot.alerts())
        assert {(alert.name, alert.entity) for alert in snapshot.alerts() if alert.time == last} == firing(live)
    documents = sorted((tmp_path / "so-far" / "alerts").iterdir())
    assert len(documents) == 9
    assert json.loads(documents[0].read_text()) == []


def test_equal_worlds_leave_equal_snapshots_however_time_is_cut(tmp_path: Path) -> None:
    for name, steps in (("one", [600]), ("two", [600]), ("cut", [60] * 10)):
        live = demo()
        for seconds in steps:
            live.advance(seconds)
        live.snapshot(tmp_path / name)
    assert digests(tmp_path / "one") == digests(tmp_path / "two") == digests(tmp_path / "cut")


def test_a_snapshot_needs_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "old.txt").write_text("x")
    live = demo()
    live.advance(60)
    with pytest.raises(UsageError, match="needs an empty folder"):
        live.snapshot(tmp_path)


def test_what_is_older_than_the_retention_is_dropped_and_the_rest_is_as_before(tmp_path: Path) -> None:
    kept, whole = demo(retention=600, rules=()), demo(rules=())
    for live in (kept, whole):
        live.advance(1800)
    kept.snapshot(tmp_path / "kept")
    whole.snapshot(tmp_path / "whole")
    spans, all_spans = ((tmp_path / name / "otel_traces_raw.tsv").read_text().splitlines()[1:] for name in ("kept", "whole"))
    assert len(spans) < len(all_spans) / 2
    assert spans == all_spans[-len(spans) :]
    assert len(list((tmp_path / "kept" / "alerts").iterdir())) == 10


def test_another_thread_may_change_the_cluster_while_time_goes_on() -> None:
    live = demo()
    stop = threading.Event()
    runner = threading.Thread(target=live.run, args=(100_000.0, stop))
    runner.start()
    try:
        for replicas in (0, 1, 2, 1, 0) * 4:
            live.cluster.scale(CART, replicas)
            assert live.cluster.get(CART)["spec"]["replicas"] == replicas
            live.alerts()
            live.service_levels()
    finally:
        stop.set()
        runner.join(timeout=60)
    assert not runner.is_alive()
    assert live.now >= 5
    assert live.now % 5 == 0


def test_time_does_not_go_backwards() -> None:
    with pytest.raises(UsageError, match="time cannot pass 0 times"):
        demo().run(0.0, threading.Event())


def test_events_are_kept_for_an_hour() -> None:
    live = demo(rules=())
    live.cluster.scale(CART, 2)
    live.advance(60)
    assert live.cluster.events("otel-demo", CART)
    live.advance(3600)
    assert not live.cluster.events("otel-demo", CART)
