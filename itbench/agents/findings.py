"""Findings before the answer: an agent says what it holds for the cause, and the harness notes when.

Programs append a line to FINDINGS (`findings.jsonl` in their workspace); agents that call tools have `post_finding`.
The harness's own clock counts, not what a program writes. What a finding is worth: itbench.scoring.findings.
"""

from __future__ import annotations

import asyncio
import os
import stat
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

FILE = "findings.jsonl"
_LOOK_SECONDS = 0.25
_MOST_BYTES = 200_000
_MOST = 100


@dataclass(frozen=True, slots=True)
class Posted:
    """One finding as it came: `seconds` since the incident was handed over."""

    seconds: float
    text: bytes


class Findings:
    """Takes findings from now on; threads may share it. Too many, or too long ones, are dropped."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._posted: list[Posted] = []
        self._lock = Lock()

    def post(self, text: bytes) -> None:
        """Take one."""
        seconds = round(time.monotonic() - self._began, 3)
        with self._lock:
            if len(self._posted) < _MOST and text.strip() and len(text) <= _MOST_BYTES // _MOST * 5:
                self._posted.append(Posted(seconds, text.strip()))

    @property
    def posted(self) -> tuple[Posted, ...]:
        """In the order in which they came."""
        with self._lock:
            return tuple(self._posted)

    @asynccontextmanager
    async def followed(self, file: Path) -> AsyncIterator[None]:
        """Take the lines that a program appends to a file, as soon as they are whole; at the end the last one, too."""
        tail = _Tail(file)
        looking = asyncio.create_task(self._follow(tail))
        try:
            yield
        finally:
            looking.cancel()
            with suppress(asyncio.CancelledError):
                await looking
            for line in tail.lines(last=True):
                self.post(line)

    async def _follow(self, tail: _Tail) -> None:
        while True:
            for line in tail.lines():
                self.post(line)
            await asyncio.sleep(_LOOK_SECONDS)


class _Tail:
    """Reads on in a file that a hostile program writes: no link is followed, no pipe waited for, nothing long read."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._read = 0
        self._rest = b""

    def lines(self, *, last: bool = False) -> list[bytes]:
        """The lines since the last time; with `last` also one that has no end."""
        found = (self._rest + self._more()).split(b"\n")
        self._rest = b"" if last else found.pop()
        return found

    def _more(self) -> bytes:
        try:
            descriptor = os.open(self._file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return b""
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode) or self._read >= _MOST_BYTES:
                return b""
            raw = os.pread(descriptor, _MOST_BYTES - self._read, self._read)
        except OSError:
            return b""
        finally:
            os.close(descriptor)
        self._read += len(raw)
        return raw
