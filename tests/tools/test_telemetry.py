"""Alerts, events, logs and traces of the incident."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from itbench.snapshot.records import LogRecord, Span
from itbench.tools.toolbox import Toolbox
from itbench.tools.trees import critical_path, error_paths, tree
from tests.tools.conftest import Story, at, request

Rows = Callable[[str], list[dict[str, str]]]


def test_alerts_are_summed_up(toolbox: Toolbox, rows: Rows) -> None:
    (found,) = rows(toolbox.call("alert_summary", {}).text)
    assert found == {
        "active_since": "2026-03-01T12:11:00Z", "alert": "HighErrors", "entity": "cart", "namespace": "shop",
        "severity": "page",
        "first_seen": "2026-03-01T12:12:00Z", "last_seen": "2026-03-01T12:19:00Z", "duration": "8m00s", "seen": "8",
    }  # fmt: skip


def test_alerts_of_another_name_are_refused_with_the_known_ones(toolbox: Toolbox) -> None:
    assert "Did you mean HighErrors" in toolbox.call("alerts", {"name": "HighError"}).text
    assert toolbox.call("alerts", {"since": "12:18", "name": "HighErrors"}).text.startswith("sightings of alerts 1–2 of 2\n")


def test_events_can_be_narrowed_and_summed_up(toolbox: Toolbox, rows: Rows) -> None:
    assert len(rows(toolbox.call("events", {"type": "Warning", "since": "12:12"}).text)) == 2
    assert len(rows(toolbox.call("events", {"kind": "po", "name": "cart*"}).text)) == 3
    warning, normal = rows(toolbox.call("event_summary", {}).text)
    assert (warning["object"], warning["seen"], warning["last_message"]) == ("shop/Pod/cart-7d9f-x1", "3", "probe 2")
    assert (warning["first"], warning["last"]) == ("2026-03-01T12:11:00Z", "2026-03-01T12:13:00Z")
    assert normal["reason"] == "ScalingReplicaSet"


def test_logs_can_be_narrowed(toolbox: Toolbox, rows: Rows) -> None:
    def bodies(**arguments: object) -> list[str]:
        return [row["body"] for row in rows(toolbox.call("logs", arguments).text)]

    assert len(bodies(min_severity="ERROR")) == 5
    assert bodies(contains="CONNECTION", until="12:12") == ["dial 10.0.0.0:5432: connection refused"]
    assert bodies(excludes="served", order="newest", limit=1) == ["dial 10.0.0.4:5432: connection refused"]
    assert len(bodies(pod="cart-7d9f-x1", namespace="shop")) == 25
    assert bodies(namespace="bank") == []


def test_severities_without_numbers_go_by_their_names(tell: Callable[[Story], Toolbox], rows: Rows) -> None:
    records = [LogRecord(at(n), name, "cart", name) for n, name in enumerate(("info", "Warning", "SEVERE", "fatal", ""))]
    box = tell(Story(logs=records))
    assert [row["body"] for row in rows(box.call("logs", {"min_severity": "WARN"}).text)] == ["Warning", "SEVERE", "fatal"]


def test_patterns_mask_what_varies_and_new_ones_come_first(toolbox: Toolbox, rows: Rows) -> None:
    first, second = rows(toolbox.call("log_patterns", {}).text)
    assert (first["pattern"], first["state"], first["before"], first["after"]) == (
        "dial <*>: connection refused", "NEW", "0", "5",
    )  # fmt: skip
    assert first["example"] == "dial 10.0.0.0:5432: connection refused"
    assert (second["pattern"], second["before"], second["after"]) == ("served request <*> in <*> ms", "11", "9")
    assert len(rows(toolbox.call("log_patterns", {"only_new": True}).text)) == 1


def test_without_drain3_patterns_are_masked_and_say_so(
    tell: Callable[[Story], Toolbox], rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("apple", "pear", "plum")
    box = tell(Story(logs=[LogRecord(at(n), f"user {word} logged in at the desk", "cart") for n, word in enumerate(words)]))
    assert [row["pattern"] for row in rows(box.call("log_patterns", {}).text)] == ["user <*> logged in at the desk"]
    monkeypatch.setitem(__import__("sys").modules, "drain3", None)
    answer = box.call("log_patterns", {})
    assert "pip install 'itbench[logs]'" in answer.text
    assert len(rows(answer.text)) == 3


def test_traces_can_be_found(toolbox: Toolbox, rows: Rows) -> None:
    failed = rows(toolbox.call("traces", {"status": "Error", "limit": 2}).text)
    assert [(row["trace_id"], row["spans"], row["errors"], row["service"], row["root"]) for row in failed] == [
        ("t011", "3", "3", "front", "GET /"), ("t012", "3", "3", "front", "GET /"),
    ]  # fmt: skip
    assert toolbox.call("traces", {"service": "db"}).text.startswith("traces 1–11 of 11\n")
    assert toolbox.call("traces", {"min_duration_ms": 101}).text.startswith("no traces")


def test_a_trace_is_a_tree_with_its_critical_path(toolbox: Toolbox, rows: Rows) -> None:
    found = rows(toolbox.call("trace", {"trace_id": "t000"}).text)
    # front 0–100, cart 10–70, query 20–60, db 25–35: of 100 ms front waits 40 itself, cart 20, query 30, db 10.
    assert [(row["span"], row["self_ms"], row["share"]) for row in found] == [
        ("*front: GET /", "40.0", "40%"),
        ("  *cart: POST /add", "20.0", "20%"),
        ("    *cart: query", "30.0", "30%"),
        ("      *db: SELECT", "10.0", "10%"),
    ]


def test_the_default_trace_is_a_failed_one_of_the_incident(toolbox: Toolbox) -> None:
    assert toolbox.call("trace", {}).text.startswith("trace t011 from 2026-03-01T12:11:15Z, 3 spans, 3 failed\n")


def test_errors_began_at_the_deepest_span_that_failed(toolbox: Toolbox, rows: Rows) -> None:
    text = toolbox.call("trace_errors", {}).text
    (found,) = rows(text)
    assert text.startswith("0 failed traces in 11m00s before 2026-03-01T12:11:00Z, 9 in 9m00s after\n")
    assert (found["path"], found["operation"], found["kind"], found["message"], found["before"], found["after"]) == (
        "front > cart", "query", "Client", "connection refused", "0", "9",
    )  # fmt: skip
    assert toolbox.call("trace_errors", {"service": "db"}).text.splitlines()[1].startswith("no error paths")


def test_calls_are_compared_around_the_incident(toolbox: Toolbox, rows: Rows) -> None:
    found = {(row["caller"], row["callee"]): row for row in rows(toolbox.call("call_changes", {}).text)}
    assert set(found) == {("(outside)", "front"), ("front", "cart"), ("cart", "db"), ("cart", "[db]")}
    assert (found["cart", "db"]["state"], found["cart", "db"]["calls"], found["cart", "db"]["calls_after"]) == (
        "vanished",
        "11",
        "0",
    )
    lost = found["cart", "[db]"]  # a service that is down leaves no spans: the caller's say whom it called
    assert (lost["state"], lost["calls_after"], lost["errors_after"], lost["p50_ms_after"]) == ("new", "9", "100.0%", "40.0")
    assert found["front", "cart"]["state"] == "critical"
    assert (found["front", "cart"]["per_min"], found["front", "cart"]["per_min_after"]) == ("1.0", "1.0")


def test_a_slower_edge_is_critical_when_its_latency_doubles(tell: Callable[[Story], Toolbox], rows: Rows) -> None:
    spans = [span for n in range(20) for span in request(n, n, fails=False, db_ms=10 if n < 10 else 21)]
    box = tell(Story(spans=spans))
    found = {row["callee"]: row for row in rows(box.call("call_changes", {"pivot": "12:10"}).text)}
    assert (found["db"]["state"], found["db"]["p95_ms"], found["db"]["p95_ms_after"]) == ("critical", "10.0", "21.0")
    assert found["cart"]["state"] == "steady"


def test_times_out_of_order_are_refused(toolbox: Toolbox) -> None:
    answer = toolbox.call("call_changes", {"pivot": "start"})
    assert answer.is_error
    assert "since 2026-03-01T12:00:00Z < pivot 2026-03-01T12:00:00Z" in answer.text


def span(name: str, parent: str, start: float, ms: float, status: str = "Unset") -> Span:
    time = at(0) + timedelta(milliseconds=start)
    return Span(time, "t", name, parent, name, name, int(ms * 1e6), "Server", status)


def test_the_critical_path_follows_the_child_that_ended_last() -> None:
    # a waits for c (60–90) and, before it began, for b (10–50, which c overlaps not); d ended while b still ran.
    spans = [span("a", "", 0, 100), span("b", "a", 10, 40), span("c", "a", 60, 30), span("d", "a", 12, 8)]
    shares = {name: ns / 1e6 for name, ns in critical_path(spans).items()}
    assert shares == {"a": 30, "b": 40, "c": 30}
    assert sum(shares.values()) == 100


def test_children_that_outlive_their_parent_are_cut() -> None:
    shares = critical_path([span("a", "", 0, 100), span("b", "a", 90, 500)])
    assert {name: ns / 1e6 for name, ns in shares.items()} == {"a": 90, "b": 10}


def test_damaged_traces_end() -> None:
    circle = [span("a", "b", 0, 10), span("b", "a", 0, 10), span("c", "c", 0, 5), span("d", "lost", 0, 7, "Error")]
    assert {node.span.span_id for node in tree(circle)} >= {"d"}
    assert error_paths({}, {"t": [span("a", "b", 0, 10, "Error"), span("b", "a", 0, 10)]})[0].services == ("b", "a")
