"""From verdicts on items to the scores of an answer. Formulas: docs/judge.md.

What a judge did not judge has no value and says why. An answer that names no root cause, or says nothing about those it
names, is 0 by the criterion's own formula, without asking.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from itbench.model.outcome import Score
from itbench.model.rubric import JudgedCriterion, Rubrics
from itbench.scoring.judge.question import Item, Question, Subjects
from itbench.scoring.judge.votes import ItemVerdict, Vote, combine

REASONING: JudgedCriterion = "root_cause_reasoning"
PARTIAL: JudgedCriterion = "root_cause_reasoning_partial"
ENTITY: JudgedCriterion = "root_cause_entity"


@dataclass(frozen=True, slots=True)
class Polled:
    """The votes on a question; without a single valid one, `problem` says why.

    `cost_usd` is what they cost when they were asked for, None if a price is not known; `keys` name the replies.
    """

    question: Question
    votes: tuple[Vote, ...]
    problem: str = ""
    cost_usd: float | None = 0.0
    keys: tuple[str, ...] = ()

    @property
    def verdicts(self) -> tuple[ItemVerdict, ...]:
        """The verdict on each item; none without a valid vote."""
        return combine(self.votes, self.question)


def question_of(criterion: JudgedCriterion, items: Sequence[Item], rubrics: Rubrics, scenario: str) -> Question | None:
    """The question about those items of which the answer says something; None if there are none."""
    told = tuple(item for item in items if item.said and item.truth)
    rubric = rubrics[criterion]
    return Question(rubric, told, rubric.guidance.get(scenario, "")) if told else None


def reasoning_score(subjects: Subjects, polled: Polled | None) -> Score:
    """root_cause_reasoning: the mean grade of the root causes that are rightly named, 0 if there is none.

    Args:
        subjects: of the answer.
        polled: the votes on its causes, None if nothing had to be asked.
    """
    if subjects.unexplained:
        return Score(note=subjects.unexplained)
    if polled is not None and not polled.verdicts:
        return Score(note=polled.problem)
    grades = _grades(subjects.causes, polled)
    value = sum(grades.values()) / len(grades) if grades else 0.0
    told = "the mean over the root causes that are rightly named" if grades else "no root cause is named"
    if subjects.unread:
        told += f"; {subjects.unread} further entities were not read"
    return Score(values={REASONING: value}, evidence={"justification": told, "details": _details(subjects.causes, polled)})


def symptoms_worth_asking(subjects: Subjects, causes: Polled | None) -> tuple[Item, ...]:
    """The entities on the fault's way that could still raise the partial score."""
    best = max(_grades(subjects.causes, causes).values(), default=0.0)
    return tuple(item for item in subjects.symptoms if item.weight > best)


def partial_score(subjects: Subjects, causes: Polled | None, symptoms: Polled | None) -> Score:
    """root_cause_reasoning_partial: the best of the grades of root causes, and of 1/(1 + hops) · grade elsewhere."""
    if subjects.unexplained:
        return Score(note=subjects.unexplained)
    for polled in (causes, symptoms):
        if polled is not None and not polled.verdicts:
            return Score(note=polled.problem)
    details = _details(subjects.causes, causes) + _details(subjects.symptoms, symptoms)
    best = max(details, key=lambda detail: float(detail["score"]), default=None)
    told = "no root cause and nothing on its way is named" if best is None else f"the best of all: {best['entity']}"
    value = 0.0 if best is None else float(best["score"])
    return Score(values={PARTIAL: value}, evidence={"justification": told, "details": details})


def cross_check(polled: Polled) -> dict[str, Any]:
    """What the judge would have matched, beside what the matcher did: `disagreements` names the entities."""
    if not polled.verdicts:
        return {"not_judged": polled.problem}
    details = [
        {"entity": verdict.item.entity, "matcher": verdict.item.matched, "judge": verdict.value > 0, **_votes(verdict)}
        for verdict in polled.verdicts
    ]
    differing = [detail["entity"] for detail in details if detail["matcher"] != detail["judge"]]
    return {"disagreements": differing, "details": details, **_invalid(polled)}


def _grades(items: Sequence[Item], polled: Polled | None) -> dict[int, float]:
    """Place among the items to grade; what the answer says nothing about is 0."""
    found = _by_item(polled)
    return {at: found[id(item)].value if id(item) in found else 0.0 for at, item in enumerate(items)}


def _by_item(polled: Polled | None) -> Mapping[int, ItemVerdict]:
    return {id(verdict.item): verdict for verdict in polled.verdicts} if polled else {}


def _details(items: Sequence[Item], polled: Polled | None) -> list[dict[str, Any]]:
    found = _by_item(polled)
    details = []
    for item in items:
        detail: dict[str, Any] = {"entity": item.entity, "weight": item.weight}
        verdict = found.get(id(item))
        if verdict is not None:
            rubric = polled.question.rubric.criterion if polled else None
            detail |= {"rubric": rubric, "grade": verdict.value, "score": item.weight * verdict.value, **_votes(verdict)}
        elif item.said:
            detail |= {"score": 0.0, "note": "not asked: it could not raise the score"}
        else:
            detail |= {"grade": 0.0, "score": 0.0, "note": "the answer says nothing about it"}
        details.append(detail | (_invalid(polled) if verdict is not None and polled else {}))
    return details


def _votes(verdict: ItemVerdict) -> dict[str, Any]:
    return {"unanimous": verdict.unanimous, "votes": [vote.model_dump(mode="json") for vote in verdict.votes]}


def _invalid(polled: Polled) -> dict[str, Any]:
    reasons = [vote.invalid for vote in polled.votes if vote.invalid]
    return {"invalid_votes": reasons} if reasons else {}
