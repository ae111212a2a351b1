"""Compare raters: the judge, the matcher, people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import TYPE_CHECKING

from itbench.model.agreement import Agreement, Disagreement, KappaEstimate, Label, PairAgreement
from itbench.model.rubric import JUDGED_CRITERIA, JudgedCriterion
from itbench.model.trial import TrialRecord
from itbench.scoring.judge.opinion import ENTITY, PARTIAL, REASONING
from itbench.scoring.kappa import Kappa, kappa_with_interval, table_of

if TYPE_CHECKING:
    import numpy as np

JUDGE, MATCHER = "judge", "matcher"
_Ratings = dict[tuple[JudgedCriterion, str, str, int, str], dict[str, float]]


def agreement(labels: Sequence[Label], rng: np.random.Generator) -> Agreement:
    """Cohen's kappa of every two raters of a criterion, and every entity that they rated differently.

    Args:
        labels: at most one of each rater for each entity; of several the last one counts. Where all that name an agent
            name the same one, the others are about it too.
        rng: for the bootstrap.
    """
    agents = {label.agent for label in labels if label.agent}
    if len(agents) == 1:
        labels = [label.model_copy(update={"agent": next(iter(agents))}) for label in labels]
    ratings: _Ratings = {}
    for label in labels:
        ratings.setdefault(label.item, {})[label.rater] = label.label
    pairs = tuple(
        _pair(criterion, raters, ratings, rng)
        for criterion in JUDGED_CRITERIA
        for raters in combinations(_raters(labels, criterion), 2)
        if any(key[0] == criterion and given.keys() >= set(raters) for key, given in ratings.items())
    )
    differing = tuple(
        Disagreement(criterion=criterion, agent=agent, scenario=scenario, trial=trial, entity=entity, labels=given)
        for (criterion, agent, scenario, trial, entity), given in ratings.items()
        if len(set(given.values())) > 1
    )
    return Agreement(labels=sum(map(len, ratings.values())), pairs=pairs, disagreements=differing)


def labels_of(record: TrialRecord) -> Iterator[Label]:
    """What the judge and the matcher said about the entities of one answer, from the evidence of its scores."""
    for criterion in (REASONING, PARTIAL):
        score = record.scores.get(criterion)
        for detail in score.evidence.get("details", ()) if score is not None and score.judged else ():
            # The partial score shows root causes too: each entity is rated once, under its own rubric.
            if detail.get("rubric") == criterion:
                yield from _label(record, JUDGE, criterion, detail["entity"], detail["grade"])
    score = record.scores.get(ENTITY)
    if score is None:
        return
    for predicted in score.evidence.get("predicted_entities", ()):
        yield from _label(record, MATCHER, ENTITY, predicted["entity"], float(predicted["matches_gt"]))
    for detail in score.evidence.get("judge_cross_check", {}).get("details", ()):
        yield from _label(record, JUDGE, ENTITY, detail["entity"], float(detail["judge"]))


def _label(record: TrialRecord, rater: str, criterion: JudgedCriterion, entity: str, value: float) -> Iterator[Label]:
    if not entity.strip():
        return
    yield Label(
        rater=rater,
        criterion=criterion,
        agent=record.agent,
        scenario=record.scenario,
        trial=record.trial,
        entity=entity[:1000],
        label=value,
    )


def _raters(labels: Sequence[Label], criterion: JudgedCriterion) -> list[str]:
    return list(dict.fromkeys(label.rater for label in labels if label.criterion == criterion))


def _pair(criterion: JudgedCriterion, raters: tuple[str, str], ratings: _Ratings, rng: np.random.Generator) -> PairAgreement:
    one, other = raters
    pairs = [
        (given[one], given[other])
        for key, given in ratings.items()
        if key[0] == criterion and one in given and other in given
    ]
    categories = sorted({label for pair in pairs for label in pair})
    table = table_of(pairs, categories)
    return PairAgreement(
        criterion=criterion,
        raters=raters,
        n=len(pairs),
        agreement=sum(a == b for a, b in pairs) / len(pairs),
        kappa=_estimate(kappa_with_interval(table, categories, "none", rng)),
        kappa_linear=_estimate(kappa_with_interval(table, categories, "linear", rng)),
    )


def _estimate(kappa: Kappa) -> KappaEstimate:
    return KappaEstimate(value=kappa.value, low=kappa.low, high=kappa.high)
