"""Scenario index files of the public library, as they are: only what a scenario of ours is made of.

Keys that nobody here knows are kept, so that whoever reads the file can say that it left them out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from itbench.datasets.files import read_bytes
from itbench.datasets.findings import Key, dotted
from itbench.datasets.ids import natural_key
from itbench.datasets.source import MAX_BYTES, Source, read_source
from itbench.model.base import OpenModel
from itbench.model.errors import DatasetError

_HINT = "See docs/upstream.md"
_MOST_FILES = 10_000

# Of a scenario, and without meaning for what happens: what it is for, and the fixes, which the faults know themselves.
_TOLD_ELSEWHERE = frozenset(("$schema", "index", "platforms", "solutions", "name"))


class UpstreamStep(OpenModel):
    """A fault or a waiter."""

    id: str
    args: dict[str, Any] = Field(default_factory=dict)


class UpstreamWaits(OpenModel):
    """The waiters around the faults of a disruption."""

    before: tuple[UpstreamStep, ...] = Field(default=(), alias="preInjection")
    after: tuple[UpstreamStep, ...] = Field(default=(), alias="postInjection")


class UpstreamDisruption(OpenModel):
    """Faults that are injected one after the other."""

    injections: Annotated[tuple[UpstreamStep, ...], Field(min_length=1)]
    waits: UpstreamWaits = Field(default=UpstreamWaits(), alias="waitFor")


class UpstreamApplication(OpenModel):
    """An application and its options."""

    id: str
    args: dict[str, Any] = Field(default_factory=dict)


class UpstreamEnvironment(OpenModel):
    """What runs."""

    applications: Annotated[tuple[UpstreamApplication, ...], Field(min_length=1)]


class UpstreamScenario(OpenModel):
    """A scenario."""

    id: Annotated[int, Field(ge=0)]
    category: Literal["sre", "finops"]
    complexity: Literal["low", "medium", "high"]
    description: str = ""
    alerts: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    environment: UpstreamEnvironment
    disruptions: tuple[UpstreamDisruption, ...] = ()


@dataclass(frozen=True, slots=True)
class UpstreamFile:
    """A scenario that knows where it was written."""

    scenario: UpstreamScenario
    source: Source

    def error(self, key: Key, message: str, hint: str | None = _HINT) -> DatasetError:
        """What is wrong with the value of a key."""
        return DatasetError(message, path=self.source.path, line=self.source.line(key), key=dotted(key) or None, hint=hint)

    def unknown_keys(self) -> Iterator[Key]:
        """Keys that no part of a scenario has."""
        scenario = self.scenario
        for name in scenario.model_extra or {}:
            if name not in _TOLD_ELSEWHERE:
                yield (name,)
        yield from _extra(("environment",), scenario.environment)
        for index, application in enumerate(scenario.environment.applications):
            yield from _extra(("environment", "applications", index), application)
        for index, disruption in enumerate(scenario.disruptions):
            key: Key = ("disruptions", index)
            yield from _extra(key, disruption)
            yield from _extra((*key, "waitFor"), disruption.waits)
            for part, steps in (
                (("injections",), disruption.injections),
                (("waitFor", "preInjection"), disruption.waits.before),
                (("waitFor", "postInjection"), disruption.waits.after),
            ):
                for number, step in enumerate(steps):
                    yield from _extra((*key, *part, number), step)


def read_upstream(path: Path) -> UpstreamFile:
    """The scenario of one index file.

    Raises:
        DatasetError: it cannot be read, or is no scenario of the public library; with path, line and key.
    """
    source = read_source(path)
    if not isinstance(source.value, dict):
        raise DatasetError("no scenario index file of the public library: it is no mapping", path=path, hint=_HINT)
    if "schema_version" in source.value:
        raise DatasetError("a scenario in our own form already", path=path, hint="Nothing has to be imported")
    if "disruptions" not in source.value or "environment" not in source.value:
        message = "no scenario index file of the public library: those have the keys environment and disruptions"
        raise DatasetError(message, path=path, hint=_HINT)
    try:
        return UpstreamFile(UpstreamScenario.model_validate(source.value), source)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        key = problem["loc"]
        message = "is missing" if problem["type"] == "missing" else problem["msg"][:1].lower() + problem["msg"][1:]
        raise DatasetError(message, path=path, line=source.line(key), key=dotted(key) or None, hint=_HINT) from error


def upstream_files(path: Path) -> tuple[Path, ...]:
    """A file itself; of a folder every scenario index file in it or below, in natural order.

    Raises:
        DatasetError: there is no such file or folder, or the folder holds none.
    """
    if not path.is_dir():
        if not path.exists():
            raise DatasetError("there is no such file or folder", path=path)
        return (path,)
    found = []
    for number, item in enumerate(path.rglob("*.json")):
        if number >= _MOST_FILES:
            raise DatasetError(f"more than {_MOST_FILES:,} files", path=path, hint="Give a folder closer to the scenarios")
        if item.is_file() and _looks_like_one(item):
            found.append(item)
    if not found:
        hint = "Give the folder indexes/scenarios of the public library, or one of its files"
        raise DatasetError("no scenario index file here or below", path=path, hint=hint)
    return tuple(sorted(found, key=lambda item: natural_key(str(item))))


def _looks_like_one(path: Path) -> bool:
    """Whether a file is to be read as a scenario: folders of the library hold faults, waiters and applications too.

    A scenario that is broken is to be found, and reported.
    """
    if path.parent.name == "scenarios":
        return True
    content = read_bytes(path, MAX_BYTES)
    return b'"disruptions"' in content and b'"environment"' in content


def _extra(key: Key, model: OpenModel) -> Iterator[Key]:
    for name in model.model_extra or {}:
        yield (*key, name)
