"""The scenarios that ship with itbench, and any other scenario by its path."""

from __future__ import annotations

from pathlib import Path

from itbench.bundled import bundled
from itbench.datasets.discover import find_scenarios
from itbench.datasets.findings import errors_in
from itbench.datasets.recognise import HEADER
from itbench.datasets.scenario import ScenarioFolder
from itbench.model.base import Domain
from itbench.model.errors import DatasetError, UsageError
from itbench.model.guess import guess


def bundled_scenarios(domain: Domain | None = None) -> tuple[ScenarioFolder, ...]:
    """Every scenario that ships with itbench, by domain and then by id.

    Raises:
        DatasetError: one of them is broken; with path, line and key.
    """
    _, scenarios, findings = find_scenarios(bundled("scenarios"), domain)
    broken = errors_in(findings)
    if broken:
        raise DatasetError("scenarios are broken:\n  " + "\n  ".join(map(str, broken)), path=bundled("scenarios"))
    return scenarios


def locate_scenario(text: str) -> Path:
    """The scenario.yaml of a scenario to be simulated: one that ships, by its id, or any, by its folder or file.

    Raises:
        UsageError: there is none.
    """
    path = Path(text)
    if path.is_dir() and (path / HEADER).is_file():
        return path / HEADER
    if path.is_file():
        return path
    if path.is_dir():
        raise UsageError(f"there is no {HEADER} in this folder", path=path, hint="Name the scenario's own folder")
    scenarios = {scenario.id: scenario for scenario in bundled_scenarios()}
    found = scenarios.get(text)
    if found is None and len(path.parts) > 1:
        raise UsageError("there is no such file or folder", path=path)
    beside = Path("scenarios", text)  # where `itbench scenario new` writes
    if found is None and (beside / HEADER).is_file():
        raise UsageError(f"no scenario {text!r} ships with itbench", hint=f"Did you mean {beside}?")
    if found is None:
        raise UsageError(
            f"there is no scenario {text!r}", hint=f"{guess(text, scenarios)}See: itbench scenario list; or give a path"
        )
    if found.definition is None:
        if found.domain == "ciso":
            hint = f"Read its problem.md; try an answer: itbench ciso try {text} --workdir FOLDER"
            raise UsageError(f"{text!r} is a compliance task: nothing of it is simulated", path=found.place, hint=hint)
        raise UsageError(f"the scenario {text!r} is recorded, not simulated", path=found.place, hint="Its files are there")
    return found.definition
