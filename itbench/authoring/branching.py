"""Several futures of one world: each is played in a child process that inherits the world as it is.

A simulated world cannot be copied, for its kubelets are generators half-way through; but a process can be forked, and
shares with its child what neither of them changes.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Generic, TypeVar

from itbench.model.errors import ItbenchError, UsageError

T = TypeVar("T")


def futures(tasks: Sequence[Callable[[], T]], at_once: int = 1) -> list[T]:
    """What each task gives, in their order; what a task changes, the others and the caller do not see.

    Args:
        tasks: give something that can be pickled. Errors are defects: what can go wrong is part of what they give.
        at_once: processes.

    Raises:
        ItbenchError: a process was killed.
        UsageError: this system cannot fork.
        RuntimeError: a task raised an error.
    """
    if not hasattr(os, "fork"):
        raise UsageError("scenarios are checked on Linux and macOS only", hint="Use WSL on Windows.")
    found: list[T] = []
    running: list[_Child[T]] = []
    left = list(reversed(tasks))
    try:
        while left or running:
            while left and len(running) < at_once:
                running.append(_Child(left.pop()))
            found.append(running[0].result())
            running.pop(0)
    finally:
        for child in running:
            child.end()
    return found


class _Child(Generic[T]):
    """One task in a process of its own."""

    def __init__(self, task: Callable[[], T]) -> None:
        self._reading, writing = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        with warnings.catch_warnings():
            # Newer Pythons warn of threads that the child will not have; it needs none of them.
            warnings.simplefilter("ignore", DeprecationWarning)
            self._pid = os.fork()
        if self._pid == 0:
            os.close(self._reading)
            _run(task, writing)
        os.close(writing)

    def result(self) -> T:
        """Wait for it."""
        with os.fdopen(self._reading, "rb") as pipe:
            raw = pipe.read()
        os.waitpid(self._pid, 0)
        if not raw:
            raise ItbenchError("a process that played a possible future has died", hint="Is there enough memory?")
        value, problem = pickle.loads(raw)  # noqa: S301  what our own child wrote
        if problem is not None:
            raise RuntimeError(problem)
        result: T = value
        return result

    def end(self) -> None:
        """Stop it; harmless if it has ended."""
        with suppress(ProcessLookupError, ChildProcessError):
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)


def _run(task: Callable[[], object], writing: int) -> None:
    """The child's whole life: it must not return into what its parent was doing."""
    try:
        try:
            answer = pickle.dumps((task(), None))
        except Exception as error:
            answer = pickle.dumps((None, f"{type(error).__name__}: {error}"))
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(answer)
    finally:
        os._exit(0)
