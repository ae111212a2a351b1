from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from itbench.cli.main import main


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments), prog_name="itbench")


@pytest.fixture(autouse=True)
def private_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_tools_are_listed_with_what_they_take() -> None:
    text = invoke("tools", "list").stdout
    assert "incident_overview" in text
    assert "expression*" in text
    found = json.loads(invoke("tools", "list", "--json", "--domain", "finops").stdout)
    listed = {tool["name"]: tool for tool in found["tools"]}
    assert {"overview", "drilldown", "decompose", "sql"} <= listed.keys()
    assert listed["costs"]["parameters"]["properties"]["baseline_days"]["default"] == 28


def test_a_call_prints_what_an_agent_reads(wrong_port_incident: Path) -> None:
    snapshot = str(wrong_port_incident)
    result = invoke("tools", "call", snapshot, "object_changes", "--arg", "name=cart", "--arg", "limit=5")
    assert result.exit_code == 0
    assert "targetPort: 8080 → 8081" in result.stdout
    found = json.loads(invoke("tools", "call", snapshot, "incident_overview", "--json").stdout)
    assert not found["is_error"]
    assert "targetPort" in found["text"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["logs", "--arg", "service=catalogue"], "Did you mean catalog?"),
        (["log"], "there is no tool 'log'"),
        (["logs", "--arg", "limit"], "is no NAME=VALUE"),
        (["logs", "--arg", "limit=1", "--arg", "limit=2"], "given twice"),
    ],
)
def test_mistakes_are_told_on_stderr_with_exit_code_2(wrong_port_incident: Path, arguments: list[str], message: str) -> None:
    result = invoke("tools", "call", str(wrong_port_incident), *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stdout == ""


def test_a_folder_without_a_snapshot_is_refused(tmp_path: Path) -> None:
    for command in (["tools", "call", str(tmp_path), "logs"], ["mcp", str(tmp_path)]):
        result = invoke(*command)
        assert result.exit_code == 2
        assert "there is no snapshot here" in result.stderr


@pytest.mark.parametrize("address", ["localhost", "host:port", "x:99999", "x:-1", ""])
def test_an_address_needs_host_and_port(wrong_port_incident: Path, address: str) -> None:
    result = invoke("mcp", str(wrong_port_incident), "--http", address)
    assert result.exit_code == 2
    assert "is no HOST:PORT" in result.stderr
