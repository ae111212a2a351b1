"""What a submission says about itself: manifest.json, the agent's card, and the list of all files."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, FiniteFloat, StringConstraints

from itbench.model.base import Document, Model

MANIFEST = "manifest.json"
CONFIGURATION = "run.json"
LOCK = "lock.json"
RESULT = "result.json"
OUTPUT = "agent_output.json"
TRAJECTORY = "trajectory.json"
JUDGE_REPLIES = "judge"


def printable(text: str) -> str:
    """The text itself, if it can stand in a table: no control or direction characters that would forge other cells.

    Raises:
        ValueError: it has such characters.
    """
    if not text.isprintable():
        raise ValueError("holds characters that cannot be printed")
    return text


Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), AfterValidator(printable)]
Link = Annotated[Line, StringConstraints(pattern=r"^https?://[^\s<>\"|()\[\]\\]+$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class AgentCard(Model):
    """The agent in the words of its submitter: what a leaderboard shows and itbench cannot check."""

    name: Line
    organisation: Line
    model: Line = Field(description="language model or models, as the provider names them; `none` without one")
    submitter: Line | None = None
    contact: Line | None = Field(default=None, description="an address that answers questions about the submission")
    url: Link | None = Field(default=None, description="code, paper or issue about the agent")
    cost_usd: FiniteFloat | None = Field(default=None, ge=0, description="mean cost of a trial, if the trials report none")


class FileEntry(Model):
    """One file of the archive, by content."""

    path: str = Field(max_length=400)
    size: int = Field(ge=0, description="bytes, unpacked")
    sha256: Sha256


class Manifest(Document):
    """manifest.json. It lists every other file; what is not listed does not belong."""

    format: Literal["itbench-submission"] = "itbench-submission"
    itbench_version: Line
    label: Line = Field(description="what the run called the agent")
    card: AgentCard
    files: tuple[FileEntry, ...]


def trial_folder(scenario_folder: str, trial: int) -> str:
    """Where the files of one trial lie in the archive."""
    return f"trials/{scenario_folder}/{trial}"


def judge_reply(key: str) -> str:
    """Where a judge's reply lies in the archive."""
    return f"{JUDGE_REPLIES}/{key}.json"
