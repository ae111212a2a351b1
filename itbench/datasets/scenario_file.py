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
from itbench.model.errors import DatasetError
from itbench.model.scenario import Scenario

_HINT = "See docs/scenarios.md"
_PLACED = re.compile(r"^((?:[a-z_]+|\[\d+\]|\.)+): ", re.ASCII)


Definition = TypeVar("Definition", bound=Document)


@dataclass(frozen=True, slots=True)
class DefinitionFile(Generic[Definition]):
    """A scenario that knows where it was written."""

    scenario: Definition
    source: Source

    def error(self, key: Key, message: str, hint: str | None = _HINT) -> DatasetError:
        """What is wrong with the value of a key."""
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
    source = read_source(file)
    if not isinstance(source.value, dict):
        raise DatasetError("a scenario is a mapping", path=file, hint=_HINT)
    if source.duplicates:
        key = source.duplicates[0]
        raise DatasetError("appears twice", path=file, line=source.line(key), key=dotted(key), hint=_HINT)
    try:
        return DefinitionFile(kind.model_validate(source.value), source)
    except ValidationError as error:
        # A misspelt key shows twice: as unknown, and as the missing one. The first says more.
        problem = min(error.errors(include_url=False), key=lambda found: found["type"] != "extra_forbidden")
        key, message = _placed(problem["loc"], problem["msg"].removeprefix("Value error, "))
        message = {"extra_forbidden": "unknown key", "missing": "is missing"}.get(problem["type"], message)
        raise DatasetError(message, path=file, line=source.line(key), key=dotted(key) or None, hint=_HINT) from error


def _placed(key: Key, message: str) -> tuple[Key, str]:
    """A rule about several keys says in its message which of them it is about."""
    match = _PLACED.match(message)
    if key or match is None:
        return key, message[:1].lower() + message[1:]
    parts = re.findall(r"[a-z_]+|\d+", match[1])
    return tuple(int(part) if part.isdigit() else part for part in parts), message[match.end() :]
