"""The scripted agents of examples/, on a small incident: cart's Service leads to a port that nobody listens on."""

from __future__ import annotations

import asyncio
import importlib
import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from itbench.agents.interventions.catalogue import read_interventions
from itbench.agents.protocol import AgentResult, Workspace
from itbench.agents.stepping import StepAgent
from itbench.model.task import Task

EXAMPLES = Path(__file__).parents[3] / "examples"


@pytest.fixture(scope="session")
def flaky() -> ModuleType:
    sys.path.insert(0, str(EXAMPLES))
    try:
        return importlib.import_module("flaky_agents")
    finally:
        sys.path.remove(str(EXAMPLES))


@dataclass(frozen=True)
class Worked:
    """How a trial went."""

    result: AgentResult
    events: list[dict[str, Any]]

    @property
    def blamed(self) -> list[str] | None:
        """The entities of the answer, None if it is none."""
        try:
            return [each["name"] for each in json.loads(self.result.output or b"")["entities"]]
        except (ValueError, KeyError):
            return None

    @property
    def stepped_in(self) -> list[str]:
        return [event["by"] for event in self.events if event["kind"] == "intervention"]


@pytest.fixture
def work(tmp_path: Path, wrong_port_incident: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Worked]:
    """Let an agent with steps work on the incident, with interventions around it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    staged = tmp_path / "staged"
    shutil.copytree(wrong_port_incident, staged, ignore=shutil.ignore_patterns("ground_truth.yaml"))

    def run(make: Callable[[], Any], interventions: str = "") -> Worked:
        agent = StepAgent.of(make, read_interventions(interventions) if interventions else ())
        workspace = Workspace(tmp_path / "work", staged, tmp_path)
        task = Task(id="t", domain="sre", instructions="Look into it.", input_dir=staged)
        return Worked(asyncio.run(agent.run(task, workspace)), workspace.events.events)

    return run
