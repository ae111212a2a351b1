"""`itbench fault`."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from itbench.cli.main import main
from itbench.faults.registry import FAULTS


def run(*args: str) -> str:
    result = CliRunner().invoke(main, ["fault", *args])
    assert result.exit_code == 0, result.output
    return result.output


def test_list_names_every_fault() -> None:
    output = run("list")
    assert all(kind.id in output and kind.title in output for kind in FAULTS.values())


def test_list_as_data_has_what_show_has() -> None:
    listed = {item["id"]: item for item in json.loads(run("list", "--json"))}
    assert list(listed) == list(FAULTS)
    one = "modified-target-port-kubernetes-service"
    assert json.loads(run("show", one, "--json")) == listed[one]
    assert {"key": "targetPort", "type": "number", "required": True} in listed[one]["arguments"]


@pytest.mark.parametrize("known", FAULTS)
def test_show_describes_every_fault(known: str) -> None:
    output = run("show", known)
    for heading in ("Arguments", "Alerts", "Accepted fixes"):
        assert heading in output
    assert "  - " in output


def test_a_number_will_do() -> None:
    assert json.loads(run("show", "6", "--json"))["id"] == "ingress-port-blocking-network-policy"


def test_an_unknown_fault_is_a_wrong_request() -> None:
    result = CliRunner().invoke(main, ["fault", "show", "scaled-to-zero"])
    assert result.exit_code == 2
    assert "Did you mean 'scaled-to-zero-kubernetes-workload'?" in result.output
