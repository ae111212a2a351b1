from __future__ import annotations

from dataclasses import replace

import pytest

from itbench.cluster.reference import ObjectRef
from itbench.twin.app.application import Application
from itbench.twin.flow.flow import Flow
from itbench.twin.flow.graph import Graph, compile_graph
from itbench.twin.flow.solver import Solver
from itbench.twin.flow.state import Cause, Failure, Kind, LinkState, RouteState, ServiceState, State
from itbench.twin.incident.causes import origins

TICKS = 24


def service(**route: object) -> dict[str, object]:
    return {"language": "python", "image": "x:1", "port": 80, "routes": {"get": route}}


@pytest.fixture(scope="module")
def chain() -> Graph:
    """load → a → b."""
    load = {"language": "python", "image": "x:1", "routes": {"ask": {"cpu": 0, "calls": [{"to": "a/get", "timeout": 2}]}}}
    body = {
        "name": "small",
        "title": "Small",
        "namespace": "small",
        "load": {"service": "load", "requests": {"ask": 1}, "rate": 5.0},
        "services": {
            "load": load,
            "a": service(cpu=0.002, calls=[{"to": "b/get", "timeout": 2}]),
            "b": service(cpu=0.004),
        },
    }
    return compile_graph(Application.model_validate(body))


def flows(graph: Graph, *, cores: float = 4.0, fails: Cause | None = None) -> list[Flow]:
    link = LinkState() if fails is None else LinkState(failures=(Failure(Kind.TIMEOUT, 1.0, 3600.0, fails),))
    state = State(
        tuple(ServiceState(1, 1, cores, 1e7) for _ in graph.services),
        tuple(RouteState() for _ in graph.routes),
        tuple(link if (one.caller, one.callee) == ("a", "b") else LinkState() for one in graph.links),
    )
    return list(Solver(graph, 5.0).solve(state, 0, TICKS))


def blamed(graph: Graph, cause: Cause) -> set[tuple[str, str | None]]:
    found = origins(flows(graph, fails=cause), flows(graph), {})
    return {(origin.service, origin.towards) for origin in found}


POLICY = Cause("network policy", "a", "b", (ObjectRef("NetworkPolicy", "quiet", "small", "networking.k8s.io/v1"),))


def test_a_policy_that_lets_nobody_in_is_the_callees_trouble(chain: Graph) -> None:
    assert blamed(chain, POLICY) == {("b", None)}


def test_a_policy_that_lets_nobody_out_keeps_its_caller_from_a_callee_that_is_well(chain: Graph) -> None:
    assert blamed(chain, replace(POLICY, mechanism="egress policy")) == {("a", "b")}


def test_a_caller_whose_own_workload_is_to_blame_cannot_reach_its_callee(chain: Graph) -> None:
    own = Cause("no such name", "a", "b", (ObjectRef("Deployment", "a", "small", "apps/v1"),))
    assert blamed(chain, own) == {("a", "b")}


def test_overload_is_a_consequence_and_never_an_origin(chain: Graph) -> None:
    slow = flows(chain, cores=0.01)
    assert any(outcome.cause is not None and outcome.cause.mechanism == "overload" for outcome in slow[-1].outcomes)
    assert origins(slow, flows(chain), {}) == ()


def test_what_fails_in_the_healthy_world_too_is_no_origin(chain: Graph) -> None:
    assert origins(flows(chain, fails=POLICY), flows(chain, fails=POLICY), {}) == ()
