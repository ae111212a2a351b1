from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from itbench.twin.app.load import load_application
from itbench.twin.app.programs import ApplicationPrograms
from itbench.twin.workload.process import KnownPrograms, Launch, LaunchError, Process

SHOP = Path(__file__).parents[1] / "applications" / "shop.yaml"
MIB = 2**20


def start(name: str = str(SHOP), service: str = "store", addresses: tuple[str, ...] = (), **changes: Any) -> Process:
    application = load_application(name)
    body = application.services[service]
    subject = f"{application.namespace}/{service}-1/{service}"
    limits = {"memory_limit": 128 * MIB, "cpu_limit": float("inf")}
    launch = {"image": body.image, "command": (), "args": (), "env": {}, "subject": subject, **limits}
    programs = ApplicationPrograms(application, KnownPrograms({}), lambda address, names: names and address in addresses)
    return programs.launch(Launch(**{**launch, "now": 100.0, **changes}))


def test_it_listens_on_its_port_after_its_start() -> None:
    process = start()
    assert process.answer(8080, "/health", 100.9).kind == "refused"
    assert process.answer(8080, "/health", 101.1).kind == "served"
    assert process.answer(9090, None, 110).kind == "refused"
    assert process.ending is None


def test_it_listens_where_its_environment_says() -> None:
    process = start(env={"PORT": "9000"})
    assert process.answer(9000, None, 110).kind == "served"
    assert process.ports == {9000}


def test_a_leak_ends_at_the_memory_limit() -> None:
    ending = start(env={"LEAK_MB": "7"}).ending
    assert ending is not None
    assert ending.out_of_memory
    assert ending.time == pytest.approx(101 + (128 - 30) / 7)


def test_more_than_the_limit_at_the_start_ends_at_once() -> None:
    ending = start(memory_limit=5 * MIB).ending
    assert ending is not None
    assert ending.out_of_memory
    assert ending.time < 101


def test_a_lifetime_ends_with_an_error() -> None:
    ending = start(env={"EXIT_AFTER": "15"}).ending
    assert ending is not None
    assert (ending.time, ending.code, ending.out_of_memory) == (115, 1, False)


def test_a_processor_limit_slows_the_start() -> None:
    process = start(cpu_limit=0.02)
    assert process.answer(8080, None, 110).kind == "refused"
    assert process.answer(8080, None, 112).kind == "served"


def test_without_what_it_needs_it_gives_up() -> None:
    env = {"KAFKA_ADDR": "kafka:9999"}
    process = start("otel-demo", "checkout", env=env)
    assert process.ending is not None
    assert process.answer(8080, None, 109).kind == "refused"
    assert start("otel-demo", "checkout", ("kafka:9999",), env=env).ending is None


def test_without_the_clusters_names_it_does_not_find_what_it_needs() -> None:
    env = {"KAFKA_ADDR": "kafka:9999"}
    ending = start("otel-demo", "checkout", ("kafka:9999",), env=env, cluster_names=False).ending
    assert ending is not None
    assert (ending.time, ending.code) == (110, 1)  # as a program on a real cluster, which gives up after ten seconds


def test_a_command_that_is_not_the_programs_is_left_to_others() -> None:
    with pytest.raises(LaunchError):
        start(command=("/bin/servr",))
    assert start("otel-demo", "valkey-cart", command=("valkey-server", "--requirepass", "x")).ending is None
