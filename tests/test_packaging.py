"""The built wheel holds what a user needs, and works without the checkout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.integration
def test_a_built_wheel_runs_the_starter_suite_away_from_the_checkout(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(tmp_path), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True, timeout=300)
    (wheel,) = tmp_path.glob("itbench-*.whl")
    installed = tmp_path / "installed"
    zipfile.ZipFile(wheel).extractall(installed)
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    program = [
        sys.executable,
        "-m",
        "itbench.cli.main",
        "run",
        "--suite",
        "starter",
        "--agent",
        "oracle",
        "--out",
        "run",
        "--json",
    ]
    told = subprocess.run(program, cwd=tmp_path, env=environment, check=True, capture_output=True, text=True, timeout=120)
    domains = {domain["domain"]: domain for domain in json.loads(told.stdout)["agents"][0]["domains"]}
    assert domains["sre"]["metrics"]["root_cause_entity_f1"]["mean"] == 1.0
    assert (installed / "itbench/_data/evaluators/metrics.yaml").is_file()


def test_an_editable_install_leaves_no_copy_of_the_ground_truths() -> None:
    import itbench

    places = [Path(entry) / "itbench" / "_data" for entry in sys.path if entry]
    assert not (Path(itbench.__file__).parent / "_data").exists()
    assert not [place for place in places if place.exists()]
