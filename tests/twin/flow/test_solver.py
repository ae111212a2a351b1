from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from itbench.twin.flow.flow import Flow
from itbench.twin.flow.graph import Graph
from itbench.twin.flow.solver import Solver
from itbench.twin.flow.state import Cause, Failure, Kind, LinkState, RouteState, ServiceState, Slowness, State

BROKEN = Cause("port closed", "a", "b")


def refuses(share: float = 1.0) -> LinkState:
    return LinkState(failures=(Failure(Kind.REFUSED, share, 0.001, BROKEN),))


def last(graph: Graph, state: State, ticks: int = 1, seconds: float = 5.0) -> Flow:
    return list(Solver(graph, seconds).solve(state, 0, ticks))[-1]


def share(flow: Flow, service: str, route: str = "get") -> float:
    return float(flow.failures()[-1, flow.graph.route_index(service, route)])


def rate(flow: Flow, service: str, route: str = "get") -> float:
    return float(flow.arrivals[-1, flow.graph.route_index(service, route)])


def test_a_required_call_fails_its_callers_up_to_the_load(chain: Graph, healthy: Callable[..., State]) -> None:
    flow = last(chain, healthy(chain, a_b=refuses(0.3)))
    assert (share(flow, "a"), share(flow, "load", "ask")) == pytest.approx((0.3, 0.3))
    assert share(flow, "b") == 0
    assert rate(flow, "b") == pytest.approx(5.0 * 0.7)


def test_errors_carry_their_cause_to_the_top(chain: Graph, healthy: Callable[..., State]) -> None:
    flow = last(chain, healthy(chain, a_b=refuses()))
    shares = flow.answers.times[0, -1, chain.route_index("load", "ask"), 1:]
    assert [outcome.cause for outcome, part in zip(flow.outcomes, shares, strict=True) if part > 0.5] == [BROKEN]
    sites = [str(site.callee) for site in chain.sites]
    number = 1 + [outcome.cause for outcome in flow.outcomes].index(BROKEN)
    assert flow.kind(sites.index("b/get"), number) is Kind.REFUSED
    assert flow.kind(sites.index("a/get"), number) is Kind.STATUS


def test_the_first_failed_call_spares_those_after_it(graph_of: Callable[..., Graph], healthy: Callable[..., State]) -> None:
    graph = graph_of({"calls": [{"to": "b/get"}, {"to": "c/get"}]}, b={"routes": {"get": {}}}, c={"routes": {"get": {}}})
    flow = last(graph, healthy(graph, load_b=LinkState(failures=(Failure(Kind.REFUSED, 0.8, 0.0, BROKEN),))))
    assert rate(flow, "c") == pytest.approx(1.0)


def test_a_degraded_call_costs_time_and_quality_but_no_error(
    graph_of: Callable[..., Graph], healthy: Callable[..., State]
) -> None:
    calls = [{"to": "b/get", "criticality": "degraded", "timeout": 1}]
    graph = graph_of({"calls": [{"to": "a/get"}]}, a={"routes": {"get": {"calls": calls}}}, b={"routes": {"get": {}}})
    dropped = LinkState(failures=(Failure(Kind.TIMEOUT, 1.0, 3600.0, BROKEN),))
    flow = last(graph, healthy(graph, a_b=dropped))
    assert share(flow, "a") == 0
    assert flow.answers.degraded[-1, graph.route_index("load", "ask")].sum() == pytest.approx(1.0)
    assert flow.latency(-1)[graph.route_index("a", "get"), 0] == pytest.approx(1.0, rel=0.1)
    blamed = flow.answers.slow[-1, graph.route_index("a", "get"), 1:]
    assert flow.outcomes[int(blamed.argmax())].cause == BROKEN


def test_retries_multiply_the_demand_on_what_fails(graph_of: Callable[..., Graph], healthy: Callable[..., State]) -> None:
    graph = graph_of({"calls": [{"to": "b/get", "attempts": 3}]}, b={"routes": {"get": {}}})
    failing = RouteState(failures=(Failure(Kind.STATUS, 0.5, 0.0, Cause("flag", "b")),))
    flow = last(graph, healthy(graph, b__get=failing))
    assert rate(flow, "b") == pytest.approx(5 * (1 + 0.5 + 0.25))
    assert share(flow, "load", "ask") == pytest.approx(0.125)


def test_retries_of_an_overloaded_service_make_a_storm(
    graph_of: Callable[..., Graph], healthy: Callable[..., State]
) -> None:
    calm, storm = (
        graph_of({"calls": [{"to": "b/get", "timeout": 1, "attempts": n}]}, 9.0, b={"routes": {"get": {"cpu": 0.1}}})
        for n in (1, 4)
    )
    attempts = [last(graph, healthy(graph, cores=0.8), ticks=60).attempts[-1, 0] for graph in (calm, storm)]
    assert attempts[1] > 2 * attempts[0]


def test_calls_made_at_once_take_as_long_as_the_slowest(
    graph_of: Callable[..., Graph], healthy: Callable[..., State]
) -> None:
    services = {name: {"routes": {"get": {}}} for name in ("b", "c")}
    delays = {"load_b": 0.3, "load_c": 0.5}
    states = {pair: LinkState(delays=(Slowness(seconds, BROKEN),)) for pair, seconds in delays.items()}
    calls = [{"to": "b/get"}, {"to": "c/get"}]
    medians = []
    for steps in ([{"parallel": calls}], calls):
        graph = graph_of({"calls": steps}, **services)
        medians.append(last(graph, healthy(graph, **states)).latency(-1)[graph.route_index("load", "ask"), 0])
    assert medians == [pytest.approx(0.5, rel=0.1), pytest.approx(0.8, rel=0.1)]


def test_alternatives_share_the_calls_as_the_endpoints_say(
    graph_of: Callable[..., Graph], healthy: Callable[..., State]
) -> None:
    graph = graph_of({"calls": [{"to": ["b/get", "c/get"]}]}, b={"routes": {"get": {}}}, c={"routes": {"get": {}}})
    parts = {"load_b": LinkState(balance=0.25, failures=refuses().failures), "load_c": LinkState(balance=0.75)}
    flow = last(graph, healthy(graph, **parts))
    assert (rate(flow, "b"), rate(flow, "c")) == pytest.approx((0.0, 3.75))
    assert share(flow, "load", "ask") == pytest.approx(0.25)


def test_users_who_wait_longer_ask_less(graph_of: Callable[..., Graph], healthy: Callable[..., State]) -> None:
    graph = graph_of({"calls": [{"to": "b/get"}]}, users={"users": 50, "think": 5}, b={"routes": {"get": {}}})
    quick = last(graph, healthy(graph))
    slow = last(graph, healthy(graph, load_b=LinkState(delays=(Slowness(5.0, BROKEN),))))
    assert rate(quick, "b") == pytest.approx(10.0, rel=0.01)
    assert rate(slow, "b") == pytest.approx(5.0, rel=0.01)


def test_users_come_back_at_their_spawn_rate(graph_of: Callable[..., Graph], healthy: Callable[..., State]) -> None:
    users = {"users": 50, "think": 5, "spawn_rate": 2}
    graph = graph_of({"calls": [{"to": "b/get"}]}, users=users, b={"routes": {"get": {}}})
    solver = Solver(graph, 5.0)
    list(solver.solve(healthy(graph, load=ServiceState(0, 0, 4, 1e7)), 0, 2))
    solver.carried.users = 0.0
    rates = [rate(flow, "b") for tick in range(6) for flow in solver.solve(healthy(graph), 2 + tick, 1)]
    assert rates == pytest.approx([0, 2, 4, 6, 8, 10], rel=0.02, abs=1e-6)


def test_users_who_come_back_slowly_come_all_the_same(graph_of: Callable[..., Graph], healthy: Callable[..., State]) -> None:
    users = {"users": 20_000, "think": 1000, "spawn_rate": 1}
    graph = graph_of({"calls": [{"to": "b/get"}]}, users=users, b={"routes": {"get": {}}})
    solver = Solver(graph, 5.0)
    solver.carried.users = 8000.0
    list(solver.solve(healthy(graph), 0, 120))
    assert solver.carried.users == 8600.0


def test_the_load_follows_the_hours_of_the_day(graph_of: Callable[..., Graph], healthy: Callable[..., State]) -> None:
    daily = {"rate": 10, "daily": {"amplitude": 0.5, "peak": 12}}
    graph = graph_of({"calls": [{"to": "b/get"}]}, users=daily, b={"routes": {"get": {}}})
    flows = list(Solver(graph, 60.0).solve(healthy(graph), 0, 1440))
    rates = np.concatenate([flow.arrivals[:, graph.route_index("b", "get")] for flow in flows])
    assert (rates[0], rates[720]) == pytest.approx((5.0, 15.0), rel=1e-3)
    assert rates.mean() == pytest.approx(10.0, rel=1e-3)


def test_a_node_refuses_each_pod_once_a_second_after_a_burst_of_six(
    graph_of: Callable[..., Graph], healthy: Callable[..., State]
) -> None:
    graph = graph_of({"calls": [{"to": "b/get", "timeout": 2}]}, rate=8.0, b={"routes": {"get": {}}})
    nobody = LinkState(rejected=Failure(Kind.REFUSED, 1.0, 0.001, Cause("no endpoints", "load", "b")))
    state = healthy(graph, pods=2, load_b=nobody)
    flows = list(Solver(graph, 1.0).solve(state, 0, 60))
    refused = [float(flow.kept[0, 0, 0, 1:].sum()) for flow in flows]
    assert refused[0] == 1.0
    assert refused[-1] == pytest.approx(2 / 8)
    assert sum(flow.kept[0, :, 0, 1:].sum() * 8 for flow in flows) == pytest.approx(60 * 2 + 2 * 6, rel=0.02)
    assert len(flows[-1]) > 30, "it comes to rest"


def test_messages_wait_for_a_consumer_that_is_too_slow_and_are_made_up_for(
    graph_of: Callable[..., Graph], healthy: Callable[..., State]
) -> None:
    graph = graph_of(
        {"calls": [{"to": "broker/publish"}]},
        broker={"protocol": "kafka", "routes": {"publish": {}}},
        reader={"port": None, "routes": {"read": {"consumes": "broker/publish", "latency": {"p50": 0.01, "p95": 0.02}}}},
    )
    solver = Solver(graph, 5.0)
    index = graph.route_index("reader", "read")
    slow = RouteState(delays=(Slowness(0.5, Cause("flag", "reader")),))
    lags = np.concatenate([flow.lag[:, index] for flow in solver.solve(healthy(graph, reader__read=slow), 0, 20)])
    assert np.diff(lags[2:]) == pytest.approx(np.full(17, 5 * (5 - 1 / 0.512)), rel=0.05)
    after = list(solver.solve(healthy(graph), 20, 40))
    assert after[0].arrivals[0, index] > 5.0
    assert after[-1].lag[-1, index] == 0.0


def test_a_stopped_consumer_takes_nothing(graph_of: Callable[..., Graph], healthy: Callable[..., State]) -> None:
    graph = graph_of(
        {"calls": [{"to": "broker/publish"}]},
        broker={"routes": {"publish": {}}},
        reader={"port": None, "routes": {"read": {"consumes": "broker/publish"}}},
    )
    flow = last(graph, healthy(graph, reader=ServiceState(0, 0, 4, 1e7)), ticks=10)
    assert rate(flow, "reader", "read") == 0
    assert flow.lag[-1, graph.route_index("reader", "read")] == pytest.approx(10 * 5 * 5)


def test_a_clock_starts_its_route_in_every_pod(graph_of: Callable[..., Graph], healthy: Callable[..., State]) -> None:
    graph = graph_of({}, ticker={"port": None, "routes": {"tick": {"every": "2s"}}})
    assert rate(last(graph, healthy(graph, pods=3)), "ticker", "tick") == pytest.approx(1.5)


def test_busy_workers_pass_the_slowness_of_a_callee_on(
    graph_of: Callable[..., Graph], healthy: Callable[..., State]
) -> None:
    graph = graph_of(
        {"calls": [{"to": "a/get", "timeout": 10}, {"to": "a/other", "timeout": 10}]},
        rate=10.0,
        a={"workers": 4, "routes": {"get": {"calls": [{"to": "b/get"}]}, "other": {}}},
        b={"routes": {"get": {}}},
    )
    slow = LinkState(delays=(Slowness(2.0, BROKEN),))
    flow = last(graph, healthy(graph, a_b=slow), ticks=30)
    other = [str(site.callee) for site in graph.sites].index("a/other")
    assert flow.call_latency(-1)[other, 0] > 1.0


def test_a_full_queue_drops_what_comes_too_much(graph_of: Callable[..., Graph], healthy: Callable[..., State]) -> None:
    graph = graph_of(
        {"calls": [{"to": "b/get", "timeout": 600}]}, rate=20.0, b={"queue": 10, "routes": {"get": {"cpu": 0.1}}}
    )
    flow = last(graph, healthy(graph, cores=1.0), ticks=60)
    assert flow.waiting[-1, graph.service_index("b")] == pytest.approx(10.0)
    assert share(flow, "load", "ask") == pytest.approx(0.5, abs=0.05)
    assert {outcome.cause.mechanism for outcome in flow.outcomes if outcome.cause} == {"overload"}


def test_names_that_do_not_resolve_outlast_the_time_out(chain: Graph, healthy: Callable[..., State]) -> None:
    unknown = Failure(Kind.NAME, 1.0, 4.0, Cause("name not found", "a", "b"), bounded=False)
    flow = last(chain, healthy(chain, a_b=LinkState(failures=(unknown,))))
    sites = [str(site.callee) for site in chain.sites]
    medians = flow.call_latency(-1)[:, 0]
    assert medians[sites.index("b/get")] == pytest.approx(4.0, rel=0.06)
    assert medians[sites.index("a/get")] == pytest.approx(2.0, rel=0.06)
    assert flow.late[-1, sites.index("a/get")].sum() == pytest.approx(1.0, abs=1e-3)


@pytest.fixture
def impatient(graph_of: Callable[..., Graph]) -> Graph:
    """Users who wait for a service with few workers."""
    return graph_of(
        {"calls": [{"to": "a/get", "timeout": 2}]},
        users={"users": 40, "think": 1.0, "spawn_rate": 40.0},
        a={"workers": 4, "queue": 20, "routes": {"get": {"cpu": 0.01, "calls": [{"to": "b/get", "timeout": 2}]}}},
        b={"routes": {"get": {}}},
    )


def test_refusals_come_to_rest_where_the_kernel_answers_one_a_second(
    impatient: Graph, healthy: Callable[..., State]
) -> None:
    gone = Failure(Kind.REFUSED, 1.0, 0.001, Cause("no endpoints", "a", "b"))
    flows = list(Solver(impatient).solve(healthy(impatient, a_b=LinkState(rejected=gone)), 0, 120))
    wanted = flows[-1].attempts[-1, [str(site.callee) for site in impatient.sites].index("b/get")]
    assert flows[-1].answered[-1].min() * wanted == pytest.approx(1.0, rel=1e-4)
    assert len(flows) < 30


def test_a_queue_that_is_as_full_as_it_gets_is_not_followed_tick_by_tick(
    graph_of: Callable[..., Graph], healthy: Callable[..., State]
) -> None:
    graph = graph_of({"calls": [{"to": "a/get", "timeout": 60}]}, a={"queue": 20, "routes": {"get": {"cpu": 0.1}}})
    flows = list(Solver(graph).solve(healthy(graph, a=ServiceState(1, 1, 0.2, 1e7)), 0, 600))
    served, offered = rate(flows[-1], "a"), rate(flows[-1], "load", "ask")
    assert len(flows) < 60
    assert sum(len(flow) for flow in flows) == 600
    assert offered == pytest.approx(5.0)
    assert served == pytest.approx(2.0, rel=0.05)
    assert flows[-1].dropped[-1, graph.service_index("a")] == pytest.approx(1 - served / offered, rel=0.01)


def test_a_state_that_comes_back_under_another_name_has_the_same_flow(chain: Graph, healthy: Callable[..., State]) -> None:
    def slow(name: str) -> State:
        return healthy(chain, a_b=LinkState(delays=(Slowness(0.3, Cause("delay", "a", "b", text=name)),)))

    solver = Solver(chain)
    one, _, other = (
        list(solver.solve(state, 20 * number, 20)) for number, state in enumerate((slow("x"), healthy(chain), slow("y")))
    )
    assert other[-1].arrivals[-1] == pytest.approx(one[-1].arrivals[-1], rel=1e-12)
    assert other[-1].answers.times[:, -1] == pytest.approx(one[-1].answers.times[:, -1], rel=1e-12)
    assert [item.cause.text for item in other[-1].outcomes if item.cause is not None] == ["y"]
