"""Documents of programs: what the application file says, in the form that the service program reads."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from itbench.bundled import bundled
from itbench.environments.kind.program import on_the_wire, programs
from itbench.twin.app.application import Application
from itbench.twin.app.load import load_application


def test_every_call_of_a_program_is_a_route_of_each_callee(application: Application) -> None:
    found = programs(application)
    for program in found.values():
        for route in program.routes.values():
            for call in (call for step in route.steps for call in step):
                for callee in call.services:
                    wires = {(own.method, own.path) for own in found[callee].routes.values()}
                    assert (call.method, call.path) in wires


def test_routes_of_a_program_differ_on_the_wire(application: Application) -> None:
    for program in programs(application).values():
        wires = [(route.method, route.path) for route in program.routes.values()]
        assert len(wires) == len(set(wires))


@pytest.mark.parametrize(
    ("route", "wire"),
    [
        ("GET /productpage", ("GET", "/productpage")),
        ("GET /api/products/{productId}", ("GET", "/api/products/%7BproductId%7D")),
        ("oteldemo.CartService/GetCart", ("POST", "/oteldemo.CartService/GetCart")),
        ("SELECT catalog.products", ("POST", "/SELECT%20catalog.products")),
        ("HGET", ("POST", "/HGET")),
    ],
)
def test_what_is_no_http_is_posted_under_its_name(route: str, wire: tuple[str, str]) -> None:
    assert on_the_wire(route) == wire


def test_users_are_shared_among_the_pods_of_the_load() -> None:
    load = programs(load_application("book-info"))["load-generator-product-page"].load
    assert load is not None
    assert (load.users, load.think) == (1.0, 5.0)  # three users, three pods


def test_a_broker_keeps_messages_for_its_consumers_who_look_for_it_where_they_call_it() -> None:
    found = programs(load_application("otel-demo"))
    published = found["kafka"].routes["publish orders"]
    assert (published.topic, set(published.groups)) == ("orders", {"accounting", "fraud-detection"})
    consumes = found["accounting"].routes["orders process"].consumes
    assert consumes is not None
    assert (consumes.address, consumes.topic) == ("$(KAFKA_ADDR)", "orders")


def test_flags_are_served_from_their_mount_and_asked_for_by_those_on_whom_they_act() -> None:
    found = programs(load_application("otel-demo"))
    served, asked = found["flagd"].flags, found["payment"].flags
    assert served is not None
    assert served.file == "/etc/flagd/demo.flagd.json"
    assert asked is not None
    assert (asked.ask, asked.file) == ("flagd:8013", "")
    assert {effect.flag for effect in asked.effects} == {"paymentFailure"}
    assert asked.effects[0].variants["50%"] == 0.5
    assert found["quote"].flags is None


def test_a_mesh_tells_of_its_application_and_a_collector_of_others() -> None:
    assert programs(load_application("book-info"))["productpage-v1"].telemetry.metrics == "mesh"
    demo = programs(load_application("otel-demo"))
    assert demo["cart"].telemetry.metrics == "spans"
    assert demo["load-generator"].telemetry.metrics == demo["flagd"].telemetry.metrics == "none"


def test_spans_are_those_of_the_twin() -> None:
    route = programs(load_application("otel-demo"))["cart"].routes["oteldemo.CartService/GetCart"]
    assert route.span is not None
    assert (route.span.name, route.span.kind) == ("oteldemo.CartService/GetCart", "Server")
    assert route.span.attributes["rpc.grpc.status_code"] == "0"
    assert route.span.failed["rpc.grpc.status_code"] == "13"
    query = route.steps[0][0].span
    assert query is not None
    assert (query.name, query.kind, query.attributes) == (
        "HGET",
        "Client",
        {"db.system": "redis", "db.operation.name": "HGET"},
    )


@pytest.mark.integration
def test_the_service_program_understands_every_document(application: Application, program: Path, tmp_path: Path) -> None:
    paths = []
    for name, document in programs(application).items():
        paths.append(tmp_path / f"{name}.json")
        paths[-1].write_text(document.model_dump_json())
    done = subprocess.run([program, "check", *paths], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.integration
def test_the_service_program_refuses_what_it_does_not_know(program: Path, tmp_path: Path) -> None:
    document = programs(load_application("book-info"))["ratings-v1"].model_dump(mode="json")
    path = tmp_path / "ratings.json"
    path.write_text(json.dumps({**document, "colour": "blue"}))
    done = subprocess.run([program, "check", path], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert 'unknown field "colour"' in done.stderr


@pytest.mark.integration
def test_the_service_program_keeps_its_own_promises(go: str) -> None:
    sources = bundled("environments") / "kind" / "service"
    done = subprocess.run([go, "test", "./..."], cwd=sources, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
