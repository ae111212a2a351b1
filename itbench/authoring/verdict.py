"""What a check of a scenario found, as it is printed and written with --json."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field

from itbench.model.base import Document, Model
from itbench.model.cost_scenario import CostScenario
from itbench.model.scenario import Scenario

CheckName = Literal["plan", "healthy", "manifests", "scores", "undo", "leaks", "observable", "seeds", "repair", "repeats"]
TITLES: dict[CheckName, str] = {
    "plan": "can be played as written",
    "healthy": "quiet without its faults",
    "manifests": "the faults show",
    "scores": "solvable, and not trivial",
    "undo": "can be taken back",
    "leaks": "gives nothing away",
    "observable": "the root can be seen",
    "seeds": "seeds agree",
    "repair": "fixes repair, shams do not",
}
"""The checks of an incident in their order, and what each proves."""
COST_TITLES: dict[CheckName, str] = {
    "plan": "can be simulated as written",
    "repeats": "equal seeds give equal bills",
    "manifests": "somebody notices",
    "scores": "solvable, and not trivial",
    "leaks": "gives nothing away",
    "observable": "what is to be named is in the bill",
    "seeds": "seeds agree",
    "repair": "the best repair pays and harms nobody",
}
"""Those of a bill."""

Number = float | int | str | bool | None | list[str]
Trial = Literal["nothing", "fix", "sham"]


class Check(Model):
    """One check.

    Attributes:
        evidence: in one line; of a check that failed, what is wrong.
        remedy: what the author can do; empty if it passed.
        numbers: what it was judged by.
    """

    name: CheckName
    passed: bool
    evidence: str
    remedy: str = ""
    numbers: dict[str, Number] = Field(default_factory=dict)


class Repair(Model):
    """One attempt to repair the incident while it goes on.

    Attributes:
        trial: `fix` must repair it; `nothing` and `sham` must not.
        text: what was done.
        resolved: whether the incident was over at the end.
        restored_after, cleared_after: seconds until all services served again and until the last alert was gone; None if
            they were not.
        passed: whether that is as it should be.
        evidence: the times, or what is still wrong.
    """

    trial: Trial
    text: str
    resolved: bool
    restored_after: float | None = None
    cleared_after: float | None = None
    passed: bool
    evidence: str


class ScenarioReport(Document):
    """All that was checked of one scenario; checks that another one's failure made impossible are left out.

    Attributes:
        scenario: its id, or the path of a file that could not be read.
        seeds: those that were played.
    """

    scenario: str
    title: str = ""
    passed: bool
    seeds: tuple[int, ...] = ()
    checks: tuple[Check, ...] = ()
    repairs: tuple[Repair, ...] = ()

    @property
    def failures(self) -> tuple[Check, ...]:
        """What did not pass."""
        return tuple(check for check in self.checks if not check.passed)

    @classmethod
    def of(
        cls,
        path: Path,
        scenario: Scenario | CostScenario | None,
        seeds: tuple[int, ...],
        checks: Sequence[Check],
        repairs: tuple[Repair, ...],
    ) -> ScenarioReport:
        """The report; `scenario` is None where its file cannot be read."""
        return cls(
            scenario=str(path) if scenario is None else scenario.id,
            title="" if scenario is None else scenario.title,
            passed=all(check.passed for check in checks),
            seeds=seeds,
            checks=tuple(checks),
            repairs=repairs,
        )
