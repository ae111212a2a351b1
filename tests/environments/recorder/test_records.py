"""What servers answer becomes records of a snapshot."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from itbench.environments.recorder.records import event_of, log_of, series_of

NOW = datetime(2026, 3, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("labels", "about"),
    [
        ({"service_name": "cart", "pod": "cart-0"}, ("service", "cart")),
        ({"pod": "cart-0", "service": "kube-state-metrics"}, ("pod", "cart-0")),
        ({"deployment": "cart", "job": "kube-state-metrics"}, ("service", "cart")),
        ({"job": "shop/cart"}, None),
        ({"job": "x" * 250}, None),
        ({"service": "a\tb"}, None),
        ({}, None),
    ],
)
def test_a_series_is_about_what_its_labels_name_if_a_file_can_have_that_name(
    labels: dict[str, str], about: tuple[str, str] | None
) -> None:
    found = series_of({"metric": {"__name__": "up", **labels}, "values": [[NOW.timestamp(), "1"]]})
    assert (None if found is None else (found.object_kind, found.object_name)) == about
    if found is not None:
        assert (found.metric, found.labels, found.points) == ("up", labels, ((NOW, 1.0),))


def test_events_of_new_clients_tell_their_time_and_count_by_their_series() -> None:
    found = event_of(
        {
            "metadata": {"creationTimestamp": "2026-03-01T09:00:00Z"},
            "eventTime": "2026-03-01T09:00:00.000000Z",
            "firstTimestamp": None,
            "lastTimestamp": None,
            "series": {"count": 4, "lastObservedTime": "2026-03-01T10:00:00.000000Z"},
            "reportingComponent": "scheduler",
            "reason": "FailedScheduling",
        }
    )
    assert (found.time, found.count, found.component) == (NOW, 4, "scheduler")


def test_lines_tell_their_time_and_severity_where_they_have_them() -> None:
    stamped = log_of("2026-03-01T10:00:00.5Z 2026-03-01T10:00:00Z ERROR no card", NOW, "pay", {})
    assert (stamped.time.microsecond, stamped.severity, stamped.severity_number, stamped.body) == (
        500000,
        "ERROR",
        17,
        "no card",
    )
    assert log_of("no card", NOW, "pay", {}).time == NOW
