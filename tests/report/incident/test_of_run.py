from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from click.testing import CliRunner

from itbench.cli.main import main
from itbench.model.trial import AgentConfig, RunConfig
from itbench.report.incident.of_run import drawings_of


def config(dataset: Path | None, **change: object) -> RunConfig:
    base = {
        "dataset": None if dataset is None else str(dataset),
        "scenarios": ("no-store",),
        "agents": (AgentConfig(label="a", spec="nop"),),
    }
    return RunConfig.model_validate(base | change)


def test_each_simulated_scenario_of_a_run_is_drawn_for_its_page(scenario_path: Path) -> None:
    (drawing,) = drawings_of(config(scenario_path.parent))
    assert drawing.title == "The store & <nobody> behind it"
    assert ElementTree.fromstring(drawing.svg).tag == "{http://www.w3.org/2000/svg}svg"
    assert "seed 4." in drawing.svg


def test_a_run_with_a_seed_is_drawn_with_that_seed(scenario_path: Path) -> None:
    (drawing,) = drawings_of(config(scenario_path.parent, seed=9))
    seed = re.search(r"seed (\d+)\.", drawing.svg)
    assert seed is not None
    assert seed[1] != "4"


def test_a_bill_is_drawn_under_its_title() -> None:
    (drawing,) = drawings_of(config(None, suite="finops-all", scenarios=("invoice-jump",)))
    assert drawing.title == "Daily spend jumps on one account"
    assert "<svg" in drawing.svg


def test_the_report_has_the_drawings_that_it_is_asked_for(
    scenario_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    run, page = tmp_path / "run", tmp_path / "page.html"
    asked = ["run", "--dataset", str(scenario_path.parent), "--agent", "oracle", "--out", str(run)]
    assert CliRunner().invoke(main, asked).exit_code == 0
    assert CliRunner().invoke(main, ["report", str(run), "--html", str(page)]).exit_code == 0
    assert "How it spread" not in page.read_text(encoding="utf-8")
    assert CliRunner().invoke(main, ["report", str(run), "--html", str(page), "--plots"]).exit_code == 0
    assert "How it spread" in page.read_text(encoding="utf-8")
    alone = CliRunner().invoke(main, ["report", str(run), "--plots"])
    assert alone.exit_code == 2
    assert "--html" in alone.output
