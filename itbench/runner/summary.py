"""The summary of a run folder: its records, and the trials that were never started."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from itbench.model.outcome import Outcome
from itbench.model.rules import Rules
from itbench.model.summary import Summary
from itbench.model.trial import Timing, TrialRecord
from itbench.runner.judging import STAMP
from itbench.runner.session import Session
from itbench.runner.store import RunStore
from itbench.scoring.judge.opinion import REASONING
from itbench.scoring.metrics import metric_keys
from itbench.scoring.summary import summarise


def summarise_session(session: Session) -> Summary:
    """The figures of a run, as far as it got. A trial that was never started counts as cancelled."""
    records = [
        session.store.record(planned.agent.label, planned.scenario.id, planned.number)
        or TrialRecord(
            agent=planned.agent.label,
            scenario=planned.scenario.id,
            domain=planned.scenario.domain,
            trial=planned.number,
            seed=planned.seed(session.store.config.seed),
            complexity=planned.scenario.complexity,
            outcome=Outcome.unscored("cancelled", "not started"),
            timing=Timing(started_at="", wall_seconds=0, agent_seconds=0),
        )
        for planned in session.planned()
    ]
    return summarise_records(records, session.rules, run_dir=str(session.store.root), notices=_notices(session.store))


def summarise_store(store: RunStore, rules: Rules, *, bootstrap: bool = False) -> Summary:
    """The figures of a run folder alone: the dataset may be gone."""
    records = list(store.records())
    config = store.config
    planned = len(config.agents) * len(config.scenarios) * config.trials
    notices = _notices(store)
    if len(records) < planned:
        notices.append(f"{planned - len(records)} of {planned} trials are not finished; see: itbench resume")
    return summarise_records(
        records, rules, run_dir=str(store.root), notices=notices, bootstrap_seed=config.seed if bootstrap else None
    )


def summarise_records(
    records: Sequence[TrialRecord],
    rules: Rules,
    *,
    run_dir: str,
    notices: Sequence[str] = (),
    bootstrap_seed: int | None = None,
) -> Summary:
    """The figures of some records, with what a reader must know about how they came about."""
    generator = None
    if bootstrap_seed is not None:
        from numpy.random import default_rng

        generator = default_rng(bootstrap_seed)
    told = [*notices, *_weak_isolation(records), *_judged(records)]
    return summarise(records, rules, run_dir=run_dir, metric_keys=metric_keys, notices=told, bootstrap=generator)


def _notices(store: RunStore) -> list[str]:
    return [*store.config.notices, *(f"damaged, and not counted: {path}" for path in sorted(store.damaged))]


def _weak_isolation(records: Sequence[TrialRecord]) -> Iterator[str]:
    for mode, warning in (
        ("none", "ran without a sandbox: it could have read the answers"),
        ("landlock", "ran in the weaker Landlock sandbox (docs/isolation.md)"),
    ):
        for agent in dict.fromkeys(record.agent for record in records if record.isolation == mode):
            yield f"{agent} {warning}"


def _judged(records: Sequence[TrialRecord]) -> Iterator[str]:
    """Who judged reasons, and what was left unjudged: a mean over the others may be better or worse for it."""
    read = [record for record in records if STAMP in record.evaluation and REASONING in record.scores]
    for stamp in dict.fromkeys(record.evaluation[STAMP] for record in read):
        own = [record.scores[REASONING] for record in read if record.evaluation[STAMP] == stamp]
        unjudged = [score.note for score in own if not score.judged]
        told = f"{REASONING} and its partial variant are the opinion of a judge ({stamp})"
        if unjudged:
            told += f"; {len(unjudged)} of {len(own)} answers are not judged: {unjudged[0]}"
        yield told
