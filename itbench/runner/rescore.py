"""Score answers that exist already: the public evaluator's job, without running anything."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from itbench.datasets.ground_truth import LoadedTruth, load_ground_truths
from itbench.datasets.outputs import FoundOutput, find_outputs, passed_over
from itbench.judge.asking import Bill
from itbench.judge.replies import Replies
from itbench.model.base import Domain
from itbench.model.errors import DatasetError, UsageError
from itbench.model.outcome import Outcome
from itbench.model.trial import JudgeConfig, Timing, TrialRecord
from itbench.runner.evaluate import Evaluation, Evaluator, require_scored
from itbench.runner.judging import Case, judge
from itbench.sandbox.output import OutputError, read_output


@dataclass(frozen=True, slots=True)
class Rescored:
    """Every answer that was found, scored or not.

    Attributes:
        records: in natural order of incident and trial.
        unanswered: incidents whose ground truth has no answer.
        passed_over: what lies among the answers but not where one belongs.
        cases: the scored ones, for a judge.
    """

    records: tuple[TrialRecord, ...]
    unanswered: tuple[str, ...]
    passed_over: tuple[Path, ...]
    cases: tuple[Case, ...] = ()


def score_outputs(ground_truth: Path, outputs: Path, domain: Domain, evaluator: Evaluator) -> Rescored:
    """Score `<outputs>/<incident>/<trial>/…` against the ground truths of a file, a dataset or a folder of scenarios.

    Raises:
        DatasetError: there is no ground truth that can be read, or no folder of answers.
        UsageError: there are no answers, or the domain has no evaluator.
    """
    require_scored(domain)
    truths = load_ground_truths(ground_truth, domain)
    if not truths:
        raise DatasetError(
            "no ground truth here", path=ground_truth, hint="Expected a ground_truth.yaml per scenario folder"
        )
    found = find_outputs(outputs, domain)
    if not found:
        raise UsageError("no answers here", path=outputs, hint="Expected <incident>/<trial number>/agent_output.json")
    records = tuple(_record(output, truths, domain, evaluator) for output in found)
    answered = {record.scenario for record in records}
    unanswered = tuple(incident for incident in truths if incident not in answered)
    cases = tuple(
        Case.of_file(record, truths[output.incident].truth, output.path, evaluator.limit)
        for record, output in zip(records, found, strict=True)
        if record.outcome.cause is None and output.path is not None
    )
    return Rescored(records, unanswered, passed_over(outputs), cases)


def judged(rescored: Rescored, config: JudgeConfig, evaluator: Evaluator, replies: Replies) -> tuple[Rescored, Bill]:
    """The same answers after a judge has read their reasons, and what it cost.

    Raises:
        UnwritableError: a reply cannot be kept.
        DatasetError: a rubric cannot be read.
    """
    judgement = judge(rescored.cases, config, evaluator, replies)
    amended = {id(case.record): record for case, record in zip(rescored.cases, judgement.records, strict=True)}
    records = tuple(amended.get(id(record), record) for record in rescored.records)
    return replace(rescored, records=records), judgement.bill


def _raw(path: Path, limit: int) -> bytes:
    """The bytes of an answer; those of a folder of files, packed."""
    if path.is_dir() and not path.is_symlink():
        from itbench.compliance.answer import pack_folder

        return pack_folder(path)
    return read_output(path.parent, path.name, limit)


def _record(output: FoundOutput, truths: Mapping[str, LoadedTruth], domain: Domain, evaluator: Evaluator) -> TrialRecord:
    loaded = truths.get(output.incident)
    raw: bytes | None = None
    if loaded is None:
        evaluation = Evaluation(Outcome.unscored("evaluator_error", f"no ground truth for {output.incident}"))
    elif output.path is None:
        evaluation = Evaluation(Outcome.unscored("output_missing", output.note))
    else:
        try:
            raw = _raw(output.path, evaluator.limit)
            evaluation = evaluator.evaluate(raw, domain, loaded.truth)
        except OutputError as error:
            evaluation = Evaluation(Outcome.unscored("output_invalid", str(error)))
    return TrialRecord(
        agent="answers",
        scenario=output.incident,
        domain=domain,
        trial=int(output.trial),
        seed=0,
        outcome=evaluation.outcome,
        scores=evaluation.scores,
        timing=Timing(started_at="", wall_seconds=0, agent_seconds=0),
        output_sha256=None if raw is None else hashlib.sha256(raw).hexdigest(),
        repairs=evaluation.repairs,
        warnings=evaluation.notes,
        evaluation=evaluator.stamp,
    )
