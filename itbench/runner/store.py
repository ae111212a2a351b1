"""The run folder: what a run was asked, what it depends on, and every attempt at every trial.

    RUN/run.json  lock.json  isolation.json
    RUN/trials/<scenario>/<n>/          the latest attempt: task.json, agent_output.json, trajectory.json, events.jsonl,
                                        stdout.txt, stderr.txt, result.json
    RUN/attempts/<scenario>/<n>/<k>/    earlier attempts at the same trial
    RUN/judge/<sha256>.json             replies of a judge, if one was asked
    RUN/.work/<random>/                 attempts in progress
    RUN/interrupted/<random>/           what was left of attempts that the harness did not live to finish

With several agents, `trials` and `attempts` lie under `agents/<label>/`, where a dash stands for the label's colon. An
attempt is made in `.work` and renamed into place when it is complete, so that a trial is there whole or not at all,
whenever the harness is killed.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from itbench.model.errors import RunError, UnwritableError
from itbench.model.lock import Lock
from itbench.model.trial import RunConfig, TrialRecord
from itbench.runner.atomic import sync_folder, write_file, write_together
from itbench.sandbox.trees import discard

_STARTED = "started.json"
_WORKSPACE = "-workspace"
_Document = TypeVar("_Document", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt in progress: `record` becomes the trial's folder, `workspace` is the agent's, if it needs one."""

    record: Path

    @property
    def workspace(self) -> Path:
        """The folder that the agent may write to; whoever needs it makes it."""
        return self.record.with_name(self.record.name + _WORKSPACE)


class RunStore:
    """A run folder on disk. `damaged` names the result files that could not be read so far."""

    def __init__(self, root: Path, config: RunConfig, lock: Lock) -> None:
        self.root = root.absolute()  # programs get it in other working directories
        self.config = config
        self.lock = lock
        self.damaged: set[Path] = set()

    @classmethod
    def create(cls, root: Path, config: RunConfig, lock: Lock) -> RunStore:
        """Begin a run in a folder that is new or empty.

        Raises:
            RunError: the folder holds something already, or cannot be made.
        """
        try:
            if (root / "run.json").exists():
                raise RunError("this folder holds a run already", path=root, hint=f"Go on with: itbench resume {root}")
            root.mkdir(parents=True, exist_ok=True)
            # What a run leaves that was killed before it had begun is no run.
            occupied = any(path.name != "lock.json" and not path.name.endswith(".tmp") for path in root.iterdir())
        except OSError as error:
            raise RunError(
                f"cannot make a run folder here ({error.strerror})", path=root, hint="Choose another --out"
            ) from error
        if occupied:
            raise RunError("the folder for the run is not empty", path=root, hint="Choose another --out")
        write_file(root / "lock.json", lock.model_dump_json(indent=1).encode())
        write_file(root / "run.json", config_bytes(config))
        return cls(root, config, lock)

    @classmethod
    def open(cls, root: Path) -> RunStore:
        """Open a run folder.

        Raises:
            RunError: it is not one, or a file of it is damaged.
        """
        if not (root / "run.json").is_file():
            raise RunError("this is not a run folder: it has no run.json", path=root, hint="Start one with: itbench run")
        return cls(root, read_document(root / "run.json", RunConfig), read_document(root / "lock.json", Lock))

    @contextmanager
    def exclusively(self) -> Iterator[None]:
        """Hold the run, so that two processes do not work on it at once.

        Raises:
            RunError: another process holds it.
        """
        descriptor = os.open(self.root / ".lock", os.O_WRONLY | os.O_CREAT, 0o644)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise RunError("another itbench process is working on this run", path=self.root) from None
            self._set_aside_interrupted()
            yield
        finally:
            os.close(descriptor)

    @property
    def work(self) -> Path:
        """Where attempts are in progress."""
        return self.root / ".work"

    def _set_aside_interrupted(self) -> None:
        for leftover in self.work.iterdir() if self.work.is_dir() else ():
            if self._adopt(leftover):
                continue
            if (leftover / _STARTED).is_file():
                kept = self.root / "interrupted"
                kept.mkdir(exist_ok=True)
                leftover.rename(kept / leftover.name)
        if self.work.is_dir():
            discard(self.work)

    def _adopt(self, leftover: Path) -> bool:
        """Put an attempt into place that was complete when the harness was killed."""
        if not (leftover / "result.json").is_file():
            return False
        try:
            record = read_document(leftover / "result.json", TrialRecord)
        except RunError:
            return False
        self._put_in_place(leftover, record)
        return True

    def agent_root(self, label: str) -> Path:
        """The folder of one agent's trials: the run folder itself where it is the only one."""
        return self.root if len(self.config.agents) == 1 else self.root / "agents" / folder_name(label)

    def trial_dir(self, label: str, scenario: str, trial: int) -> Path:
        """Where the latest attempt at a trial lies, or will lie."""
        return self.agent_root(label) / "trials" / folder_name(scenario) / str(trial)

    def attempts_dir(self, label: str, scenario: str, trial: int) -> Path:
        """Where the earlier attempts at a trial lie."""
        return self.agent_root(label) / "attempts" / folder_name(scenario) / str(trial)

    def record(self, label: str, scenario: str, trial: int) -> TrialRecord | None:
        """The record of a trial, None if it was never finished or its file is damaged (see `damaged`)."""
        path = self.trial_dir(label, scenario, trial) / "result.json"
        try:
            return read_document(path, TrialRecord) if path.is_file() else None
        except RunError:
            self.damaged.add(path)
            return None

    def records(self) -> Iterator[TrialRecord]:
        """All records, in the order of the configuration: agents, scenarios, trials."""
        for agent in self.config.agents:
            for scenario in self.config.scenarios:
                for trial in range(1, self.config.trials + 1):
                    record = self.record(agent.label, scenario, trial)
                    if record is not None:
                        yield record

    def earlier_attempts(self, label: str, scenario: str, trial: int) -> int:
        """How many attempts precede the next one."""
        folder = self.attempts_dir(label, scenario, trial)
        kept = sum(1 for _ in folder.iterdir()) if folder.is_dir() else 0
        return kept + self.trial_dir(label, scenario, trial).is_dir()

    @contextmanager
    def attempt(self) -> Iterator[Attempt]:
        """A fresh place to work in, removed afterwards. Its name says nothing about the trial."""
        attempt = Attempt(self.work / secrets.token_hex(8))
        self.work.mkdir(exist_ok=True)
        attempt.record.mkdir()
        try:
            yield attempt
        finally:
            for folder in (attempt.record, attempt.workspace):
                if folder.exists():
                    discard(folder)

    def mark_started(self, attempt: Attempt, label: str, scenario: str, trial: int) -> None:
        """Leave a note of what the attempt is, for the case that the harness does not live to finish it."""
        note = {"agent": label, "scenario": scenario, "trial": trial}
        (attempt.record / _STARTED).write_text(json.dumps(note), encoding="utf-8")

    def commit(self, attempt: Attempt, record: TrialRecord, files: Mapping[str, bytes]) -> None:
        """Keep an attempt: its files and its result, whole. An earlier attempt moves aside and is never deleted.

        Raises:
            UnwritableError: it cannot be kept.
        """
        try:
            write_together(attempt.record, {**files, "result.json": record.model_dump_json(indent=1).encode()})
            self._put_in_place(attempt.record, record)
        except OSError as error:
            where = self.trial_dir(record.agent, record.scenario, record.trial)
            raise UnwritableError(
                f"a trial cannot be kept ({error.strerror})", path=where, hint="Make room, then: itbench resume"
            ) from error

    def amend(self, record: TrialRecord) -> None:
        """Replace the result of a trial whose attempt stays as it is, as when a judge has read its answer.

        Raises:
            UnwritableError: it cannot be written; the old result is left.
        """
        path = self.trial_dir(record.agent, record.scenario, record.trial) / "result.json"
        write_file(path, record.model_dump_json(indent=1).encode())

    @property
    def judge_replies(self) -> Path:
        """Where the replies of a judge are kept."""
        return self.root / "judge"

    def _put_in_place(self, folder: Path, record: TrialRecord) -> None:
        target = self.trial_dir(record.agent, record.scenario, record.trial)
        if target.is_dir():
            aside = self.attempts_dir(record.agent, record.scenario, record.trial)
            aside.mkdir(parents=True, exist_ok=True)
            target.rename(aside / str(sum(1 for _ in aside.iterdir()) + 1))
        target.parent.mkdir(parents=True, exist_ok=True)
        folder.rename(target)
        (target / _STARTED).unlink(missing_ok=True)
        sync_folder(target.parent)


def config_bytes(config: RunConfig) -> bytes:
    """run.json as it is written and hashed."""
    return config.model_dump_json(indent=1).encode()


def folder_name(name: str) -> str:
    """A name as one harmless path component."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", name.replace(":", "-")).lstrip(".") or "_"


def read_document(path: Path, kind: type[_Document]) -> _Document:
    """Read one JSON document of a run.

    Raises:
        RunError: it is missing or damaged; says which key.
    """
    try:
        return kind.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise RunError("the run folder lacks this file", path=path) from None
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise RunError(f"the file is damaged: {first['msg']}", path=path, key=key or None) from None
