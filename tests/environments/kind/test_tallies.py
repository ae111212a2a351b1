"""Requests by the service that was called, from the collector's metrics."""

from __future__ import annotations

from itbench.environments.kind.tallies import Callees, Tally, between, tallies, together
from itbench.twin.app.load import load_application

CALLEES = Callees({("front", "GET /cart"): "cart"}, {"cart": frozenset({"front"}), "front": frozenset({"load"})})
SPANS = """\
# TYPE traces_span_metrics_calls_total counter
traces_span_metrics_calls_total{service_name="front",span_name="GET /cart",span_kind="SPAN_KIND_CLIENT",status_code="STATUS_CODE_UNSET"} 90
traces_span_metrics_calls_total{service_name="front",span_name="GET /cart",span_kind="SPAN_KIND_CLIENT",status_code="STATUS_CODE_ERROR"} 10
traces_span_metrics_calls_total{service_name="cart",span_name="GET /cart",span_kind="SPAN_KIND_SERVER",status_code="STATUS_CODE_UNSET"} 91
traces_span_metrics_duration_milliseconds_bucket{service_name="front",span_name="GET /cart",span_kind="SPAN_KIND_CLIENT",status_code="STATUS_CODE_UNSET",le="10"} 80
traces_span_metrics_duration_milliseconds_bucket{service_name="front",span_name="GET /cart",span_kind="SPAN_KIND_CLIENT",status_code="STATUS_CODE_UNSET",le="+Inf"} 90
"""  # noqa: E501
MESH = """\
istio_requests_total{reporter="destination",source_workload="front",destination_workload="cart-v1",response_code="503"} 3
istio_requests_total{reporter="destination",source_workload="front",destination_workload="cart-v1",response_code="200"} 5
istio_request_duration_milliseconds_bucket{destination_workload="cart-v1",response_code="200",le="5"} 4
"""


def test_spans_of_callers_count_for_whom_they_called() -> None:
    assert tallies(SPANS, CALLEES) == {"cart": Tally(100.0, 10.0, {10.0: 80.0, float("inf"): 90.0})}


def test_a_mesh_names_whom_was_called() -> None:
    assert tallies(MESH, Callees({}, {})) == {"cart-v1": Tally(8.0, 3.0, {5.0: 4.0})}


def test_only_what_came_between_two_moments_counts() -> None:
    before, now = {"cart": Tally(10.0, 1.0, {5.0: 8.0})}, {"cart": Tally(30.0, 4.0, {5.0: 20.0}), "new": Tally(2.0)}
    assert between(before, now) == {"cart": Tally(20.0, 3.0, {5.0: 12.0}), "new": Tally(2.0)}


def test_a_collector_that_began_anew_has_counted_all_since() -> None:
    assert between({"cart": Tally(1000.0, 900.0)}, {"cart": Tally(10.0, 1.0)}) == {"cart": Tally(10.0, 1.0)}


def test_stretches_add_up() -> None:
    assert together([{"a": Tally(1.0, 1.0, {5.0: 1.0})}, {"a": Tally(2.0), "b": Tally(3.0)}]) == {
        "a": Tally(3.0, 1.0, {5.0: 1.0}),
        "b": Tally(3.0),
    }


def test_whoever_calls_a_service_directly_or_not_is_upstream() -> None:
    assert CALLEES.upstream(["cart"]) == {"cart", "front", "load"}
    assert CALLEES.upstream(["front"]) == {"front", "load"}


def test_every_call_of_an_application_has_its_callee() -> None:
    callees = Callees.of(load_application("otel-demo"))
    assert callees.upstream(["payment"]) >= {"payment", "checkout", "frontend"}
    assert "cart" in callees.by_span.values()
