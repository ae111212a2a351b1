"""SQL of untrusted authors, in a process of its own that can be limited and killed.

DuckDB can be told to leave files and settings alone, but not every function heeds its interrupts and its memory limit
(`repeat('x', 3000000000)` does not): the kernel's limits do.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from typing import Any

from itbench.model.errors import SnapshotError
from itbench.snapshot.layout import COSTS
from itbench.snapshot.store import VIEWS, Parts

MAX_ANSWER_BYTES = 64_000_000
_GRACE = 2.0  # seconds that DuckDB gets to heed an interrupt
_START = 30.0  # seconds that the process gets to start, on a machine that is busy
_ENVIRONMENT = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "LANG")


@dataclass(frozen=True, slots=True)
class Table:
    """The answer to an SQL query: JSON values, times as UTC text; `truncated` where there were more rows than asked for."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    truncated: bool = False


class SqlProcess:
    """Answers one query at a time; starts with the first one, and again after one that had to be killed."""

    def __init__(self, parts: Parts) -> None:
        self._parts = {family: [str(path) for path in paths] for family, paths in parts.items()}
        self._tables = (*VIEWS, *(family for family in self._parts if family in COSTS))
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, query: str, limit: int, timeout: float) -> Table:
        """The answer to one SELECT.

        Raises:
            SnapshotError: the query is not one SELECT, is wrong, or takes too much time or memory.
        """
        with self._lock:
            process = self._process or self._start()
            answer = self._exchange(process, {"query": query, "limit": limit, "timeout": timeout}, timeout + _GRACE)
        if error := answer.get("error"):
            raise SnapshotError(error, hint=f"Tables: {', '.join(self._tables)}")
        rows = tuple(tuple(row.values()) for row in answer["rows"])
        return Table(tuple(answer["columns"]), rows[:limit], len(rows) > limit)

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._kill()

    def _start(self) -> subprocess.Popen[bytes]:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "itbench.snapshot.sql_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
        )
        self._exchange(self._process, self._parts, _START)
        return self._process

    def _exchange(self, process: subprocess.Popen[bytes], question: Any, patience: float) -> Any:
        """Send one line and read one."""
        assert process.stdin is not None
        try:
            process.stdin.write(json.dumps(question).encode() + b"\n")
            process.stdin.flush()
            return json.loads(self._line(process, time.monotonic() + patience))
        except BaseException as error:
            self._kill()
            if isinstance(error, (EOFError, OSError, ValueError, RecursionError)):
                raise SnapshotError("the query ended the process that ran it: it needs too much memory") from error
            raise

    def _line(self, process: subprocess.Popen[bytes], deadline: float) -> bytes:
        assert process.stdout is not None
        descriptor = process.stdout.fileno()
        chunks: list[bytes] = []
        size = 0
        while not chunks or not chunks[-1].endswith(b"\n"):
            ready, _, _ = select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                raise SnapshotError("the query takes too long", hint="Narrow it down")
            chunk = os.read(descriptor, 1 << 16)
            size += len(chunk)
            if not chunk:
                raise EOFError
            if size > MAX_ANSWER_BYTES:
                raise SnapshotError(f"the answer is larger than {MAX_ANSWER_BYTES:,} bytes", hint="Ask for less")
            chunks.append(chunk)
        return b"".join(chunks)

    def _kill(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()
