"""What a submission claims: its configuration, its lock, and a record per trial that reveals nothing of the truth."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from itbench.model.errors import SubmissionError
from itbench.model.lock import Lock
from itbench.model.outcome import Outcome, Score
from itbench.model.trial import AgentConfig, RunConfig, TrialRecord
from itbench.runner.store import folder_name
from itbench.scoring.table import is_share
from itbench.submission.archive import Archive
from itbench.submission.manifest import (
    CONFIGURATION,
    LOCK,
    MANIFEST,
    OUTPUT,
    RESULT,
    TRAJECTORY,
    Manifest,
    printable,
    trial_folder,
)

GROUND_TRUTH = "ground truth"
"""What a lock calls the hash of a scenario's truth."""

_STAMP = ("evaluator", "rules", "policy", "judge")
_JUDGE_REPLY = re.compile(r"judge/[0-9a-f]{64}\.json")
# Agents of the harness that know the answers beforehand.
_REFUSED_AGENTS = {
    "oracle": "the oracle's answers are the ground truth, which must not be published",
    "replay": "a replay gives the answers of another run: submit the original run",
}
# Seconds or dollars. More cannot be, and sums of the largest floats overflow.
_LARGEST_AMOUNT = 1e12


@dataclass(frozen=True, slots=True)
class Submission:
    """The claims of one agent, checked to be complete and consistent in themselves, not to be true."""

    manifest: Manifest
    config: RunConfig
    lock: Lock
    records: tuple[TrialRecord, ...]

    @property
    def agent(self) -> AgentConfig:
        """The agent of the run whose trials these are."""
        return next(agent for agent in self.config.agents if agent.label == self.manifest.label)


def refused_agent(agent: AgentConfig) -> str | None:
    """Why this agent's answers are nobody's work, None if they may be submitted."""
    return _REFUSED_AGENTS.get(agent.spec.partition(":")[0])


def publishable(record: TrialRecord) -> TrialRecord:
    """A record that may leave the house: numbers stay, and all words go that could quote the ground truth.

    Evidence names the roots; notes, details and warnings may.
    """
    outcome = record.outcome
    return record.model_copy(
        update={
            "scores": {key: Score(values=score.values) for key, score in record.scores.items() if score.judged},
            "outcome": Outcome(status=outcome.status, cause=outcome.cause),
            "warnings": (),
            "evaluation": {key: str(record.evaluation[key]) for key in _STAMP if key in record.evaluation},
        }
    )


def folder_of(record: TrialRecord) -> str:
    """Where the files of a record's trial lie in the archive."""
    return trial_folder(folder_name(record.scenario), record.trial)


def started(record: TrialRecord) -> datetime:
    """When the trial began; a time without zone is UTC.

    Raises:
        ValueError: the record does not say so in ISO 8601.
    """
    moment = datetime.fromisoformat(record.timing.started_at)
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("before the year 1, or after 9999") from error


def read_submission(archive: Archive) -> Submission:
    """Read all claims of an opened archive.

    Raises:
        SubmissionError: a document is damaged, a file does not belong, a trial is missing or there twice, the agent is
            none that may be submitted, or a claim contradicts another.
    """
    config, lock = archive.document(CONFIGURATION, RunConfig), archive.document(LOCK, Lock)
    records = tuple(archive.document(name, TrialRecord) for name in archive.names if name.endswith(f"/{RESULT}"))
    for fault in _faults(archive, config, lock, records):
        raise SubmissionError(fault, path=archive.path)
    return Submission(archive.manifest, config, lock, records)


def _faults(archive: Archive, config: RunConfig, lock: Lock, records: tuple[TrialRecord, ...]) -> Iterator[str]:
    """What makes the claims unusable, the first reason first; later checks rely on earlier ones."""
    hashes = {entry.path: entry.sha256 for entry in archive.manifest.files}
    if hashes[CONFIGURATION] != lock.config:
        yield f"{CONFIGURATION} is not the configuration that {LOCK} locks"
    own = [agent for agent in config.agents if agent.label == archive.manifest.label]
    if len(own) != 1:
        yield f"the configuration has {len(own)} agents of the label that {MANIFEST} names"
    elif fault := refused_agent(own[0]):
        yield fault
    scenarios = frozenset(config.scenarios)
    wanted = len(config.scenarios) * config.trials
    if len(scenarios) != len(config.scenarios) or len(records) != wanted:
        yield f"the configuration plans {wanted:,} trials, the submission has {len(records):,}: none may be left out"
    yield from _text_faults((archive.manifest.label, *config.scenarios))
    for record in records:
        place = f"{folder_of(record)}/{RESULT}"
        if record.agent != archive.manifest.label or record.scenario not in scenarios or record.trial > config.trials:
            yield f"{place} is of another agent, scenario or trial than the run had"
        yield from _record_faults(record, place)
    results = {f"{folder_of(record)}/{RESULT}" for record in records}
    if len(results) != len(records) or not results <= hashes.keys():
        yield "a trial is there twice, or lies in another trial's folder"
    known = {f"{folder_of(record)}/{name}" for record in records for name in (RESULT, OUTPUT, TRAJECTORY)}
    replies = {name for name in hashes if config.judge is not None and _JUDGE_REPLY.fullmatch(name)}
    if stray := hashes.keys() - known - replies - {CONFIGURATION, LOCK}:
        yield f"{min(stray)!a} is no part of a submission"
    for record in records:
        if record.output_sha256 != hashes.get(f"{folder_of(record)}/{OUTPUT}"):
            yield f"{folder_of(record)}/{OUTPUT} is not the answer that {RESULT} was computed from"


def _record_faults(record: TrialRecord, place: str) -> Iterator[str]:
    yield from _text_faults((record.complexity or "", *record.metrics))
    if any(is_share(metric) and not 0 <= value <= 1 for metric, value in record.metrics.items()):
        yield f"{place} claims a share that is not between 0 and 1"
    amounts = [value for metric, value in record.metrics.items() if not is_share(metric)]
    amounts += [record.timing.wall_seconds, record.timing.agent_seconds, record.usage.cost_usd or 0.0]
    if not all(0 <= amount <= _LARGEST_AMOUNT for amount in amounts):
        yield f"{place} claims a time or a cost that cannot be"
    try:
        started(record)
    except ValueError:
        yield f"{place} does not say when the trial started"


def _text_faults(texts: Iterable[str]) -> Iterator[str]:
    """Names that go into tables must not be able to forge one."""
    for text in texts:
        try:
            if len(printable(text)) > 200:
                yield "a name is longer than 200 characters"
        except ValueError:
            yield f"{text[:100]!a} cannot be printed"
