"""Service levels from the collector's counters."""

from __future__ import annotations

from itbench.environments.kind.levels import counters, failing

CALLS = "traces_span_metrics_calls_total"
TEXT = f"""\
# TYPE {CALLS} counter
{CALLS}{{service_name="cart",span_kind="SPAN_KIND_SERVER",span_name="a",status_code="STATUS_CODE_UNSET"}} 90
{CALLS}{{service_name="cart",span_kind="SPAN_KIND_SERVER",span_name="b",status_code="STATUS_CODE_ERROR"}} 10
{CALLS}{{service_name="cart",span_kind="SPAN_KIND_CLIENT",span_name="c",status_code="STATUS_CODE_UNSET"}} 7
traces_span_metrics_duration_milliseconds_count{{service_name="cart",span_kind="SPAN_KIND_SERVER"}} 100
istio_requests_total{{destination_workload="ratings-v1",reporter="source",response_code="503"}} 3
istio_requests_total{{destination_workload="ratings-v1",reporter="source",response_code="200"}} 5
"""


def test_calls_and_failures_are_summed_by_service_and_kind() -> None:
    assert counters(TEXT) == {
        ("cart", "server"): (100.0, 10.0),
        ("cart", "client"): (7.0, 0.0),
        ("ratings-v1", "source"): (8.0, 3.0),
    }


def test_only_failures_between_the_two_moments_count() -> None:
    before = {("cart", "server"): (100.0, 10.0)}
    assert failing(before, {("cart", "server"): (200.0, 10.0)}) == []
    assert failing(before, {("cart", "server"): (120.0, 12.0)}) == ["2 of 20 requests (server) of cart fail"]


def test_a_small_share_of_failures_is_no_incident() -> None:
    before = {("cart", "server"): (0.0, 0.0)}
    assert failing(before, {("cart", "server"): (100.0, 5.0)}) == []
    assert failing(before, {("cart", "server"): (100.0, 6.0)}) != []


def test_a_service_that_fails_from_its_first_request_on_is_seen() -> None:
    assert failing({}, {("cart", "client"): (3.0, 3.0)}) == ["3 of 3 requests (client) of cart fail"]


def test_counters_that_begin_anew_are_not_negative() -> None:
    before = {("cart", "server"): (1000.0, 900.0)}
    assert failing(before, {("cart", "server"): (10.0, 0.0)}) == []
