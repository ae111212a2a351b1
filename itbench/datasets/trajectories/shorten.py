"""JSON that is too long for memory, with its long texts cut: one giant output of a tool costs its middle, not the step."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

LONGEST_TEXT = 1_000_000

# What a string holds up to its closing quote, or to a backslash that ends the chunk. Possessive: linear.
_INSIDE = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)
_HALF_ESCAPE = re.compile(rb"\\(?:u[0-9a-fA-F]{0,3})?\Z|\\u[dD][89abAB][0-9a-fA-F]{2}\Z")


def shortened(chunks: Iterable[bytes], longest: int = LONGEST_TEXT) -> Iterator[bytes]:
    """The same JSON, where each string of more than `longest` bytes ends there and says how many were left out.

    Holds one chunk and one string at a time. What is no JSON comes out as no JSON.
    """
    text, left_out, inside, carried = bytearray(), 0, False, b""
    for fresh in chunks:
        chunk, at, carried = carried + fresh, 0, b""
        while at < len(chunk):
            if not inside:
                quote = chunk.find(b'"', at)
                end = len(chunk) if quote < 0 else quote + 1
                yield chunk[at:end]
                inside, at = quote >= 0, end
                continue
            end = _end(chunk, at)
            taken = min(end - at, longest - len(text))
            text += chunk[at : at + taken]
            left_out += end - at - taken
            at = end
            if chunk[end : end + 1] == b'"':
                yield _cut(text, left_out) + b'"' if left_out else bytes(text) + b'"'
                text, left_out, inside, at = bytearray(), 0, False, end + 1
            else:  # the chunk is over, or all but a backslash
                carried, at = chunk[end:], len(chunk)
    yield bytes(text) + carried


def _end(chunk: bytes, at: int) -> int:
    match = _INSIDE.match(chunk, at)
    assert match is not None  # it matches nothing at all, if need be
    return match.end()


def _cut(text: bytearray, left_out: int) -> bytes:
    """Without half a character or half an escape at its end."""
    whole = len(text)
    for _ in range(2):  # an escape begun after half a pair of them
        half = _HALF_ESCAPE.search(text, max(0, len(text) - 6))
        if half and _escapes(text, half.start() + 1):
            del text[half.start() :]
    while text and text[-1] & 0xC0 == 0x80:
        del text[-1:]
    if text and text[-1] >= 0xC0:
        del text[-1:]
    return bytes(text) + f" … [{left_out + whole - len(text):,} bytes left out]".encode()


def _escapes(text: bytearray, end: int) -> bool:
    """Whether the last byte before `end` is a backslash that takes the meaning of what follows."""
    start = end
    while start and text[start - 1] == 0x5C:
        start -= 1
    return bool((end - start) % 2)
