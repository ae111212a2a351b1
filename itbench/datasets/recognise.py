"""Tell a scenario folder from any other folder, and read what it says about itself."""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from dataclasses import replace
from functools import cache
from pathlib import Path, PurePath

from pydantic import ValidationError

from itbench.bundled import bundled
from itbench.datasets.compliance_folder import solution_path
from itbench.datasets.findings import dotted
from itbench.datasets.ids import canonical_id
from itbench.datasets.inputs import SNAPSHOT_FILES, kind_of_input
from itbench.datasets.scenario import TRUTH_FILES, UPSTREAM_TRUTH_FILES, ScenarioFolder, ScenarioHeader
from itbench.datasets.source import Source, read_source
from itbench.model.base import DOMAINS, Domain
from itbench.model.errors import DatasetError

HEADER = "scenario.yaml"

_SCENARIO_NAME = re.compile(r"scenario[-_ ]?[0-9]+", re.IGNORECASE)
_INPUT_FOLDERS = {pattern.split("/")[0] for patterns in SNAPSHOT_FILES.values() for pattern in patterns if "/" in pattern}


def recognise(folder: Path, files: Collection[str], folders: Collection[str]) -> ScenarioFolder | None:
    """The scenario in `folder`, whose entries are `files` and `folders`; None if it is not a scenario.

    Raises:
        DatasetError: its scenario.yaml is broken.
    """
    header = read_header(folder / HEADER) if HEADER in files else None
    truth = next((folder / name for name in TRUTH_FILES if name in files), None)
    domain = header.domain if header else _domain_of_files(files, folders)
    # An empty folder that is named like a scenario is one that lost its files: better found broken than not found.
    if not (header or truth or domain or (_SCENARIO_NAME.fullmatch(folder.name) and not folders)):
        return None
    if header:
        definition = folder / HEADER if header.defines and truth is None else None
        if header.domain == "ciso":
            truth = solution_path(folder)
        title = header.title or folder.name
        return ScenarioFolder(header.id, header.domain, folder, truth, title, header.complexity, definition=definition)
    scenario = ScenarioFolder(canonical_id(folder.name), "sre", folder, truth, folder.name)
    stated = domain_of_path(folder)
    scenario = replace(scenario, domain=stated or domain or _domain_of_truth(scenario))
    if scenario.domain == "ciso":
        scenario = replace(scenario, truth_path=solution_path(folder))
    is_public = stated is not None or (truth is not None and truth.name in UPSTREAM_TRUTH_FILES)
    return rated(scenario) if is_public else scenario


def rated(scenario: ScenarioFolder) -> ScenarioFolder:
    """A scenario of a public dataset, with the complexity that its authors give SRE scenarios."""
    numbered = scenario.folder is None or _SCENARIO_NAME.fullmatch(scenario.folder.name)
    known = upstream_complexity().get(scenario.id) if numbered and scenario.domain == "sre" else None
    return replace(scenario, complexity=known)


def domain_of_path(folder: Path) -> Domain | None:
    """The domain that ITBench-Lite's layout states: `snapshots/<domain>/<version>/<scenario>`."""
    parts = folder.absolute().parts
    if len(parts) < 4 or parts[-4] != "snapshots":
        return None
    return next((domain for domain in DOMAINS if domain == parts[-3]), None)


def read_header(path: Path) -> ScenarioHeader | None:
    """What scenario.yaml says; None if it is somebody else's file of that name.

    Raises:
        DatasetError: it is ours, but broken.
    """
    source = read_source(path)
    if not isinstance(source.value, dict) or "schema_version" not in source.value:
        return None
    try:
        return ScenarioHeader.model_validate(source.value)
    except ValidationError as error:
        raise invalid(source, error) from error


def invalid(source: Source, error: ValidationError) -> DatasetError:
    """What is wrong with a file of ours, in the terms of its reader."""
    problem = error.errors(include_url=False)[0]
    key = problem["loc"]
    message = problem["msg"].lower()
    return DatasetError(message, path=source.path, line=source.line(key), key=dotted(key), hint="See docs/datasets.md")


@cache
def upstream_complexity() -> dict[str, str]:
    """Complexity by id of the public SRE scenarios, as their authors state it."""
    value = read_source(bundled("scenarios") / "upstream-complexity.yaml").value
    levels = value.get("complexity") if isinstance(value, dict) else None
    return {str(key): str(level) for key, level in levels.items()} if isinstance(levels, dict) else {}


def _domain_of_files(files: Collection[str], folders: Collection[str]) -> Domain | None:
    if "problem.md" in files and "static-resources" in folders:
        return "ciso"
    if "anomaly.json" in files:
        return "finops"
    if any(name in _INPUT_FOLDERS for name in folders) or any(kind_of_input(PurePath(name)) for name in files):
        return "sre"
    return None


def _domain_of_truth(scenario: ScenarioFolder) -> Domain:
    """The domain of a folder that holds nothing but a ground truth."""
    try:
        return "finops" if scenario.truth_path and scenario.truth().truth.dialect == "finops" else "sre"
    except DatasetError:
        return "sre"  # reported when the dataset is checked


def entries(folder: Path) -> tuple[list[str], list[str]]:
    """The names of the files and of the folders in a folder; links count as what they lead to.

    Raises:
        DatasetError: the folder cannot be listed.
    """
    files: list[str] = []
    folders: list[str] = []
    try:
        with os.scandir(folder) as found:
            for entry in found:
                (folders if os.path.isdir(entry) else files).append(entry.name)  # noqa: PTH112 - Path.is_dir raises where a link leads to a forbidden place
    except OSError as error:
        raise DatasetError(f"cannot list this folder ({error.strerror})", path=folder) from error
    return files, folders
