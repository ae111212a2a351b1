"""Run the pending trials of a session, several at a time, and stop well when asked to."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from itbench.agents.taping import prepare
from itbench.model.trial import TrialRecord
from itbench.runner.boundary import guarded_boundary
from itbench.runner.evaluate import Evaluator
from itbench.runner.hiding import hidden_paths
from itbench.runner.pool import SnapshotPool
from itbench.runner.session import Session
from itbench.runner.trial import PlannedTrial, TrialRunner


class Progress(Protocol):
    """Is told how the run goes."""

    def begin(self, total: int) -> None:
        """`total` trials will run."""

    def started(self, planned: PlannedTrial) -> None:
        """A trial began."""

    def finished(self, record: TrialRecord) -> None:
        """A trial ended."""

    def stopping(self) -> None:
        """No new trials begin; the running ones are being finished."""


class Silent:
    """A Progress that says nothing."""

    def begin(self, total: int) -> None:
        """Say nothing."""

    def started(self, planned: PlannedTrial) -> None:
        """Say nothing."""

    def finished(self, record: TrialRecord) -> None:
        """Say nothing."""

    def stopping(self) -> None:
        """Say nothing."""


def run_pending(session: Session, progress: Progress | None = None, *, retry_failures: bool = False) -> bool:
    """Run what is pending; True if the run was interrupted.

    The first interrupt (Ctrl-C) lets running trials finish, the second cancels them; either way the run can be resumed.

    Raises:
        RunError: another process works on the run.
        UsageError: an agent lacks something that it needs, such as a key.
        SandboxError: no sandbox can be had, or the probe could read a ground truth.
    """
    with session.store.exclusively():
        pending = session.pending(retry_failures=retry_failures)
        if not pending:
            return False
        prepare(session.agents)  # a resumed run may have lost its key; one with nothing to do needs none
        try:
            return asyncio.run(_run_all(session, pending, progress or Silent()))
        finally:
            if session.live is not None:
                session.live.close()


async def _run_all(session: Session, pending: list[PlannedTrial], progress: Progress) -> bool:
    boundary = await guarded_boundary(session)
    read_only = boundary is not None and boundary.mode == "bubblewrap" and not session.in_process
    pool = SnapshotPool(session.store.work, (planned.scenario for planned in pending), shared=read_only)
    config = session.store.config
    hidden = hidden_paths(session.store.root, Path(config.dataset) if config.dataset else None, session.scenarios)
    trials = TrialRunner(session.store, Evaluator.of_run(config, session.rules), boundary, pool, session.live, hidden)
    todo = iter(pending)
    stop = asyncio.Event()
    progress.begin(len(pending))

    async def work() -> None:
        for planned in todo:  # shared by all workers
            if stop.is_set():
                return
            progress.started(planned)
            progress.finished(await trials.run(planned, session.agents[planned.agent.label]))

    try:
        async with asyncio.TaskGroup() as group, pool:
            workers = [group.create_task(work()) for _ in range(min(session.store.config.parallel, len(pending)))]
            with _interrupts(stop, workers, progress):
                await asyncio.wait(workers)
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return stop.is_set()


@contextmanager
def _interrupts(stop: asyncio.Event, workers: list[asyncio.Task[None]], progress: Progress) -> Iterator[None]:
    """While open, Ctrl-C sets `stop`; once more, or SIGTERM, cancels the workers."""

    def interrupt() -> None:
        if stop.is_set():
            terminate()
        else:
            stop.set()
            progress.stopping()

    def terminate() -> None:
        stop.set()
        for worker in workers:
            worker.cancel()

    loop = asyncio.get_running_loop()
    try:
        loop.add_signal_handler(signal.SIGINT, interrupt)
        loop.add_signal_handler(signal.SIGTERM, terminate)
    except (NotImplementedError, RuntimeError, ValueError):  # not the main thread, as inside a notebook: no handlers there
        yield
        return
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)
        loop.remove_signal_handler(signal.SIGTERM)
