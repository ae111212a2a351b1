"""Interventions around agents of every kind: by name, in the sandbox, and from outside."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from itbench.agents.interventions.outside import AskedAgain
from itbench.agents.llm.agent import LlmAgent
from itbench.agents.registry import configure, make_agent, own_files
from itbench.cli.main import main
from itbench.model.errors import UsageError

EXAMPLES = Path(__file__).parents[3] / "examples"
SECOND_THOUGHTS = """\
import json, os, pathlib
told = pathlib.Path(os.environ["TASK"]).read_text()
answer = {"entities": [{"name": "shop/Service/cart", "contributing_factor": True, "reasoning": "r", "evidence": "e"}],
          "propagations": [], "alerts_explained": []}
if "You have answered before" not in told:
    pathlib.Path(os.environ["OUTPUT"]).write_text("It was the cart, I think.")
elif "cannot be taken as the answer" in told:
    pathlib.Path(os.environ["OUTPUT"]).write_text(json.dumps(answer))
"""


def test_interventions_stand_around_an_llm_agent_by_name() -> None:
    agent = make_agent("with:gate(tries=1),loop:llm:some-model?turns=9")
    assert isinstance(agent, LlmAgent)
    assert [each.name for each in agent.interventions] == ["gate", "loop"]
    assert (agent.settings.model, agent.settings.options.turns) == ("some-model", 9)


def test_only_answers_of_programs_can_be_guarded() -> None:
    assert isinstance(make_agent("with:gate,format:cmd:cat"), AskedAgain)
    with pytest.raises(UsageError, match="loop needs an agent that is asked step by step"):
        make_agent("with:gate,loop:cmd:cat")
    with pytest.raises(UsageError, match="ground truth"):
        make_agent("with:gate:oracle")
    for broken in ("with:gate", "with::nop", "with:gate:"):
        with pytest.raises(UsageError):
            make_agent(broken)


def test_the_files_and_the_label_of_the_inner_agent_count(tmp_path: Path) -> None:
    script = tmp_path / "solve.py"
    script.write_text("")
    (configured,) = configure([f"with:gate:cmd:{sys.executable} solve.py"], tmp_path)
    assert configured.label == "cmd:solve+gate"
    assert own_files(configured.spec)[-1] == script


@pytest.fixture
def dataset(tmp_path: Path, wrong_port_incident: Path) -> Path:
    import shutil

    folder = tmp_path / "data" / "Scenario-1"
    shutil.copytree(wrong_port_incident, folder)
    return folder.parent


def ran(dataset: Path, out: Path, *agents: str) -> dict:
    arguments = ["run", "--dataset", str(dataset), "--out", str(out), "--json"]
    result = CliRunner().invoke(main, [*arguments, *(word for agent in agents for word in ("--agent", agent))])
    assert result.exit_code in (0, 1), result.output + str(result.exception)
    records = sorted(out.rglob("result.json"))
    return {json.loads(path.read_text())["agent"]: json.loads(path.read_text()) for path in records}


@pytest.mark.integration
def test_a_program_is_asked_again_with_what_is_wrong(tmp_path: Path, dataset: Path) -> None:
    script = tmp_path / "agent" / "solve.py"
    script.parent.mkdir()
    script.write_text(SECOND_THOUGHTS)
    program = f"cmd:{sys.executable} {script}"
    records = ran(dataset, tmp_path / "run", f"bare={program}", f"held=with:format,gate:{program}")
    recall = {label: record["scores"] for label, record in records.items()}
    assert "root_cause_entity_recall" in json.dumps(recall["held"])
    assert json.loads((tmp_path / "run/agents/held/trials/1/1/agent_output.json").read_text())["entities"]
    assert any(warning.startswith("asked again: That cannot be taken") for warning in records["held"]["warnings"])
    assert (tmp_path / "run/agents/bare/trials/1/1/agent_output.json").read_text().startswith("It was the cart")


@pytest.mark.integration
def test_a_python_agent_with_steps_works_and_is_guarded_inside_the_sandbox(tmp_path: Path, dataset: Path) -> None:
    spec = f"python:flaky_agents:Invents@{EXAMPLES}"
    records = ran(dataset, tmp_path / "run", f"bare={spec}", f"held=with:gate:{spec}")
    names = {
        label: json.loads((tmp_path / f"run/agents/{label}/trials/1/1/agent_output.json").read_text())["entities"]
        for label in records
    }
    assert [each[0]["name"] for each in names.values()] == ["shop/Deployment/edge-token-broker", "shop/Service/cart"]
    steps = json.loads((tmp_path / "run/agents/held/trials/1/1/trajectory.json").read_text())["steps"]
    assert [step["extra"]["intervention"] for step in steps if "intervention" in (step.get("extra") or {})] == ["gate"]
