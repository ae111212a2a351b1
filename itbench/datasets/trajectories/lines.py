"""JSON Lines from anywhere, one line at a time: what is no JSON object is counted and located, and stops nothing.

A line that is too long for memory is read with its long texts cut.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from itbench.datasets.trajectories.shorten import LONGEST_TEXT, shortened
from itbench.model.errors import DatasetError
from itbench.scoring.strict_json import JsonError, parse_json

LONGEST_LINE = 10_000_000
_SHOWN = 20
_CHUNK = 1 << 18

Fields = dict[str, Any]


@dataclass(frozen=True, slots=True)
class LineProblem:
    """A line that was left out or shortened, and why."""

    line: int
    message: str


@dataclass(slots=True)
class Lines:
    """The objects of a file, with their line numbers; iterating reads it once.

    Attributes:
        malformed: lines left out so far.
        problems: the first 20 of these and of lines that were shortened.
    """

    path: Path
    malformed: int = 0
    problems: list[LineProblem] = field(default_factory=list)

    def __iter__(self) -> Iterator[tuple[int, Fields]]:
        try:
            with self.path.open("rb") as stream:
                for number, (raw, size) in enumerate(_raw_lines(stream), start=1):
                    if raw is None:
                        self.leave_out(number, f"{size:,} bytes, and more than {LONGEST_LINE:,} with its long texts cut")
                    elif raw.strip():
                        if size > len(raw):
                            self._note(number, cut_message(size))
                        value = self._object(number, raw)
                        if value is not None:
                            yield number, value
        except OSError as error:
            raise DatasetError(f"cannot be read ({error.strerror})", path=self.path) from error

    def leave_out(self, line: int, message: str) -> None:
        """Note a line that cannot be used."""
        self.malformed += 1
        self._note(line, message)

    def _note(self, line: int, message: str) -> None:
        if len(self.problems) < _SHOWN:
            self.problems.append(LineProblem(line, message))

    def _object(self, number: int, raw: bytes | bytearray) -> Fields | None:
        try:
            value = parse_json(raw.decode("utf-8"))
        except UnicodeDecodeError as error:
            self.leave_out(number, f"not UTF-8 text (byte {error.start})")
        except JsonError as error:
            self.leave_out(number, error.message)
        else:
            if isinstance(value, dict):
                return value
            self.leave_out(number, "not a JSON object")
        return None


def _raw_lines(stream: BinaryIO) -> Iterator[tuple[bytes | bytearray | None, int]]:
    """Lines with their sizes; None for one that is too long even with its long texts cut."""
    while line := stream.readline(LONGEST_LINE):
        if len(line) < LONGEST_LINE or line.endswith(b"\n"):
            yield line, len(line)
        else:
            chunks = _Rest(stream, line)
            yield held(shortened(chunks), LONGEST_LINE), chunks.size


class _Rest:
    """A line in chunks, of which the first is read; `size` is that of all so far."""

    def __init__(self, stream: BinaryIO, first: bytes) -> None:
        self._stream, self._first, self.size = stream, first, 0

    def __iter__(self) -> Iterator[bytes]:
        first, self._first = self._first, b""
        self.size = len(first)
        for start in range(0, len(first), _CHUNK):
            yield first[start : start + _CHUNK]
        chunk = first
        while not chunk.endswith(b"\n") and (chunk := self._stream.readline(_CHUNK)):
            self.size += len(chunk)
            yield chunk


def cut_message(size: int) -> str:
    """What is said of a line or document that was read with its long texts cut."""
    return f"{size:,} bytes: of each text in it no more than {LONGEST_TEXT:,} are read"


def held(chunks: Iterable[bytes], most: int) -> bytearray | None:
    """All chunks as one, None if that is longer than `most`; they are read to the end in any case."""
    whole: bytearray | None = bytearray()
    for chunk in chunks:
        if whole is not None:
            whole += chunk
            whole = whole if len(whole) <= most else None
    return whole
