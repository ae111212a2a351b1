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
    held, depth, quoted, skip = bytearray(), 0, False, -1
    dropped = False
    while chunk:
        start = 0
        for match in _MARK.finditer(chunk):
            at, mark = match.start(), match[0]
            if at == skip:  # escaped
                continue
            if quoted:
                if mark == b"\\":
                    skip = at + 1
                elif mark == b'"':
                    quoted = False
                continue
            if mark == b'"':
                quoted = True
            elif mark in b"{[":
                depth += 1
                if depth == 1:
                    start = at + 1
            elif mark in b"}]" or (mark == b"," and depth == 1):
                depth -= mark != b","
                if mark == b"," or depth == 0:
                    held += chunk[start:at]
                    if dropped or len(held) > LONGEST_LINE:
                        yield None
                    elif held.strip():
                        yield bytes(held)
                    held.clear()
                    dropped, start = False, at + 1
                    if depth == 0:
                        return
        held += chunk[start:]
        if len(held) > LONGEST_LINE:
            dropped = True
            held.clear()
        skip -= len(chunk)
        chunk = stream.read(_CHUNK)
