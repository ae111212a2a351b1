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
from typing import Generic, TypeVar

from itbench.model.errors import ItbenchError, UsageError

T = TypeVar("T")


def futures(tasks: Sequence[Callable[[], T]], at_once: int = 1) -> list[T]:
    """What each task gives; what a task changes, the others and the caller do not see.

    Args:
        tasks: give something that can be pickled.
        at_once: processes.

    Raises:
        ItbenchError: a task raised it; the first one in their order.
        UsageError: this system cannot fork.
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
        reading, writing = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        with warnings.catch_warnings():
            # Newer Pythons warn of threads that the child will not have; it needs none of them.
            warnings.simplefilter("ignore", DeprecationWarning)
            self._pid = os.fork()
        if self._pid == 0:
            os.close(reading)
            _run(task, writing)
        os.close(writing)
        self._reading = reading

    def result(self) -> T:
        """Wait for it."""
        with os.fdopen(self._reading, "rb") as pipe:
            raw = pipe.read()
        os.waitpid(self._pid, 0)
        if not raw:
            raise ItbenchError("a process that played a possible future has died", hint="Is there enough memory?")
        value, error = pickle.loads(raw)
        if error is not None:
            raise error
        result: T = value
        return result

    def end(self) -> None:
        """Stop it; harmless if it has ended."""
        try:
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
        except (ProcessLookupError, ChildProcessError):
            return


def _run(task: Callable[[], object], writing: int) -> None:
    """The child's whole life: it must not return into what its parent was doing."""
    status = 1
    try:
        try:
            answer = pickle.dumps((task(), None))
        except Exception as error:  # of any kind: the parent raises it
            answer = _pickled(error)
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(answer)
        status = 0
    finally:
        os._exit(status)


def _pickled(error: Exception) -> bytes:
    try:
        raw = pickle.dumps((None, error))
        pickle.loads(raw)
    except Exception:  # whatever a foreign exception does when it is taken apart
        return pickle.dumps((None, ItbenchError(f"{type(error).__name__}: {error}")))
    return raw
