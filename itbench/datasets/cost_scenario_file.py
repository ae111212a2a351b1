"""Read the scenario.yaml of a FinOps scenario that is to be simulated."""

from __future__ import annotations

from pathlib import Path

from itbench.datasets.scenario_file import DefinitionFile, read_definition
from itbench.datasets.source import read_source
from itbench.model.cost_scenario import CostScenario

CostScenarioFile = DefinitionFile[CostScenario]
"""A FinOps scenario that knows where it was written."""


def read_cost_scenario(path: Path) -> CostScenarioFile:
    """The FinOps scenario in a file, or in the scenario.yaml of a folder.

    Raises:
        DatasetError: it cannot be read, or breaks a rule of the schema; with path, line and key.
    """
    return read_definition(path, CostScenario)


def is_cost_scenario(path: Path) -> bool:
    """Whether a scenario.yaml describes a FinOps scenario to be simulated on the cost twin.

    Raises:
        DatasetError: it cannot be read.
    """
    value = read_source(path / "scenario.yaml" if path.is_dir() else path).value
    return isinstance(value, dict) and value.get("domain") == "finops" and "application" not in value
