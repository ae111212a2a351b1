"""Small organisations, and scenarios that ship, for the tests of the cost twin."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from itbench.bundled import bundled
from itbench.datasets.cost_scenario_file import CostScenarioFile, read_cost_scenario

Write = Callable[..., CostScenarioFile]


@pytest.fixture
def scenario(tmp_path: Path) -> Write:
    """Writes a scenario with some causes and reads it again."""

    def write(*causes: dict[str, object], **keys: object) -> CostScenarioFile:
        document = {
            "schema_version": 1,
            "id": "a-bill",
            "domain": "finops",
            "title": "A bill",
            "organisation": "marketplace",
            "causes": list(causes),
            **({} if causes else {"ticket": {"account": "shop-production", "day": 3}}),
            **keys,
        }
        path = tmp_path / "scenario.yaml"
        path.write_text(yaml.safe_dump(document))
        return read_cost_scenario(path)

    return write


def shipped() -> list[Path]:
    """Every FinOps scenario that ships."""
    return sorted((bundled("scenarios") / "finops").glob("*/scenario.yaml"))
