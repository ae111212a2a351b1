"""Look for everything that is wrong with a dataset, and describe what is in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from pydantic import Field

from itbench.datasets import file_checks
from itbench.datasets.cost_checks import TABLES, check_cost_table
from itbench.datasets.cost_scenario_file import is_cost_scenario, read_cost_scenario
from itbench.datasets.discover import Layout, open_dataset
from itbench.datasets.findings import Finding
from itbench.datasets.inputs import SNAPSHOT_FILES, agent_visible_files, kind_of_input, refused_links
from itbench.datasets.recognise import HEADER
from itbench.datasets.scenario import ScenarioFolder
from itbench.datasets.scenario_file import read_scenario
from itbench.model.base import Document, Domain, Model
from itbench.model.errors import DatasetError

# Counting rows means reading the file; beyond this size that is not worth it for a description.
_CHEAP_BYTES = 5_000_000

_FINOPS_FILES = ("anomaly.json", "data.csv")
_CISO_SOLUTION = "static-resources-compliant"


class ScenarioInfo(Model):
    """What there is of one scenario. Sizes are bytes of the files that agents see; `rows` is None if counting is dear."""

    id: str
    domain: Domain
    title: str
    complexity: str | None
    folder: str | None
    dialect: str | None = Field(description="of the ground truth; None if there is none that can be read")
    roots: int = Field(description="root causes, or FinOps resources, in the ground truth")
    files: int
    bytes: int
    rows: int | None
    missing: tuple[str, ...] = Field(description="kinds of input that are not there")


class DatasetInfo(Document):
    """What is in a dataset."""

    path: str
    layout: Layout
    domains: dict[str, int] = Field(description="scenarios by domain")
    bytes: int
    errors: int
    warnings: int
    scenarios: tuple[ScenarioInfo, ...]


def validate(path: Path) -> tuple[Finding, ...]:
    """Everything that is wrong with a dataset: layout, ground truths, and each file that agents see. Worst first.

    Raises:
        DatasetError: there is no dataset at all.
    """
    dataset = open_dataset(path)
    found = list(dataset.findings)
    for scenario in dataset.scenarios:
        found += check_inputs(scenario)
    return tuple(sorted(found))


def info(path: Path) -> DatasetInfo:
    """What is in a dataset, without checking its files.

    Raises:
        DatasetError: there is no dataset at all.
    """
    dataset = open_dataset(path)
    scenarios = tuple(_describe(scenario) for scenario in dataset.scenarios)
    severities = Counter(finding.severity for finding in dataset.findings)
    return DatasetInfo(
        path=str(path),
        layout=dataset.layout,
        domains=dict(Counter(scenario.domain for scenario in scenarios)),
        bytes=sum(scenario.bytes for scenario in scenarios),
        errors=severities["error"],
        warnings=severities["warning"],
        scenarios=scenarios,
    )


def check_inputs(scenario: ScenarioFolder) -> Iterator[Finding]:
    """What is wrong with the files of a scenario that agents see; of one to be simulated, with its definition."""
    if scenario.definition is not None:
        try:
            if is_cost_scenario(scenario.definition):
                read_cost_scenario(scenario.definition)
            else:
                read_scenario(scenario.definition)
        except DatasetError as error:
            yield Finding.of(error, scenario.definition)
        return
    for link in refused_links(scenario):
        message = "a link to a folder, to nothing or out of the scenario, or no regular file; agents will not see it"
        yield Finding(severity="warning", path=str(link), message=message)
    for relative, path in agent_visible_files(scenario):
        yield from _check_file(scenario.domain, relative, path)
    if not agent_visible_files(scenario):
        message = "only a ground truth, no data: agents that investigate cannot run on it (oracle, nop and replay can)"
        yield Finding(severity="info", path=str(scenario.place), message=message)
    elif missing := missing_inputs(scenario):
        yield Finding(severity="info", path=str(scenario.place), message=f"no {', '.join(missing)}")


def missing_inputs(scenario: ScenarioFolder) -> tuple[str, ...]:
    """The kinds of input that a scenario does not have."""
    seen = [relative for relative, _ in agent_visible_files(scenario)]
    if scenario.domain == "sre":
        kinds = {kind_of_input(relative) for relative in seen}
        return tuple(kind for kind in SNAPSHOT_FILES if kind not in kinds and kind != "topology")
    if scenario.domain == "finops":
        return tuple(name for name in _FINOPS_FILES if Path(name) not in seen)
    folders = {relative.parts[0] for relative in seen}
    wanted = [name for name in ("problem.md", "static-resources") if name not in folders]
    made = scenario.folder is not None and (scenario.folder / HEADER).is_file()  # its other sets are made from there
    if scenario.folder and not made and not (scenario.folder / _CISO_SOLUTION).is_dir():
        wanted.append(_CISO_SOLUTION)
    return tuple(wanted)


def _check_file(domain: Domain, relative: Path, path: Path) -> Iterator[Finding]:
    kind = kind_of_input(relative) if domain == "sre" else relative.name
    match kind:
        case "alerts":
            yield from file_checks.check_alerts(path)
        case "topology":
            yield from file_checks.check_topology(path)
        case "anomaly.json":
            yield from file_checks.check_anomaly(path)
        case str() if domain == "finops" and kind in TABLES:
            yield from check_cost_table(path)
        case str() if domain == "sre":
            yield from file_checks.check_table(path, kind)


def _describe(scenario: ScenarioFolder) -> ScenarioInfo:
    files = agent_visible_files(scenario)
    size = sum(path.stat().st_size for _, path in files)
    tables = [path for relative, path in files if relative.suffix == ".tsv"]
    try:
        truth = scenario.truth().truth if scenario.domain != "ciso" else None
    except DatasetError:  # open_dataset has reported it
        truth = None
    return ScenarioInfo(
        id=scenario.id,
        domain=scenario.domain,
        title=scenario.title,
        complexity=scenario.complexity,
        folder=str(scenario.folder) if scenario.folder else None,
        dialect=truth.dialect if truth else None,
        roots=len(truth.roots) + len(truth.resources) if truth else 0,
        files=len(files),
        bytes=size,
        rows=sum(map(file_checks.count_rows, tables)) if size <= _CHEAP_BYTES else None,
        missing=missing_inputs(scenario),
    )
