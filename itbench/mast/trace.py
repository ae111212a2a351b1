"""A trace: a trajectory, and what is known about the trial that it is of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import Field, FiniteFloat

from itbench.model.base import Document, Domain
from itbench.model.trajectory import Trajectory


class TraceInfo(Document):
    """trace.json: where a trace comes from, and how its trial ended, as far as that is known."""

    kind: Literal["mast-trace"] = "mast-trace"
    trace: str = Field(description="its name, unique in the folder it was imported to")
    source: str = Field(description="the file it was read from")
    format: str
    agent: str = Field(description="label of the agent or model that reports group by")
    scenario: str | None = None
    trial: int | None = None
    domain: Domain | None = None
    complexity: str | None = None
    answer: Literal["present", "missing", "unknown"] = Field(
        description="unknown where nothing says that an answer file was asked for"
    )
    cause: str | None = Field(default=None, description="why the trial is unscored, as in result.json")
    metrics: dict[str, FiniteFloat] = Field(default_factory=dict)
    malformed: int = Field(default=0, ge=0, description="records that were left out")


@dataclass(frozen=True, slots=True)
class Trace:
    """One trace. `output` is the text of its answer, None where there is none or it is not known."""

    info: TraceInfo
    trajectory: Trajectory
    output: str | None = None
