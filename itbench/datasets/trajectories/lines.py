"""JSON Lines from anywhere, one line at a time: what is no JSON object is counted and located, and stops nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from itbench.model.errors import DatasetError
from itbench.scoring.strict_json import JsonError, parse_json

LONGEST_LINE = 50_000_000
_SHOWN = 20
_CHUNK = 1 << 20

Fields = dict[str, Any]


@dataclass(frozen=True, slots=True)
class LineProblem:
    """A line that was left out, and why."""

    line: int
    message: str


@dataclass(slots=True)
class Lines:
    """The objects of a file, with their line numbers; iterating reads it once.

    Attributes:
        malformed: lines left out so far.
        problems: the first 20 of them.
    """

    path: Path
    malformed: int = 0
    problems: list[LineProblem] = field(default_factory=list)

    def __iter__(self) -> Iterator[tuple[int, Fields]]:
        try:
            with self.path.open("rb") as stream:
                for number, raw in enumerate(_raw_lines(stream), start=1):
                    if raw is None:
                        self.leave_out(number, f"longer than {LONGEST_LINE:,} bytes")
                    elif raw.strip():
                        value = self._object(number, raw)
                        if value is not None:
                            yield number, value
        except OSError as error:
            raise DatasetError(f"cannot be read ({error.strerror})", path=self.path) from error

    def leave_out(self, line: int, message: str) -> None:
        """Note a line that cannot be used."""
        self.malformed += 1
        if len(self.problems) < _SHOWN:
            self.problems.append(LineProblem(line, message))

    def _object(self, number: int, raw: bytes) -> Fields | None:
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


def _raw_lines(stream: BinaryIO) -> Iterator[bytes | None]:
    """Lines; None for one that is too long to be held in memory."""
    while line := stream.readline(LONGEST_LINE):
        if len(line) < LONGEST_LINE or line.endswith(b"\n"):
            yield line
            continue
        while (rest := stream.readline(_CHUNK)) and not rest.endswith(b"\n"):
            pass
        yield None
