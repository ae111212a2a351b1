"""Find scenarios: in a published dataset, in any folder of scenario folders, in one scenario, or among those that ship.

One walk finds every layout. A folder that is a scenario (see itbench.datasets.recognise) is not searched further.
"""

from __future__ import annotations

import stat
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from itbench.bundled import bundled
from itbench.datasets.aa import ROWS, read_rows
from itbench.datasets.findings import Finding, dotted, errors_in
from itbench.datasets.ids import natural_key
from itbench.datasets.inputs import agent_visible_files
from itbench.datasets.recognise import domain_of_path, entries, invalid, rated, recognise
from itbench.datasets.scenario import ScenarioFolder, Suite
from itbench.datasets.source import Source, read_source
from itbench.model.base import DOMAINS, Domain
from itbench.model.errors import DatasetError

__all__ = ["Dataset", "Layout", "ScenarioFolder", "agent_visible_files", "load_suite", "open_dataset"]

Layout = Literal["lite", "aa", "scenario", "folder"]

MAX_DEPTH = 8
MAX_FOLDERS = 20_000


@dataclass(frozen=True, slots=True)
class Dataset:
    """The scenarios found at `path`: by domain, then in natural order (2 before 10), with unique ids."""

    path: Path
    layout: Layout
    scenarios: tuple[ScenarioFolder, ...]
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> tuple[Finding, ...]:
        """What must be mended before anything can be scored against this dataset."""
        return errors_in(self.findings)


def open_dataset(path: Path, domain: Domain | None = None) -> Dataset:
    """Find every scenario at or below `path` (of one domain, if one is given), and read every ground truth.

    A scenario that is broken is an error among the findings, so that it does not hide the others.

    Raises:
        DatasetError: the folder is missing, not a folder, empty, or holds no scenario at all.
    """
    layout, scenarios, findings = find_scenarios(path, domain)
    for scenario in scenarios:
        findings += truth_findings(scenario)
    return Dataset(path, layout, scenarios, tuple(sorted(findings)))


def truth_findings(scenario: ScenarioFolder) -> tuple[Finding, ...]:
    """What is wrong with a scenario's ground truth. CISO tasks have none to check, those to be simulated none yet."""
    if scenario.domain == "ciso" or scenario.definition is not None:
        return ()
    try:
        return scenario.truth().findings
    except DatasetError as error:
        return (Finding.of(error, scenario.place),)


def find_scenarios(path: Path, domain: Domain | None = None) -> tuple[Layout, tuple[ScenarioFolder, ...], list[Finding]]:
    """As `open_dataset`, without reading ground truths (except where only they can tell the domain).

    Raises:
        DatasetError: as `open_dataset`.
    """
    _refuse_what_is_no_folder(path)
    findings: list[Finding] = []
    found = [scenario for scenario in _walk(path, findings) if domain in (None, scenario.domain)]
    if not found and not findings:
        of_domain = f"no {domain} scenario" if domain else "no scenario"
        raise DatasetError(f"{of_domain} found here or below", path=path, hint=_LOOKED_FOR)
    scenarios = sorted(_with_unique_ids(found, findings), key=lambda it: (DOMAINS.index(it.domain), natural_key(it.id)))
    return _layout(path, found), tuple(scenarios), findings


_LOOKED_FOR = (
    "Looked for folders that hold a ground_truth.yaml, snapshot files (*events*.tsv, alerts/, metrics/ …), "
    "anomaly.json, problem.md with static-resources/, or scenario.yaml, and for ITBench-AA's data.jsonl. "
    "To fetch the public scenarios: itbench dataset pull lite"
)


def _refuse_what_is_no_folder(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        missing = isinstance(error, FileNotFoundError | NotADirectoryError)
        message = "there is no such folder" if missing else f"cannot be opened ({error})"
        raise DatasetError(message, path=path, hint="To fetch the public scenarios: itbench dataset pull lite") from error
    if not stat.S_ISDIR(mode):
        hint = "Give the folder that holds it"
        raise DatasetError("a file, where a folder of scenarios is expected", path=path, hint=hint)
    if not any(entries(path)):
        raise DatasetError("the folder is empty", path=path, hint=_LOOKED_FOR)


def _walk(root: Path, findings: list[Finding]) -> Iterator[ScenarioFolder]:
    queue, seen = deque([(root, 0)]), set()
    while queue:
        folder, depth = queue.popleft()
        real = folder.resolve()
        if real in seen:  # two links to one folder, or a circle
            continue
        seen.add(real)
        if len(seen) > MAX_FOLDERS:
            raise DatasetError(f"more than {MAX_FOLDERS:,} folders", path=root, hint="Give a folder closer to the scenarios")
        files, folders = entries(folder)
        try:
            scenario = recognise(folder, files, folders)
        except DatasetError as error:
            findings.append(Finding.of(error, folder))
            continue
        if scenario:
            yield scenario
        elif ROWS in files and (rows := read_rows(folder / ROWS, findings)):
            yield from _join(rows, folder, folders, findings)
        elif depth < MAX_DEPTH:
            queue += [(folder / name, depth + 1) for name in sorted(folders, key=natural_key) if not name.startswith(".")]


def _join(
    rows: Iterable[ScenarioFolder], parent: Path, folders: Iterable[str], findings: list[Finding]
) -> Iterator[ScenarioFolder]:
    """Rows of ITBench-AA with the folders beside them; either may be missing, and a broken one hides no other."""
    beside: dict[str, ScenarioFolder] = {}
    for name in sorted(folders, key=natural_key):
        try:
            scenario = recognise(parent / name, *entries(parent / name))
        except DatasetError as error:
            findings.append(Finding.of(error, parent / name))
            continue
        if scenario:
            beside[scenario.id] = scenario
    for row in rows:
        data = beside.pop(row.id, None)
        yield rated(replace(row, folder=data.folder if data else None))
    yield from map(rated, beside.values())


def _with_unique_ids(found: Iterable[ScenarioFolder], findings: list[Finding]) -> list[ScenarioFolder]:
    """Ids are made longer only where two scenarios share one."""
    scenarios = list(found)
    longer: tuple[Callable[[ScenarioFolder], str], ...] = (
        lambda it: f"{it.domain}-{it.id}",
        lambda it: f"{it.place.parent.name}-{it.id}",
    )
    for lengthen in longer:
        counts = Counter(scenario.id for scenario in scenarios)
        scenarios = [replace(it, id=lengthen(it)) if counts[it.id] > 1 else it for it in scenarios]
    for name, count in Counter(scenario.id for scenario in scenarios).items():
        if count > 1:
            places = [scenario.place for scenario in scenarios if scenario.id == name]
            message = f"{count} scenarios have the id {name!r}, another one in {places[0]}"
            findings.append(Finding(severity="error", path=str(places[-1]), message=message))
    return scenarios


def _layout(root: Path, found: Iterable[ScenarioFolder]) -> Layout:
    folders = [scenario.folder for scenario in found if scenario.folder]
    if any(scenario.embedded for scenario in found):
        return "aa"
    if folders == [root]:
        return "scenario"
    if any(domain_of_path(folder) for folder in folders):
        return "lite"
    return "folder"


def load_suite(name: str) -> tuple[ScenarioFolder, ...]:
    """The scenarios of a suite that ships with itbench: those that scenarios/suites/<name>.yaml names, in its order, or all
    of its domain.

    Raises:
        DatasetError: there is no such suite, it names a scenario that does not exist, or one of its ground truths is broken.
    """
    known = suite_names()
    path = bundled("scenarios") / "suites" / f"{name}.yaml"
    if name not in known:
        raise DatasetError(f"there is no suite {name!r}", hint=f"Suites: {', '.join(known) or 'none'}")
    source = read_source(path)
    try:
        suite = Suite.model_validate(source.value)
    except ValidationError as error:
        raise invalid(source, error) from error
    _, available, findings = find_scenarios(bundled("scenarios"))
    chosen = tuple(scenario for scenario in available if scenario.domain == suite.domain) or _named(suite, source, available)
    broken = errors_in([*findings, *(finding for scenario in chosen for finding in truth_findings(scenario))])
    if broken:
        raise DatasetError(f"the suite {name} has errors:\n  " + "\n  ".join(map(str, broken)), path=path)
    return chosen


def _named(suite: Suite, source: Source, available: Iterable[ScenarioFolder]) -> tuple[ScenarioFolder, ...]:
    """The scenarios that a suite names, in its order."""
    by_id = {scenario.id: scenario for scenario in available}
    names = suite.scenarios or ()
    for index, item in enumerate(names):
        if item not in by_id:
            key = ("scenarios", index)
            message = f"there is no scenario {item!r}"
            raise DatasetError(message, path=source.path, line=source.line(key), key=dotted(key))
    return tuple(by_id[item] for item in names)


def suite_names() -> tuple[str, ...]:
    """The suites that ship with itbench."""
    return tuple(sorted(path.stem for path in (bundled("scenarios") / "suites").glob("*.yaml")))
