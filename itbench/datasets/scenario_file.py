"""Read our own scenario.yaml into a `Scenario`. What is wrong with it is one message with file, line and key."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import ValidationError

from itbench.datasets.findings import Key, dotted
from itbench.datasets.source import Source, read_source
from itbench.model.base import Document
from itbench.model.cost_scenario import CostScenario
from itbench.model.errors import DatasetError
from itbench.model.guess import guess
from itbench.model.scenario import Scenario

_GUIDES: dict[type[Document], str] = {Scenario: "docs/scenarios.md", CostScenario: "docs/finops-twin.md"}
_PLACED = re.compile(r"^((?:[a-z_]+|\[\d+\]|\.)+): ", re.ASCII)


Definition = TypeVar("Definition", bound=Document)


@dataclass(frozen=True, slots=True)
class DefinitionFile(Generic[Definition]):
    """A scenario that knows where it was written."""

    scenario: Definition
    source: Source

    def error(self, key: Key, message: str, hint: str | None = None) -> DatasetError:
        """What is wrong with the value of a key; without a hint, where its guide is."""
        hint = hint or _guide(type(self.scenario))
        return DatasetError(message, path=self.source.path, line=self.source.line(key), key=dotted(key) or None, hint=hint)


ScenarioFile = DefinitionFile[Scenario]
"""An SRE scenario that knows where it was written."""


def read_scenario(path: Path) -> ScenarioFile:
    """The scenario in a file, or in the scenario.yaml of a folder.

    Raises:
        DatasetError: it cannot be read, or breaks a rule of the schema; with path, line and key.
    """
    return read_definition(path, Scenario)


def read_definition(path: Path, kind: type[Definition]) -> DefinitionFile[Definition]:
    """The scenario of a kind in a file, or in the scenario.yaml of a folder.

    Raises:
        DatasetError: it cannot be read, or breaks a rule of the schema; with path, line and key.
    """
    file = path / "scenario.yaml" if path.is_dir() else path
    source, guide = read_source(file), _guide(kind)
    if not isinstance(source.value, dict):
        raise DatasetError("a scenario is a mapping", path=file, hint=guide)
    if source.duplicates:
        key = source.duplicates[0]
        raise DatasetError("appears twice", path=file, line=source.line(key), key=dotted(key), hint=guide)
    try:
        return DefinitionFile(kind.model_validate(source.value), source)
    except ValidationError as error:
        # A misspelt key shows twice: as unknown, and as the missing one. The first says more.
        problem = min(error.errors(include_url=False), key=lambda found: found["type"] != "extra_forbidden")
        key, message = _placed(_as_written(problem["loc"], source.value), problem["msg"].removeprefix("Value error, "))
        message = {"extra_forbidden": "unknown key", "missing": "is missing"}.get(problem["type"], message)
        if message == "unknown key" and len(key) == 1:
            guide = guess(str(key[-1]), kind.model_fields) + guide
        raise DatasetError(message, path=file, line=source.line(key), key=dotted(key) or None, hint=guide) from error


def _guide(kind: type[Document]) -> str:
    return f"See {_GUIDES[kind]}" if kind in _GUIDES else "See docs/scenarios.md"


def _as_written(key: Key, value: object) -> Key:
    """Without the variant of a union, such as a cause's class, that pydantic puts among the keys of the file."""
    kept: list[str | int] = []
    for place, part in enumerate(key):
        if isinstance(value, dict) and part not in value and place + 1 < len(key):
            continue
        kept.append(part)
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            value = None
    return tuple(kept)


def _placed(key: Key, message: str) -> tuple[Key, str]:
    """A rule about several keys says in its message which of them it is about."""
    match = _PLACED.match(message)
    if key or match is None:
        return key, message[:1].lower() + message[1:]
    parts = re.findall(r"[a-z_]+|\d+", match[1])
    return tuple(int(part) if part.isdigit() else part for part in parts), message[match.end() :]
