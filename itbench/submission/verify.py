"""Score every answer of a submission again, and hold the numbers against those that it claims.

Both sides come from the same code, so that equal means equal to the last bit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Literal

from pydantic import Field, computed_field

from itbench import __version__
from itbench.datasets.discover import Dataset, ScenarioFolder, open_dataset
from itbench.datasets.rubrics import load_rubrics
from itbench.datasets.rules import load_rules
from itbench.model.base import Document, Model
from itbench.model.errors import SubmissionError, UsageError
from itbench.model.lock import Lock
from itbench.model.outcome import Cause
from itbench.model.rubric import Rubrics
from itbench.model.rules import Rules
from itbench.model.trial import RunConfig, TrialRecord
from itbench.runner.bills import BillScene
from itbench.runner.evaluate import Evaluation, Evaluator
from itbench.runner.locking import compute_lock
from itbench.runner.simulated import Announce, realise
from itbench.scoring.metrics import LIVE_KEYS
from itbench.submission.archive import Archive, open_archive
from itbench.submission.cautions import cautions, left_out, shortened, unprotected_trials
from itbench.submission.claims import GROUND_TRUTH, Submission, folder_of, read_submission
from itbench.submission.judged import JUDGED
from itbench.submission.judged import notices as judge_notices
from itbench.submission.judged import recomputed as judged_again
from itbench.submission.manifest import OUTPUT

# The agent failed before its answer was judged, if it left one; only the submitter saw how. They all count 0.
_UNJUDGED: tuple[Cause, ...] = ("agent_error", "agent_timeout", "budget_exhausted")


class Difference(Model):
    """A number or an end that is not what it was claimed to be; None where one side has none."""

    what: str = Field(description="metric key, or `outcome`, `domain`, `complexity`")
    claimed: float | str | None
    recomputed: float | str | None


class TrialVerification(Model):
    """One trial. `unrepeatable`: it ended without an answer to judge, as only its submitter saw."""

    scenario: str
    trial: int
    status: Literal["equal", "different", "unrepeatable"]
    numbers: int = Field(description="how many were compared")
    differences: tuple[Difference, ...] = ()


class Verification(Document):
    """The verdict on a submission. `ok` only if every number is equal and truths and rules are those of the run."""

    archive: str
    sha256: str
    dataset: str = Field(description="where the scenarios lie with which the answers were scored again")
    ok: bool
    claimed_version: str = Field(description="itbench that built the submission")
    verifying_version: str = Field(description="itbench that checked it")
    trials: tuple[TrialVerification, ...]
    judged: int = Field(default=0, description="claimed numbers that are a language model's opinion")
    unrepeated: int = Field(default=0, description="those of them that were not compared: the judge's grades did not travel")
    measured: int = Field(
        default=0, description="claimed numbers that were measured on a live system, and were not compared"
    )
    unprotected: int = Field(description="trials that ran without a sandbox, by the submitter's word")
    problems: tuple[str, ...] = Field(description="why it is not ok, besides different numbers")
    notices: tuple[str, ...] = Field(description="what does not change the numbers, but what a reader should know")

    @computed_field  # type: ignore[prop-decorator]  # as pydantic's documentation has it
    @property
    def numbers(self) -> int:
        """How many numbers were compared."""
        return sum(trial.numbers for trial in self.trials)

    @computed_field  # type: ignore[prop-decorator]  # as pydantic's documentation has it
    @property
    def differences(self) -> int:
        """How many of them, and of the outcomes, differ."""
        return sum(len(trial.differences) for trial in self.trials)


def verify(path: Path, dataset: Path, announce: Announce = lambda _: None) -> Verification:
    """Check a submission against the scenarios at `dataset`. The archive is treated as hostile and never unpacked to disk.

    Raises:
        SubmissionError: it must not be trusted at all: damaged, oversized, incomplete, or contradicting itself.
        DatasetError: the dataset cannot be read, or has no usable truth for a scenario of the submission.
    """
    with open_archive(path) as archive:
        return verify_opened(archive, read_submission(archive), open_dataset(dataset), load_rules(), announce)


def verify_opened(
    archive: Archive, submission: Submission, dataset: Dataset, rules: Rules, announce: Announce = lambda _: None
) -> Verification:
    """As `verify`, for an archive that is open and whose claims are read."""
    available = {scenario.id: scenario for scenario in dataset.scenarios}
    config = submission.config
    if unknown := [name for name in config.scenarios if name not in available]:
        raise SubmissionError(
            f"the dataset {dataset.path} has no scenario {unknown[0]!r}",
            path=archive.path,
            hint="Give the dataset that the run used",
        )
    try:
        # Nobody's archive may say that its scripts run on this machine without a sandbox.
        evaluator = replace(Evaluator.of_run(config, rules), unprotected=False)
    except UsageError as error:
        raise SubmissionError(error.message, path=archive.path) from error
    used = {item.id: item for item in realise([available[name] for name in config.scenarios], config.seed, announce)}
    # Agents' own files stay with their makers; there is nothing here to hold them against.
    claimed_lock = submission.lock.model_copy(update={"agents": {}})
    problems, notices = _input_differences(claimed_lock, compute_lock(config, rules, used.values(), {}))
    problems += left_out(submission, rules)
    rubrics = load_rubrics()
    checked = [
        _verify_trial(archive, record, used[record.scenario], evaluator, config, rules, rubrics)
        for record in submission.records
    ]
    trials, unrepeated = tuple(trial for trial, _ in checked), sum(missing for _, missing in checked)
    measured = sum(len(_measured(record, config)) for record in submission.records)
    judged = sum(len(JUDGED & record.metrics.keys()) for record in submission.records)
    stamps = frozenset(
        shortened(record.evaluation["judge"]) for record in submission.records if "judge" in record.evaluation
    )
    return Verification(
        archive=str(archive.path),
        sha256=_file_hash(archive.path),
        dataset=str(dataset.path),
        ok=not problems and all(trial.status != "different" for trial in trials),
        claimed_version=submission.manifest.itbench_version,
        verifying_version=__version__,
        trials=trials,
        judged=judged,
        unrepeated=unrepeated,
        measured=measured,
        unprotected=len(unprotected_trials(submission)),
        problems=tuple(problems),
        notices=(*cautions(submission), *judge_notices(judged, unrepeated, stamps), *_live_notices(measured), *notices),
    )


def _verify_trial(
    archive: Archive,
    record: TrialRecord,
    scenario: ScenarioFolder,
    evaluator: Evaluator,
    config: RunConfig,
    rules: Rules,
    rubrics: Rubrics,
) -> tuple[TrialVerification, int]:
    """The trial, and how many of its numbers are a judge's and could not be compared."""
    differences = [*_differing("domain", record.domain, scenario.domain)]
    differences += _differing("complexity", record.complexity, scenario.complexity)
    evaluation = _repeat(archive, record, scenario, evaluator, config.seed)
    claimed, recomputed = dict(record.metrics), {} if evaluation is None else _metrics(evaluation)
    for metric in _measured(record, config):
        del claimed[metric]
    unrepeated = 0
    if evaluation is not None and config.judge is not None and (opinions := JUDGED & claimed.keys()):
        given = judged_again(archive, folder_of(record), record, scenario.truth().truth, config, rules, rubrics)
        recomputed |= {metric: given[metric] for metric in opinions & given.keys()}
        for metric in opinions - given.keys():
            del claimed[metric]
            unrepeated += 1
    if evaluation is not None:
        differences += _differing("outcome", record.outcome.cause or "scored", evaluation.outcome.cause or "scored")
    elif record.outcome.cause is None:
        differences += _differing("outcome", "scored", "no answer")
    for metric in {**claimed, **recomputed}:
        differences += _differing(metric, claimed.get(metric), recomputed.get(metric))
    unchanged: Literal["equal", "unrepeatable"] = "unrepeatable" if evaluation is None else "equal"
    verified = TrialVerification(
        scenario=record.scenario,
        trial=record.trial,
        status="different" if differences else unchanged,
        numbers=len(claimed.keys() | recomputed.keys()),
        differences=tuple(differences),
    )
    return verified, unrepeated


def _repeat(
    archive: Archive, record: TrialRecord, scenario: ScenarioFolder, evaluator: Evaluator, seed: int
) -> Evaluation | None:
    """The verdict on the submitted answer; None if there is none to judge.

    Raises:
        SubmissionError: this machine lacks what judging it takes, such as a sandbox: that is no fault of the numbers.
    """
    name = f"{folder_of(record)}/{OUTPUT}"
    if name not in archive or record.outcome.cause in _UNJUDGED:
        return None
    scene = BillScene(scenario.folder, scenario.simulated_from, seed) if scenario.domain == "finops" else None
    evaluation = evaluator.evaluate(archive.read(name), scenario.domain, scenario.truth().truth, scene)
    if evaluation.outcome.cause == "evaluator_error" != record.outcome.cause:
        raise SubmissionError(f"{name} cannot be scored again here: {evaluation.outcome.detail}", path=archive.path)
    return evaluation


def _measured(record: TrialRecord, config: RunConfig) -> frozenset[str]:
    """The claimed metrics that were measured on a live system, which is gone."""
    live = config.environment != "snapshot" and record.domain == "sre"
    return LIVE_KEYS & record.metrics.keys() if live else frozenset()


def _live_notices(measured: int) -> list[str]:
    told = "numbers were measured on a live system, which nobody can look at again: they are the submitter's word"
    return [f"{measured} {told}"] if measured else []


def _differing(what: str, claimed: float | str | None, recomputed: float | str | None) -> Iterator[Difference]:
    if claimed != recomputed:
        yield Difference(what=what, claimed=claimed, recomputed=recomputed)


def _metrics(evaluation: Evaluation) -> dict[str, float]:
    return {key: value for score in evaluation.scores.values() for key, value in score.values.items()}


def _input_differences(claimed: Lock, here: Lock) -> tuple[list[str], list[str]]:
    """Differences that decide the numbers, and those that do not."""
    problems = [
        f"the ground truth of {name} is not the one that the run was scored with"
        for name in here.scenarios
        if claimed.scenarios.get(name, {}).get(GROUND_TRUTH) != here.scenarios[name][GROUND_TRUTH]
    ]
    if claimed.rules != here.rules:
        problems.append("the scoring rules (evaluators/metrics.yaml) are not those of the run")
    return problems, [shortened(line) for line in claimed.differences(here)]


def _file_hash(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
