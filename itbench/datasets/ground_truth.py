"""Ground truths: of one file (see itbench.datasets.truth_file), or all that `itbench score --ground-truth` is given."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import JsonValue

from itbench.datasets.discover import find_scenarios, truth_findings
from itbench.datasets.findings import errors_in
from itbench.datasets.ids import canonical_id
from itbench.datasets.source import Source, read_source
from itbench.datasets.truth_file import LoadedTruth, load_ground_truth, read_truth, truth_errors
from itbench.model.base import Domain
from itbench.model.errors import DatasetError, GroundTruthError

__all__ = ["LoadedTruth", "load_ground_truth", "load_ground_truths"]

LIST_FILE = "ground_truths.json"


def load_ground_truths(path: Path, domain: Domain | None = None) -> dict[str, LoadedTruth]:
    """Ground truths by canonical incident id (`Scenario-12` is `12`), in natural order for datasets.

    Args:
        path: a file with one ground truth or a list of them, a folder with ground_truths.json, or any dataset.
        domain: of a dataset, only the scenarios of this domain.

    Raises:
        DatasetError: nothing is there, or any ground truth is broken; all that are, are named.
    """
    file = path if path.is_file() else path / LIST_FILE
    truths = dict(_from_file(file)) if file.is_file() else dict(_from_dataset(path, domain))
    if not truths:
        raise DatasetError("no ground truth found here or below", path=path)
    broken = errors_in([finding for loaded in truths.values() for finding in loaded.findings])
    if broken:
        raise GroundTruthError("these ground truths have errors:\n  " + "\n  ".join(map(str, broken)), path=path)
    return truths


def _from_file(path: Path) -> Iterator[tuple[str, LoadedTruth]]:
    with truth_errors():
        source = read_source(path)
    if not isinstance(source.value, list):
        yield _id_of(source.value) or canonical_id(path.absolute().parent.name), read_truth(source, source.value)
        return
    seen: dict[str, int] = {}
    for index, document in enumerate(source.value):
        loaded = read_truth(source, document, (index,))
        name = _id_of(document)
        if name is None:
            raise _wrong_item(source, index, "a ground truth in a list needs an id")
        if name in seen:
            raise _wrong_item(source, index, f"the id {name!r} is taken by item {seen[name]}")
        seen[name] = index
        yield name, loaded


def _from_dataset(path: Path, domain: Domain | None) -> Iterator[tuple[str, LoadedTruth]]:
    _, scenarios, findings = find_scenarios(path, domain)
    findings += [finding for scenario in scenarios for finding in truth_findings(scenario)]
    broken = errors_in(findings)
    if broken:
        raise GroundTruthError("the dataset has errors:\n  " + "\n  ".join(map(str, broken)), path=path)
    for scenario in scenarios:
        if scenario.domain != "ciso" or domain == "ciso":
            yield scenario.id, scenario.truth()


def _id_of(document: JsonValue) -> str | None:
    """What a ground truth calls itself: `id`, `scenario_id`, the reference's `_dir_name`, or its envelope's name."""
    if not isinstance(document, dict):
        return None
    metadata = document.get("metadata")
    names = [document.get(key) for key in ("id", "scenario_id", "_dir_name")]
    names.append(metadata.get("name") if isinstance(metadata, dict) else None)
    return next((canonical_id(str(name)) for name in names if isinstance(name, str | int) and str(name)), None)


def _wrong_item(source: Source, index: int, message: str) -> GroundTruthError:
    return GroundTruthError(message, path=source.path, line=source.line((index,)), key=f"[{index}]")
