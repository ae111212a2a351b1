"""Whether an author's words are about what was measured: a `wording` may rename a step of the chain, but not make one."""

from __future__ import annotations

from collections.abc import Iterator

from itbench.authoring.quiet import told as listed
from itbench.authoring.rehearsal import Exhibit
from itbench.datasets.scenario_file import ScenarioFile
from itbench.model.errors import DatasetError
from itbench.model.truth import Group
from itbench.twin.incident.truth import told


def contradiction(file: ScenarioFile, found: Exhibit) -> DatasetError | None:
    """The first wording that contradicts the measurement, with path, line and key; None if all are about measured steps."""
    steps = dict.fromkeys(_steps(found))
    for index, wording in enumerate(file.scenario.wording):
        if (wording.source, wording.target) in steps:
            continue
        near = [step for step in steps if wording.source in step or wording.target in step] or list(steps)
        measured = listed([f"{source} to {target}" for source, target in near]) if near else "none"
        return file.error(
            ("wording", index),
            f"no step from {wording.source} to {wording.target} is measured",
            f"Those that are measured: {measured}.",
        )
    return None


def _steps(found: Exhibit) -> Iterator[tuple[str, str]]:
    groups = found.truth.by_id
    for step in found.truth.propagations:
        if step.source in groups and step.target in groups:
            yield _told(groups[step.source]), _told(groups[step.target])


def _told(group: Group) -> str:
    return told(group.kind, group.filter[0] if group.filter else group.name or group.id)
