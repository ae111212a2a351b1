"""The bytes of a remote write, taken apart again."""

from __future__ import annotations

import math
import struct

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from itbench.environments.live.remote_write import STALE, Points, request_body


def varint(raw: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = raw[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def unpacked(block: bytes) -> bytes:
    """A snappy block of literals."""
    size, at = varint(block, 0)
    found = b""
    while at < len(block):
        assert block[at] & 3 == 0, "a literal"
        assert block[at] >> 2 == 63, "of four bytes of length"
        (length,) = struct.unpack_from("<I", block, at + 1)
        found += block[at + 5 : at + 6 + length]
        at += 6 + length
    assert len(found) == size
    return found


def fields(message: bytes) -> list[tuple[int, bytes | int | float]]:
    at, found = 0, list[tuple[int, bytes | int | float]]()
    while at < len(message):
        key, at = varint(message, at)
        if key & 7 == 0:
            value, at = varint(message, at)
            found.append((key >> 3, value))
        elif key & 7 == 1:
            found.append((key >> 3, struct.unpack_from("<d", message, at)[0]))
            at += 8
        else:
            length, at = varint(message, at)
            found.append((key >> 3, message[at : at + length]))
            at += length
    return found


@given(
    labels=st.dictionaries(st.text(min_size=1, max_size=20), st.text(min_size=1, max_size=300), min_size=1, max_size=5),
    samples=st.lists(st.tuples(st.integers(2**35, 2**42 - 1), st.floats(allow_nan=False)), min_size=1, max_size=50),
)
def test_labels_and_samples_are_there_again(labels: dict[str, str], samples: list[tuple[int, float]]) -> None:
    points = Points(labels, np.array([t for t, _ in samples]), np.array([v for _, v in samples]))
    series = fields(unpacked(request_body([points, points])))
    assert [number for number, _ in series] == [1, 1]
    for _, raw in series:
        parts = fields(raw)  # type: ignore[arg-type]
        pairs = [[text.decode() for _, text in fields(part)] for number, part in parts if number == 1]  # type: ignore[union-attr, arg-type]
        assert [(name, value) for name, value in pairs] == sorted(labels.items())
        found = [dict(fields(part)) for number, part in parts if number == 2]  # type: ignore[arg-type]
        assert [(each[2], each[1]) for each in found] == samples


def test_the_mark_of_an_ended_series_is_prometheus_own() -> None:
    assert math.isnan(STALE)
    assert struct.pack(">d", STALE).hex() == "7ff0000000000002"
    body = unpacked(request_body([Points({"a": "b"}, np.array([2**41]), np.array([STALE]))]))
    assert struct.pack("<d", STALE) in body
