"""A run's summary, made by hand."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from itbench.model.summary import AgentSummary, DomainSummary, Estimate, Summary


@pytest.fixture
def make_summary() -> Callable[..., Summary]:
    """A summary with one agent for each name; each has the means of its position."""

    def make(*agents: str, notices: tuple[str, ...] = (), mean: float | None = 0.5) -> Summary:
        found = DomainSummary(
            domain="sre",
            scenarios=2,
            trials=4,
            scored=3,
            unscored={"agent_timeout": 1},
            scored_rate=Estimate(mean=0.75, n=4),
            metrics={
                "odd<metric>": Estimate(mean=0.1, n=2),
                "root_cause_entity_f1": Estimate(mean=mean, low=0.25 if mean else None, high=0.75 if mean else None, n=2),
                "root_cause_entity_recall": Estimate(mean=1.0, low=1.0, high=1.0, n=2),
            },
            by_complexity={
                "high": {"root_cause_entity_f1": Estimate(mean=0.0, n=1)},
                "low": {"root_cause_entity_f1": Estimate(mean=1.0, n=1)},
            },
        )
        rows = tuple(AgentSummary(agent=name, isolation="bubblewrap", domains=(found,)) for name in agents)
        return Summary(run_dir="runs/monday", agents=rows, notices=notices)

    return make
