"""Numbers that a judge gave: they follow from its grades, if those travel along; that it gave them is taken on trust."""

from __future__ import annotations

from dataclasses import dataclass

from itbench.judge.replies import JudgeReply
from itbench.model.errors import SubmissionError
from itbench.model.rubric import Rubrics
from itbench.model.rules import Rules
from itbench.model.trial import RunConfig, TrialRecord
from itbench.model.truth import GroundTruth
from itbench.runner.evaluate import Evaluator
from itbench.runner.judging import Case, judge
from itbench.scoring.judge.opinion import PARTIAL, REASONING
from itbench.submission.archive import Archive
from itbench.submission.manifest import OUTPUT, judge_reply

JUDGED = frozenset({str(REASONING), str(PARTIAL)})
"""The metrics that no rule can compute."""


@dataclass(frozen=True, slots=True)
class ArchivedReplies:
    """The judge's grades in an archive."""

    archive: Archive

    def find(self, key: str) -> JudgeReply | None:
        """The grades of one vote, None if they did not travel.

        Raises:
            SubmissionError: they are damaged, or hold more than grades.
        """
        name = judge_reply(key)
        if name not in self.archive:
            return None
        reply = self.archive.document(name, JudgeReply)
        if reply != reply.publishable():
            raise SubmissionError(f"{name} holds more than grades", path=self.archive.path)
        return reply

    def keep(self, key: str, reply: JudgeReply) -> None:
        """Nothing new is asked for."""


def recomputed(
    archive: Archive, folder: str, record: TrialRecord, truth: GroundTruth, config: RunConfig, rules: Rules, rubrics: Rubrics
) -> dict[str, float]:
    """The judged metrics of a trial as its grades in the archive give them; what they do not give is absent."""
    if config.judge is None or f"{folder}/{OUTPUT}" not in archive:
        return {}
    bare = record.model_copy(update={"scores": {}})
    case = Case(bare, truth, lambda: archive.read(f"{folder}/{OUTPUT}"))
    judged = judge(
        [case], config.judge, Evaluator.of_run(config, rules), ArchivedReplies(archive), rubrics=rubrics, offline=True
    )
    return {metric: value for metric, value in judged.records[0].metrics.items() if metric in JUDGED}


def notices(claimed: int, unrepeated: int, stamps: frozenset[str]) -> list[str]:
    """What a reader must know about the numbers of a judge."""
    if not claimed:
        return []
    who = "; ".join(sorted(stamps)) or "an unnamed judge"
    told = (
        f"{claimed} numbers are the opinion of a language model ({who}): that it gave these grades is the submitter's word"
    )
    if not unrepeated:
        return [told]
    return [told, f"{unrepeated} of them cannot be recomputed: the judge's grades are not in the submission"]
