"""From trial records to the figures of a run: per agent and domain, over scenarios. Formulas: docs/statistics.md."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import TYPE_CHECKING

from itbench.model.base import DOMAINS, Domain
from itbench.model.outcome import CAUSES
from itbench.model.rules import Rules
from itbench.model.summary import AgentSummary, Bounds, DomainSummary, Estimate, Summary
from itbench.model.trial import TrialRecord
from itbench.scoring.statistics import (
    ANYTHING,
    SHARE,
    Interval,
    bootstrap_interval,
    mean,
    pass_at_k,
    pass_hat_k,
    t_interval,
    wilson_interval,
)
from itbench.scoring.survival import survivals
from itbench.scoring.table import Judged, ValueTable, grouped, is_share, judged_metrics, tabulate

if TYPE_CHECKING:
    import numpy as np

# Which k of pass@k are shown, as far as the trials go.
_KS = (1, 2, 3, 4, 5, 10, 20, 50, 100)
_UNRATED = "unrated"
_Estimator = Callable[[str, Collection[float]], Estimate]


def summarise(
    records: Sequence[TrialRecord],
    rules: Rules,
    *,
    run_dir: str,
    metric_keys: Callable[[Domain], Sequence[str]],
    bootstrap: np.random.Generator | None = None,
    notices: Sequence[str] = (),
) -> Summary:
    """The summary of all records of a run; agents in the order in which they first appear.

    Args:
        records: one per trial, of any number of agents and domains.
        rules: say which failures count 0, and the headline metric of each domain.
        run_dir: where the records come from, for the reader.
        metric_keys: what the evaluator of a domain yields; asked only where no trial of a domain has a verdict.
        bootstrap: bootstrap scenarios with this generator; Student's interval if None.
        notices: what a reader must know.
    """
    judged = judged_metrics(records, metric_keys)
    estimate = _t_estimate if bootstrap is None else partial(_bootstrap_estimate, bootstrap)
    agents = tuple(
        AgentSummary(
            agent=label,
            isolation=", ".join(sorted({record.isolation for record in own})),
            domains=tuple(
                _domain_summary(domain, in_domain, rules, judged, estimate)
                for domain in DOMAINS
                if (in_domain := [record for record in own if record.domain == domain])
            ),
        )
        for label, own in grouped(records, lambda record: record.agent).items()
    )
    return Summary(
        run_dir=run_dir,
        interval="t" if bootstrap is None else "bootstrap",
        agents=agents,
        notices=tuple(notices),
    )


def as_estimate(interval: Interval) -> Estimate:
    """An interval as it is published."""
    return Estimate(mean=interval.mean, low=interval.low, high=interval.high, n=interval.n, stderr=interval.stderr)


def _domain_summary(
    domain: Domain, records: Sequence[TrialRecord], rules: Rules, judged: Judged, estimate: _Estimator
) -> DomainSummary:
    table = tabulate(records, rules, judged)
    means = {metric: table.scenario_means(metric) for metric in table.cells}
    causes = Counter(record.outcome.cause for record in records)
    costs = [record.usage.cost_usd for record in records if record.usage.cost_usd is not None]
    worked = [record.timing.agent_seconds for record in records if not _is_excluded(record, rules)]
    return DomainSummary(
        domain=domain,
        scenarios=len({record.scenario for record in records}),
        trials=len(records),
        scored=causes[None],
        unscored={cause: causes[cause] for cause in CAUSES},
        scored_rate=as_estimate(wilson_interval(causes[None], len(records))),
        metrics={metric: estimate(metric, by_scenario.values()) for metric, by_scenario in means.items()},
        bounds={metric: _bounds(table, metric) for metric in means if is_share(metric)},
        pass_at=_pass_at(table.successes(rules.headline[domain]).values(), estimate) if domain in rules.headline else {},
        survival=survivals(records, rules),
        by_complexity=_by_complexity(records, means, estimate),
        cost_usd=mean(costs),
        cost_trials=len(costs),
        agent_seconds=mean(worked),
    )


def _is_excluded(record: TrialRecord, rules: Rules) -> bool:
    return record.outcome.cause is not None and rules.outcomes[record.outcome.cause] == "excluded"


def _bounds(table: ValueTable, metric: str) -> Bounds:
    low, high = (mean(list(table.scenario_means(metric, excluded_as=value).values())) for value in (0.0, 1.0))
    return Bounds(low=low, high=high)


def _pass_at(successes: Collection[tuple[int, int]], estimate: _Estimator) -> dict[str, Estimate]:
    most = max((n for n, _ in successes), default=0)
    found = {}
    for k in _KS:
        if k > most:
            break
        for name, probability in (("pass@", pass_at_k), ("pass^", pass_hat_k)):
            known = [value for n, c in successes if (value := probability(n, c, k)) is not None]
            found[f"{name}{k}"] = estimate(f"{name}{k}", known)
    return found


def _by_complexity(
    records: Sequence[TrialRecord], means: dict[str, dict[str, float]], estimate: _Estimator
) -> dict[str, dict[str, Estimate]]:
    complexities = {record.scenario: record.complexity or _UNRATED for record in records}
    if set(complexities.values()) == {_UNRATED}:
        return {}
    return {
        complexity: {
            metric: estimate(metric, values)
            for metric, by_scenario in means.items()
            if (values := [by_scenario[scenario] for scenario in scenarios if scenario in by_scenario])
        }
        for complexity, scenarios in grouped(complexities, lambda scenario: complexities[scenario]).items()
    }


def _t_estimate(metric: str, values: Collection[float]) -> Estimate:
    return as_estimate(t_interval(list(values), possible=SHARE if is_share(metric) else ANYTHING))


def _bootstrap_estimate(rng: np.random.Generator, _metric: str, values: Collection[float]) -> Estimate:
    return as_estimate(bootstrap_interval(list(values), rng))
