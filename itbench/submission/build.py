"""Pack one agent's part of a run into an archive that anybody can verify and that reveals nothing of the ground truth."""

from __future__ import annotations

import hashlib
import os
import stat
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from itbench import __version__
from itbench.judge.replies import Replies
from itbench.model.errors import SubmissionError
from itbench.model.trial import AgentConfig, TrialRecord
from itbench.runner.atomic import sync_folder
from itbench.runner.judging import judge_keys
from itbench.runner.store import RunStore
from itbench.submission.archive import LIMITS, open_archive
from itbench.submission.claims import folder_of, publishable, read_submission, refused_agent
from itbench.submission.manifest import (
    CONFIGURATION,
    LOCK,
    MANIFEST,
    OUTPUT,
    RESULT,
    TRAJECTORY,
    AgentCard,
    FileEntry,
    Manifest,
    judge_reply,
)

# The oldest time that a ZIP file can hold: equal runs make equal archives.
_TIME = (1980, 1, 1, 0, 0, 0)
_UNIX = 3


def build(run_dir: Path, out: Path, card: AgentCard, *, agent: str | None = None) -> Manifest:
    """Write the submission of one agent to `out`, whole or not at all; an existing file is never replaced.

    Args:
        run_dir: a run folder in which every planned trial has a record.
        out: the archive to write.
        card: the agent in its submitter's words.
        agent: label of the agent; may be left out where the run has only one.

    Raises:
        RunError: `run_dir` is no run folder, or is damaged.
        SubmissionError: `out` exists, the agent is not clear, or is the oracle or a replay, a trial is missing or was
            changed after it was scored, or the archive would exceed the limits.
    """
    store = RunStore.open(run_dir)
    chosen = _choose(store, agent)
    if out.exists():
        raise SubmissionError("there is such a file already", path=out, hint="Choose another --out")
    temporary = out.with_name(f".{out.name}.{os.getpid()}.tmp")
    try:
        manifest = _write(temporary, _members(store, _records(store, chosen)), chosen, card)
        with open_archive(temporary) as archive:
            read_submission(archive)
        # A link, unlike a rename, fails if somebody made the file meanwhile.
        os.link(temporary, out)
        sync_folder(out.parent)
    except FileExistsError as error:
        raise SubmissionError("there is such a file already", path=out, hint="Choose another --out") from error
    except OSError as error:
        raise SubmissionError(f"cannot be written ({error.strerror})", path=out) from error
    except zipfile.LargeZipFile as error:
        raise SubmissionError("the run is too large for one submission", path=run_dir) from error
    finally:
        temporary.unlink(missing_ok=True)
    return manifest


def _choose(store: RunStore, label: str | None) -> AgentConfig:
    agents = {agent.label: agent for agent in store.config.agents}
    known = ", ".join(agents)
    if label is None and len(agents) > 1:
        raise SubmissionError("the run has several agents", path=store.root, hint=f"Choose one with --agent: {known}")
    chosen = agents.get(label) if label is not None else next(iter(agents.values()), None)
    if chosen is None:
        raise SubmissionError(f"the run has no agent {label!r}", path=store.root, hint=f"It has: {known}")
    if fault := refused_agent(chosen):
        raise SubmissionError(fault, path=store.root)
    return chosen


def _records(store: RunStore, agent: AgentConfig) -> Iterator[TrialRecord]:
    for scenario in store.config.scenarios:
        for trial in range(1, store.config.trials + 1):
            record = store.record(agent.label, scenario, trial)
            if record is None:
                hint = f"Complete the run with: itbench resume {store.root}"
                raise SubmissionError(f"trial {trial} of {scenario} was not run", path=store.root, hint=hint)
            yield record


def _members(store: RunStore, records: Iterator[TrialRecord]) -> Iterator[tuple[str, bytes]]:
    for name in (CONFIGURATION, LOCK):
        yield name, _read(store.root / name)
    replies: set[str] = set()
    for record in records:
        replies |= judge_keys(record)
        folder = store.trial_dir(record.agent, record.scenario, record.trial)
        yield f"{folder_of(record)}/{RESULT}", publishable(record).model_dump_json(indent=1).encode()
        if record.output_sha256 is not None:
            answer = _read(folder / OUTPUT)
            if hashlib.sha256(answer).hexdigest() != record.output_sha256:
                raise SubmissionError("the answer was changed after it was scored", path=folder / OUTPUT)
            yield f"{folder_of(record)}/{OUTPUT}", answer
        if (folder / TRAJECTORY).exists():
            yield f"{folder_of(record)}/{TRAJECTORY}", _read(folder / TRAJECTORY)

    kept = Replies(store.judge_replies)
    for key in sorted(replies):
        if (reply := kept.find(key)) is not None:
            yield judge_reply(key), reply.publishable().model_dump_json(indent=1).encode()


def _read(path: Path) -> bytes:
    try:
        info = path.lstat()
        if not stat.S_ISREG(info.st_mode) or info.st_size > LIMITS.member:
            raise SubmissionError(f"not a file of at most {LIMITS.member:,} bytes", path=path)
        return path.read_bytes()
    except OSError as error:
        raise SubmissionError(f"cannot be read ({error.strerror})", path=path) from error


def _write(target: Path, members: Iterator[tuple[str, bytes]], agent: AgentConfig, card: AgentCard) -> Manifest:
    entries = []
    with target.open("xb") as stream:
        with zipfile.ZipFile(stream, "w", allowZip64=False) as pack:
            for name, content in members:
                _add(pack, name, content)
                entries.append(FileEntry(path=name, size=len(content), sha256=hashlib.sha256(content).hexdigest()))
            manifest = Manifest(itbench_version=__version__, label=agent.label, card=card, files=tuple(entries))
            _add(pack, MANIFEST, manifest.model_dump_json(indent=1).encode())
        stream.flush()
        os.fsync(stream.fileno())
    return manifest


def _add(pack: zipfile.ZipFile, name: str, content: bytes) -> None:
    info = zipfile.ZipInfo(name, _TIME)
    info.create_system = _UNIX
    info.external_attr = (stat.S_IFREG | 0o644) << 16
    # What would look like a ZIP bomb to the reader, such as an answer of blanks, travels as it is.
    bomb = len(content) > LIMITS.ratio_floor and len(content) > LIMITS.ratio * len(zlib.compress(content))
    info.compress_type = zipfile.ZIP_STORED if bomb else zipfile.ZIP_DEFLATED
    pack.writestr(info, content)
