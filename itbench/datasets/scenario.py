"""One scenario on disk: who it is, where its files lie, and its ground truth when asked."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, model_validator

from itbench.datasets.compliance_folder import tree_hash
from itbench.datasets.truth_file import LoadedTruth, load_ground_truth, parse_ground_truth
from itbench.model.base import Document, Domain, OpenModel
from itbench.model.errors import GroundTruthError
from itbench.model.truth import GroundTruth

# The names in the upstream library of scenarios.
UPSTREAM_TRUTH_FILES = ("groundtruth_v1.yaml", "groundtruth.yaml")
# In order of preference.
TRUTH_FILES = (
    "ground_truth.yaml",
    "ground_truth.yml",
    "ground_truth.json",
    "gt.yaml",
    "gt.yml",
    "gt.json",
    *UPSTREAM_TRUTH_FILES,
)


class EmbeddedTruth(NamedTuple):
    """A ground truth that stands in one line of another file, as in ITBench-AA's data.jsonl."""

    text: str
    line: int


class ScenarioHeader(OpenModel):
    """scenario.yaml of our own scenarios; what else it says is kept, and read by itbench.datasets.scenario_file."""

    schema_version: Literal[1]
    id: str
    domain: Domain = "sre"
    title: str = ""
    complexity: Literal["low", "medium", "high"] | None = None

    @property
    def defines(self) -> bool:
        """Whether it says what to simulate, rather than what was recorded."""
        return not {"application", "organisation"}.isdisjoint(self.model_extra or {})


class Suite(Document):
    """scenarios/suites/<name>.yaml: scenarios that are run together, by name or all of a domain."""

    description: str = ""
    scenarios: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    domain: Domain | None = None

    @model_validator(mode="after")
    def _chooses_in_one_way(self) -> Suite:
        if (self.scenarios is None) == (self.domain is None):
            raise ValueError("scenarios: name them, or give a domain, but not both")
        return self


@dataclass(frozen=True)
class ScenarioFolder:
    """A scenario of a dataset.

    `id` is unique in its dataset. `folder` is None where only a ground truth was published. `truth_path` is the file that
    holds the ground truth (None: there is none), `embedded` the part of it that does, if it holds more. `definition` is
    the scenario.yaml of one that has to be simulated: it has neither data nor a truth yet. `simulated_from` is the same once
    that has been done.
    """

    id: str
    domain: Domain
    folder: Path | None
    truth_path: Path | None = None
    title: str = ""
    complexity: str | None = None
    embedded: EmbeddedTruth | None = None
    definition: Path | None = None
    simulated_from: Path | None = None

    @property
    def place(self) -> Path:
        """The folder, or the file that stands for it in messages."""
        return self.folder or self.truth_path or Path(self.id)

    def truth(self) -> LoadedTruth:
        """The ground truth, read once.

        Raises:
            GroundTruthError: there is none, or it cannot be read.
        """
        return self._truth

    @cached_property
    def _truth(self) -> LoadedTruth:
        if self.domain == "ciso" and self.folder is not None:
            return LoadedTruth(GroundTruth(dialect="ciso", folder=str(self.folder)), (), tree_hash(self.folder))
        if self.definition is not None:
            raise GroundTruthError(
                "this scenario has no ground truth before it is simulated",
                path=self.definition,
                hint=f"Run: itbench scenario simulate {self.id} --out DIR",
            )
        if self.truth_path is None:
            raise GroundTruthError(
                "this scenario has no ground truth", path=self.place, hint=f"Looked for {', '.join(TRUTH_FILES[:4])} …"
            )
        if self.embedded:
            return parse_ground_truth(self.embedded.text, self.truth_path, self.embedded.line)
        return load_ground_truth(self.truth_path)
