"""A run's configuration and the record of each trial."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, FiniteFloat

from itbench.model.base import Document, Domain, Model
from itbench.model.outcome import Outcome, Score
from itbench.model.task import Budget

Isolation = Literal["bubblewrap", "landlock", "none", "in-process", "container", "remote"]
IsolationChoice = Literal["auto", "bubblewrap", "landlock", "none"]
EnvironmentName = Literal["snapshot", "twin", "hybrid", "kind"]
TaskName = Literal["diagnose", "repair"]


class AgentConfig(Model):
    """An agent of a run: `spec` is what the user typed, `label` what the reports call it."""

    spec: str
    label: str


class JudgeConfig(Model):
    """The language model that reads prose, if there is one. Address and key come from the environment."""

    model: str = Field(min_length=1, max_length=200)
    votes: int = Field(default=3, ge=1, le=25, description="how often each question is asked")
    cross_check: bool = Field(default=False, description="also ask whether it would match entities as the matcher does")


class RunConfig(Document):
    """Everything that decides what a run does. Two runs with equal configurations and locks ask the same questions."""

    dataset: str | None = Field(default=None, description="path of the dataset, None with a suite")
    suite: str | None = None
    scenarios: tuple[str, ...] = Field(description="ids, in order")
    agents: tuple[AgentConfig, ...]
    environment: EnvironmentName = "snapshot"
    task: TaskName = Field(default="repair", description="what is asked for in a live environment")
    trials: int = Field(default=1, ge=1)
    parallel: int = Field(default=1, ge=1)
    seed: int = Field(default=0, ge=0)
    budget: Budget = Budget()
    policy: str = Field(default="reference", description="entity matching policy")
    namespace_filter: bool = Field(default=False, description="leave out predictions in the rules' excluded_namespaces")
    network: bool = True
    isolation: IsolationChoice = "auto"
    expose: tuple[str, ...] = Field(default=(), description="paths that agents see although they are hidden by default")
    unprotected: bool = Field(
        default=False, description="scripts in answers to compliance tasks run without a sandbox where there is none"
    )
    notices: tuple[str, ...] = Field(default=(), description="what a reader must know, such as scenarios left out")
    node_image: str | None = Field(
        default=None, description="of the nodes of a kind cluster; null leaves the choice to itbench"
    )
    agent_env: tuple[str, ...] = Field(default=(), description="names of environment variables passed to agents")
    record: str | None = Field(default=None, description="folder into which the traffic of llm: agents is recorded")
    replay: str | None = Field(default=None, description="folder from which the traffic of llm: agents is replayed")
    judge: JudgeConfig | None = Field(default=None, description="who grades reasons in prose; None leaves them unjudged")


class Usage(Model):
    """What an agent says it used."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cost_usd: FiniteFloat | None = Field(default=None, ge=0)


class Timing(Model):
    """When a trial ran: ISO 8601 UTC, and seconds."""

    started_at: str
    wall_seconds: FiniteFloat = Field(ge=0)
    agent_seconds: FiniteFloat = Field(ge=0)


class TrialRecord(Document):
    """result.json: one trial of one agent on one scenario."""

    agent: str
    scenario: str
    domain: Domain
    trial: int = Field(ge=0, description="from 1; public outputs may count from 0")
    attempt: int = Field(default=1, ge=1, description="2 if one earlier attempt is kept under attempts/")
    seed: int
    outcome: Outcome
    scores: dict[str, Score] = Field(default_factory=dict, description="by criterion")
    complexity: str | None = None
    isolation: Isolation = "in-process"
    timing: Timing
    usage: Usage = Usage()
    output_sha256: str | None = None
    repairs: tuple[str, ...] = Field(default=(), description="lossless repairs that made the answer readable")
    warnings: tuple[str, ...] = ()
    evaluation: dict[str, str] = Field(default_factory=dict, description="evaluator name, version and policy")

    @property
    def metrics(self) -> dict[str, float]:
        """All judged metric values, flat."""
        return {key: value for score in self.scores.values() for key, value in score.values.items()}
