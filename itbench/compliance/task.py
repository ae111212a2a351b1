"""A compliance task on disk: one of ours, or a folder of the public dataset.

| | ours | public |
|---|---|---|
| who it is | scenario.yaml | the folder's name |
| what agents see | problem.md, static-resources/ (one violating set) | the same |
| policies to change (`kyverno-update`) | policies/ | none |
| further sets | made from scenario.yaml | static-resources-compliant/, static-resources-violation-*/ |
| hidden sets | drawn with a seed | none |
| solution | reference/ | ground-truth/, if there is one |
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path

from pydantic import ValidationError

from itbench.bundled import bundled
from itbench.compliance.asked import PROBLEM, Asked, given_policies
from itbench.compliance.collecting import COLLECTORS
from itbench.compliance.definition import TaskDefinition
from itbench.compliance.variants import Variant, hidden, published
from itbench.datasets.compliance_folder import read_tree, solution_path
from itbench.datasets.findings import dotted
from itbench.datasets.source import read_source
from itbench.model.compliance import Side
from itbench.model.errors import DatasetError, UsageError

DEFINITION = "scenario.yaml"
VISIBLE = "static-resources"
COMPLIANT = "static-resources-compliant"
VIOLATION = "static-resources-violation-"


@dataclass(frozen=True, slots=True)
class ComplianceTask:
    """One task. `definition` is None for a public folder."""

    folder: Path
    definition: TaskDefinition | None

    def asked(self) -> Asked:
        """The form of an answer."""
        if self.definition is None:
            return Asked()
        kind = self.definition.kind
        given = given_policies(self.folder) if kind == "kyverno-update" else ""
        return Asked(kind, self.definition.policy_kind, given, self.definition.changed)

    def variants(self, seed: int) -> tuple[Variant, ...]:
        """Every set to try an answer on: what agents see first, then the other published ones, then hidden ones.

        Raises:
            DatasetError: a set is missing, cannot be read or cannot be made.
        """
        seen = self.visible()
        if self.definition is not None:
            return (seen, *_made(self.definition.model_dump_json(), seed))
        further = sorted(
            entry.name for entry in self.folder.iterdir() if entry.is_dir() and entry.name.startswith(VIOLATION)
        )
        sides: dict[str, Side] = {**dict.fromkeys(further, "violating"), COMPLIANT: "compliant"}
        if not (self.folder / COMPLIANT).is_dir():
            hint = "Without a compliant set nobody can tell whether a policy accepts anything"
            raise DatasetError(f"this task has no {COMPLIANT}/", path=self.folder, hint=hint)
        return (seen, *(Variant(name, side, read_tree(self.folder / name)) for name, side in sides.items()))

    def visible(self) -> Variant:
        """The set that agents see, which breaks the requirement."""
        return Variant(VISIBLE, "violating", read_tree(self.folder / VISIBLE))

    def solution(self) -> Mapping[str, str] | None:
        """The reference solution's files; None if there is none. A task of ours need not say how its data are collected."""
        policy = solution_path(self.folder)
        if policy is None:
            return None
        usual = COLLECTORS.get(self.definition.kind) if self.definition is not None else None
        own = {path: content.decode() for path, content in read_tree(policy.parent).items() if "/" not in path}
        return (dict([usual]) if usual else {}) | own

    def problem(self) -> str:
        """The requirement in words."""
        return (self.folder / PROBLEM).read_text(encoding="utf-8")


@lru_cache(maxsize=128)  # of one run: all its agents are tried on the same sets, about 0.5 MB of them for a task
def _made(definition: str, seed: int) -> tuple[Variant, ...]:
    """All sets that are made from a definition, which is JSON, but the visible one."""
    task = TaskDefinition.model_validate_json(definition)
    return (*islice(published(task), 1, None), *hidden(task, seed))


def read_task(folder: Path) -> ComplianceTask:
    """The task in a folder.

    Raises:
        DatasetError: it is none, or its scenario.yaml is broken; with path, line and key.
    """
    if not (folder / VISIBLE).is_dir():
        raise DatasetError(f"a compliance task has a folder {VISIBLE}/", path=folder, hint="See docs/write-a-ciso-task.md")
    path = folder / DEFINITION
    return ComplianceTask(folder, read_definition(path) if path.is_file() else None)


def locate_task(text: str) -> ComplianceTask:
    """A task that ships, by its id, or any, by its folder.

    Raises:
        UsageError: there is none.
        DatasetError: as `read_task`.
    """
    path = Path(text)
    if not path.is_dir():
        path = bundled("scenarios") / "ciso" / text
        if not (text.isascii() and text.replace("-", "").isalnum() and path.is_dir()):
            raise UsageError(f"there is no compliance task {text!r}", hint="See: itbench scenario list --domain ciso")
    return read_task(path)


def read_definition(path: Path) -> TaskDefinition:
    """The definition in a scenario.yaml.

    Raises:
        DatasetError: it is broken; with path, line and key.
    """
    source = read_source(path)
    try:
        return TaskDefinition.model_validate(source.value)
    except ValidationError as error:
        problem = min(error.errors(include_url=False), key=lambda found: found["type"] != "extra_forbidden")
        key, message = problem["loc"], problem["msg"].removeprefix("Value error, ")
        hint = "See docs/write-a-ciso-task.md"
        raise DatasetError(message, path=path, line=source.line(key), key=dotted(key) or None, hint=hint) from error
