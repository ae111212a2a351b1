"""The figures of a run: what reports, `--json` and submissions show. How they are computed: docs/statistics.md."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from itbench.model.base import Document, Domain, Model
from itbench.model.outcome import Cause


class Estimate(Model):
    """A mean with its 95 % interval over `n` units; bounds are None where n is too small to tell.

    The units are scenarios, except for rates of trials.
    """

    mean: float | None
    low: float | None = None
    high: float | None = None
    n: int = Field(ge=0, description="units that entered")
    stderr: float | None = Field(default=None, description="standard error of the mean")


class Bounds(Model):
    """The mean if every excluded trial had scored 0, and if it had scored 1."""

    low: float | None
    high: float | None


class Survival(Model):
    """A duration over trials of which some did not see it end; those last to the horizon at least.

    The median is that of Kaplan and Meier, None where it lies beyond the horizon; so may its bounds. The restricted mean is
    the mean of what is cut at the horizon.
    """

    n: int = Field(ge=1, description="trials")
    happened: int = Field(ge=0, description="trials that saw it")
    horizon: float = Field(description="seconds up to which was looked")
    median: float | None
    median_low: float | None = None
    median_high: float | None = None
    restricted_mean: Estimate


class DomainSummary(Model):
    """One agent in one domain. `unscored` counts trials by cause; those that are the agent's own failure enter as 0."""

    domain: Domain
    scenarios: int
    trials: int
    scored: int
    unscored: dict[Cause, int] = Field(default_factory=dict, description="every cause, most of them 0")
    scored_rate: Estimate = Field(description="share of the trials with a verdict, Wilson interval")
    metrics: dict[str, Estimate] = Field(default_factory=dict)
    bounds: dict[str, Bounds] = Field(default_factory=dict)
    pass_at: dict[str, Estimate] = Field(default_factory=dict, description="pass@k and pass^k of the headline metric")
    survival: dict[str, Survival] = Field(default_factory=dict, description="durations of live trials, by their metric")
    by_complexity: dict[str, dict[str, Estimate]] = Field(default_factory=dict)
    cost_usd: float | None = Field(default=None, description="mean per trial that reported a cost")
    cost_trials: int = Field(default=0, description="trials that reported a cost")
    agent_seconds: float | None = Field(default=None, description="mean per trial that the agent could work on")


class AgentSummary(Model):
    """One agent of a run."""

    agent: str
    isolation: str
    domains: tuple[DomainSummary, ...]


class Summary(Document):
    """A whole run."""

    run_dir: str
    interval: Literal["t", "bootstrap"] = "t"
    agents: tuple[AgentSummary, ...]
    notices: tuple[str, ...] = Field(default=(), description="what a reader must know, such as weak isolation")
