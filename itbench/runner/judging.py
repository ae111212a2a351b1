"""Let a judge read the reasons in answers that are scored already.

It is a pass of its own over the records of a run: trials do not wait for it, and what it could not judge is judged when the
run is resumed. Replies are remembered, so that the pass costs nothing the second time.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from itbench.datasets.rubrics import load_rubrics
from itbench.judge.access import Access
from itbench.judge.asking import Bill
from itbench.judge.panel import Panel, open_panel
from itbench.judge.replies import Remembered, Replies
from itbench.model.outcome import Score
from itbench.model.rubric import Rubrics
from itbench.model.trial import JudgeConfig, TrialRecord
from itbench.model.truth import GroundTruth
from itbench.runner.evaluate import Evaluator
from itbench.runner.session import Session
from itbench.sandbox.output import OutputError, read_output
from itbench.scoring.judge.opinion import (
    ENTITY,
    PARTIAL,
    REASONING,
    Polled,
    cross_check,
    partial_score,
    question_of,
    reasoning_score,
    symptoms_worth_asking,
)
from itbench.scoring.judge.question import Subjects

STAMP = "judge"
"""What a record's `evaluation` calls the judge."""
CROSS_CHECK = "judge_cross_check"


@dataclass(frozen=True, slots=True)
class Case:
    """A scored answer: its record, the truth, and how to read it again."""

    record: TrialRecord
    truth: GroundTruth
    read: Callable[[], bytes]

    @classmethod
    def of_file(cls, record: TrialRecord, truth: GroundTruth, path: Path, limit: int) -> Case:
        """A case whose answer, of at most `limit` bytes, is in a file that a stranger may have put there."""
        return cls(record, truth, partial(read_output, path.parent, path.name, limit))


@dataclass(frozen=True, slots=True)
class Judgement:
    """The records of the cases, in their order, with what the judge says; and its bill."""

    records: tuple[TrialRecord, ...]
    bill: Bill


@dataclass(frozen=True, slots=True)
class _Opinion:
    """What is known about one answer. `polled` holds the votes that were asked for."""

    scores: dict[str, Score]
    polled: tuple[Polled, ...] = ()
    check: dict[str, Any] | None = None


def judge_session(session: Session) -> Bill | None:
    """Judge the scored trials of a run, and amend their results; None if the run has no judge, or nothing to read.

    Raises:
        RunError: another process works on the run.
        UnwritableError: a result or a reply cannot be kept.
        DatasetError: a rubric cannot be read.
    """
    store, config = session.store, session.store.config.judge
    if config is None:
        return None
    with store.exclusively():
        cases = []
        for planned in session.planned():
            record = store.record(planned.agent.label, planned.scenario.id, planned.number)
            if record is not None and record.outcome.cause is None and record.domain == "sre":
                folder = store.trial_dir(record.agent, record.scenario, record.trial)
                limit = store.config.budget.output_bytes
                cases.append(Case.of_file(record, planned.truth, folder / "agent_output.json", limit))
        if not cases:
            return None
        judgement = judge(cases, config, Evaluator.of_run(store.config, session.rules), Replies(store.judge_replies))
        for case, record in zip(cases, judgement.records, strict=True):
            if record != case.record:
                store.amend(record)
    return judgement.bill


def judge_keys(record: TrialRecord) -> set[str]:
    """The names of the judge's replies that a record's scores rest on."""
    told = [record.scores[key].evidence.get(STAMP) for key in (REASONING, PARTIAL) if key in record.scores]
    names = [name for each in told if isinstance(each, dict) for name in each.get("replies", ())]
    return {name for name in names if isinstance(name, str) and re.fullmatch("[0-9a-f]{64}", name)}


def judge(
    cases: Sequence[Case],
    config: JudgeConfig,
    evaluator: Evaluator,
    replies: Remembered,
    *,
    rubrics: Rubrics | None = None,
    offline: bool = False,
) -> Judgement:
    """Judge answers.

    A criterion is judged, or has a note that says why not. An answer whose score is 0 by formula gets it only if the judge
    could have been asked: else the mean over answers would be that of the hopeless ones.

    Args:
        cases: scored answers; those of other domains than SRE hold no reasons and are passed on.
        config: the model, and how often it votes.
        evaluator: decides what matches, as it did when the answers were scored.
        replies: what the judge said before.
        rubrics: those that ship with itbench if None.
        offline: nobody is asked; what was said before counts, and so does every 0 by formula.
    """
    return asyncio.run(_judge(cases, config, evaluator, replies, rubrics or load_rubrics(), offline))


async def _judge(
    cases: Sequence[Case],
    config: JudgeConfig,
    evaluator: Evaluator,
    replies: Remembered,
    rubrics: Rubrics,
    offline: bool,
) -> Judgement:
    async with open_panel(config, replies, None if offline else Access.of_environment()) as panel:
        opinions = await asyncio.gather(*(_opinion(case, panel, evaluator, rubrics) for case in cases))
        if not offline and (reason := _out_of_reach(opinions, panel)):
            opinions = [replace(each, scores={key: Score(note=reason) for key in each.scores}) for each in opinions]
        stamp = f"{config.model}, {config.votes} votes, rubrics {'/'.join(rubrics[key].version for key in rubrics)}"
        records = tuple(_amended(case.record, each, stamp) for case, each in zip(cases, opinions, strict=True))
        return Judgement(records, panel.bill)


def _out_of_reach(opinions: Sequence[_Opinion], panel: Panel) -> str:
    """Why nothing was judged at all, empty if something was, or if nothing had to be asked."""
    if any(polled.verdicts for each in opinions for polled in each.polled):
        return ""
    return next((polled.problem for each in opinions for polled in each.polled), panel.down)


async def _opinion(case: Case, panel: Panel, evaluator: Evaluator, rubrics: Rubrics) -> _Opinion:
    if case.record.domain != "sre":
        return _Opinion({})
    found = _subjects(case, evaluator)
    if isinstance(found, str):
        return _Opinion({key: Score(note=found) for key in (REASONING, PARTIAL)})
    scenario = case.record.scenario
    polled: list[Polled] = []

    async def ask(criterion: Any, items: Any) -> Polled | None:
        question = question_of(criterion, items, rubrics, scenario)
        if question is None:
            return None
        polled.append(await panel.poll(question))
        return polled[-1]

    scores = {REASONING: Score(note=found.unexplained), PARTIAL: Score(note=found.unexplained)}
    if not found.unexplained:
        causes = await ask(REASONING, found.causes)
        symptoms = None
        if causes is None or causes.verdicts:
            symptoms = await ask(PARTIAL, symptoms_worth_asking(found, causes))
        scores = {REASONING: reasoning_score(found, causes), PARTIAL: partial_score(found, causes, symptoms)}
        told = _told(panel, polled)
        scores = {key: _with(score, STAMP, told) if score.judged else score for key, score in scores.items()}
    checked = await ask(ENTITY, found.named) if panel.config.cross_check and found.named else None
    return _Opinion(
        {str(key): score for key, score in scores.items()}, tuple(polled), cross_check(checked) if checked else None
    )


def _subjects(case: Case, evaluator: Evaluator) -> Subjects | str:
    """What is to be judged, or why it cannot be."""
    try:
        raw = case.read()
    except (OutputError, OSError) as error:
        return f"the answer cannot be read again: {error}"
    if hashlib.sha256(raw).hexdigest() != case.record.output_sha256:
        return "the answer was changed after it was scored"
    return evaluator.subjects(raw, case.truth) or "the answer cannot be read"


def _told(panel: Panel, polled: Sequence[Polled]) -> dict[str, Any]:
    """Who judged, and for how much."""
    costs = [each.cost_usd for each in polled]
    known = [cost for cost in costs if cost is not None]
    return {
        "model": panel.config.model,
        "votes": panel.config.votes,
        "rubrics": {each.question.rubric.criterion: each.question.rubric.version for each in polled},
        "replies": sorted({key for each in polled for key in each.keys}),
        "cost_usd": round(sum(known), 9) if len(known) == len(costs) else None,
    }


def _with(score: Score, key: str, value: Any) -> Score:
    return score.model_copy(update={"evidence": score.evidence | {key: value}})


def _amended(record: TrialRecord, opinion: _Opinion, stamp: str) -> TrialRecord:
    if not opinion.scores:
        return record
    scores = dict(record.scores)
    for criterion, score in opinion.scores.items():
        # What was judged before stays so, even if its replies were deleted since and the judge is away.
        if score.judged or criterion not in scores or not scores[criterion].judged or record.evaluation.get(STAMP) != stamp:
            scores[criterion] = score
    if opinion.check is not None and ENTITY in scores:
        scores[ENTITY] = _with(scores[ENTITY], CROSS_CHECK, opinion.check)
    return record.model_copy(update={"scores": scores, "evaluation": record.evaluation | {STAMP: stamp}})
