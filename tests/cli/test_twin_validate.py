from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from itbench.cli.main import main
from itbench.cluster.kube_assets import kube_asset
from itbench.model.errors import ClusterError
from itbench.report.validation import print_validation, told
from itbench.twin.compare.agreement import Aspect
from itbench.twin.compare.validation import ComparedFault, validation

SCENARIO = """\
schema_version: 1
id: nobody-reads
domain: sre
title: Nobody reads the reviews
application: book-info
timeline: {before: 1m, after: 2m}
disruptions:
  - faults:
      - id: scaled-to-zero-kubernetes-workload
        args:
          kubernetesObject: {apiVersion: apps/v1, kind: Deployment, metadata: {name: NAME, namespace: book-info}}
"""


def run(*words: str):
    return CliRunner().invoke(main, ["twin", "validate", *words])


@pytest.fixture
def scenario(tmp_path: Path) -> str:
    path = tmp_path / "scenario.yaml"
    path.write_text(SCENARIO.replace("NAME", "reviews-v1"))
    return str(path)


@pytest.fixture
def assets() -> None:
    """A machine that has the programs of a control plane."""
    try:
        kube_asset("kube-apiserver"), kube_asset("etcd")
    except ClusterError as error:
        pytest.skip(str(error))


@pytest.mark.integration
@pytest.mark.usefixtures("assets")
def test_a_scenario_is_played_on_both_and_compared(scenario: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = run("--env", "hybrid", "--scenario", scenario, "--out", str(out))
    assert result.exit_code == 0, result.output
    assert "nobody-reads: events 1.00, states 1.00" in result.stderr
    assert "agree in everything" in result.stdout
    assert {path.name for path in (out / "nobody-reads").iterdir()} == {
        *("twin.json", "twin.jsonl", "hybrid.json", "hybrid.jsonl"),
    }
    as_json = run("--env", "hybrid", "--scenario", scenario, "--out", str(out), "--resume", "--json")
    assert as_json.exit_code == 0, as_json.output
    found = json.loads(as_json.stdout)
    assert found == json.loads((out / "validation.json").read_text())
    assert found["schema_version"] == 1
    assert found["faults"][0]["aspects"]["events"]["agreement"] == 1
    assert {name: found["agreement"]["states"][name] for name in ("mean", "n", "whole")} == {"mean": 1, "n": 1, "whole": 1}

    streams = [str(out / "nobody-reads" / f"{name}.jsonl") for name in ("twin", "hybrid")]
    shown = CliRunner().invoke(main, ["twin", "compare", *streams, "--json"])
    assert json.loads(shown.output)["events"] == 1


@pytest.mark.integration
@pytest.mark.usefixtures("assets")
def test_what_cannot_be_played_is_told_and_gives_exit_code_1(scenario: str) -> None:
    Path(scenario).write_text(SCENARIO.replace("NAME", "nothing"))
    result = run("--env", "hybrid", "--scenario", scenario, "--json")
    assert result.exit_code == 1, result.output
    fault = json.loads(result.stdout)["faults"][0]
    assert fault["outcome"] == "environment_error"
    assert "no Deployment 'nothing'" in fault["cause"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "--env"),
        (("--env", "twin"), "'twin' is not one of"),
        (("--env", "hybrid", "--suite", "nope"), "there is no suite 'nope'"),
        (("--env", "hybrid", "--scenario", "nope"), "there is no scenario 'nope'"),
        (("--env", "hybrid", "--resume"), "--out DIR"),
        (("--env", "kind", "--window", "soon"), "is not a duration"),
    ],
)
def test_wrong_usage_is_one_message(words: tuple[str, ...], told: str) -> None:
    result = run(*words)
    assert result.exit_code == 2
    assert told in result.stderr
    assert "Traceback" not in result.output


def test_the_help_has_an_example() -> None:
    assert "itbench twin validate --env kind --suite kind-smoke" in run("--help").output


def test_the_table_shows_what_only_one_tells() -> None:
    events = Aspect(agreement=0.5, both=("Pod web: Failed",), other_only=("Pod web: BackOff",))
    alerts = Aspect(agreement=None, note="not waited for: alerts take minutes")
    nothing = Aspect(agreement=None, note="nothing")
    aspects = {
        **dict.fromkeys(("states", "order", "onsets", "errors", "latency"), nothing),
        "events": events,
        "alerts": alerts,
    }
    faults = [
        ComparedFault(scenario="no-image", faults=("image",), outcome="compared", seconds=45, aspects=aspects),
        ComparedFault(scenario="no-node", faults=("node",), outcome="environment_error", cause="no Docker"),
    ]
    console = Console(width=200, record=True, file=StringIO())
    print_validation(validation("kind", faults), console)
    text = console.export_text()
    assert "only kind: Pod web: BackOff" in text
    assert "no-node could not be played: no Docker" in text
    assert "alerts: not waited for" in text
    assert told(faults[0]) == "no-image: events 0.50"
    assert told(faults[1]) == "no-node: environment_error: no Docker"
