"""Prometheus's remote write protocol (1.0), as far as one sends samples: a snappy block of one protobuf message.

Both forms are a page each, and nothing else here needs their libraries; the block is left uncompressed, which the format
permits, because it goes no further than this machine.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

HEADERS = {
    "Content-Type": "application/x-protobuf",
    "Content-Encoding": "snappy",
    "X-Prometheus-Remote-Write-Version": "0.1.0",
}
STALE = float(np.frombuffer(np.uint64(0x7FF0000000000002).tobytes(), dtype=np.float64)[0])
"""The NaN by which Prometheus marks that a series has ended."""
_SAMPLE = np.dtype([("head", "u1", 3), ("value", "<f8"), ("key", "u1"), ("time", "u1", 6)])
_FIELD = 0x0A  # field 1 of a message, of any length; samples are field 2 of a series


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """Some samples of one series; times are milliseconds since 1970, ascending, values may be `STALE`."""

    labels: Mapping[str, str]
    times: NDArray[np.int64]
    values: NDArray[np.float64]


def request_body(series: Iterable[Points]) -> bytes:
    """The body of one request."""
    return _block(b"".join(_field(_FIELD, _series(one)) for one in series))


def _series(one: Points) -> bytes:
    labels = b"".join(
        _field(_FIELD, _field(_FIELD, name.encode()) + _field(0x12, value.encode()))
        for name, value in sorted(one.labels.items())
        if value
    )
    return labels + _samples(one.times, one.values)


def _samples(times: NDArray[np.int64], values: NDArray[np.float64]) -> bytes:
    """Samples, all of one length: their times take six bytes until the year 2109."""
    rows = np.zeros(len(times), dtype=_SAMPLE)
    rows["head"] = (0x12, 16, 0x09)  # a sample of 16 bytes; its value
    rows["value"] = values
    rows["key"] = 0x10  # its time
    digits = (times[:, None] >> (7 * np.arange(6))) & 0x7F
    digits[:, :5] |= 0x80
    rows["time"] = digits
    return rows.tobytes()


def _field(key: int, content: bytes) -> bytes:
    return bytes((key,)) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    digits = bytearray()
    while value > 0x7F:
        digits.append(value & 0x7F | 0x80)
        value >>= 7
    digits.append(value)
    return bytes(digits)


def _block(content: bytes) -> bytes:
    """A snappy block that is one literal."""
    if not content:
        return b"\0"
    return _varint(len(content)) + b"\xfc" + struct.pack("<I", len(content) - 1) + content
