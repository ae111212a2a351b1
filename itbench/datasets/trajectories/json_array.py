"""The elements of a large JSON array, one at a time: the file is never held as a whole."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from itbench.datasets.trajectories.lines import LONGEST_LINE

_CHUNK = 1 << 18
_MARK = re.compile(rb'["\\{}\[\],]')


def array_elements(stream: BinaryIO) -> Iterator[bytes | None]:
    """The bytes of each element of the array that a stream begins with; None for one longer than 50 MB.

    What follows the array is not looked at. An array that is cut ends with the last element that is whole.

    Raises:
        ValueError: the stream does not begin with an array.
    """
    chunk = stream.read(_CHUNK).lstrip(b"\xef\xbb\xbf \t\r\n")
    if not chunk.startswith(b"["):
        raise ValueError("no JSON array")
    return _elements(stream, chunk)


def _elements(stream: BinaryIO, chunk: bytes) -> Iterator[bytes | None]:
    held, scanner, dropped = bytearray(), _Scanner(), False
    while chunk and not scanner.over:
        start = 0
        for cut in scanner.cuts(chunk):
            held += chunk[start:cut]
            start = cut + 1
            if dropped or len(held) > LONGEST_LINE:
                yield None
            elif held.strip():
                yield bytes(held)
            held.clear()
            dropped = False
        held += chunk[start:]
        if len(held) > LONGEST_LINE:
            dropped = True
            held.clear()
        chunk = stream.read(_CHUNK)


class _Scanner:
    """Finds the brackets and commas of the outer array, across chunks."""

    def __init__(self) -> None:
        self.over = False
        self._depth = 0
        self._quoted = False
        self._escaped = -1  # position of a character that a backslash robs of its meaning

    def cuts(self, chunk: bytes) -> Iterator[int]:
        for match in _MARK.finditer(chunk):
            at, mark = match.start(), match[0]
            if self._quoted:
                self._in_string(at, mark)
            elif mark == b'"':
                self._quoted = True
            elif mark in b"{[":
                self._depth += 1
                if self._depth == 1:
                    yield at
            elif mark != b"\\":
                self._depth -= mark != b","
                if self._depth == 0 or (self._depth == 1 and mark == b","):
                    yield at
                if self._depth == 0:
                    self.over = True
                    return
        self._escaped -= len(chunk)

    def _in_string(self, at: int, mark: bytes) -> None:
        if at == self._escaped:
            return
        if mark == b"\\":
            self._escaped = at + 1
        elif mark == b'"':
            self._quoted = False
