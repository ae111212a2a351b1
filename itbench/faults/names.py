"""Names and values that faults make up: such as people give, and telling nothing."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy.random import Generator

_ALPHABET = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_LAST_NUMBER = re.compile(r"^(.*?)(\d+)(\D*)$", re.DOTALL)


def secret_text(rng: Generator) -> str:
    """A password."""
    return "".join(_ALPHABET[index] for index in rng.integers(0, len(_ALPHABET), 24))


def sibling(names: Sequence[str], rng: Generator) -> str:
    """A name that goes on where `names` end: node-7 after node-1 to node-3. It is none of these."""
    taken = set(names)
    last = max(names)
    found = _LAST_NUMBER.match(last)
    stem, number, end = (found[1], int(found[2]), found[3]) if found else (f"{last}-", 1, "")
    number += int(rng.integers(1, 6))
    while f"{stem}{number}{end}" in taken:
        number += 1
    return f"{stem}{number}{end}"


def first_free(candidates: Sequence[str], taken: Collection[str]) -> str:
    """The first candidate that is not taken; numbered where all are."""
    for name in candidates:
        if name not in taken:
            return name
    number = 2
    while f"{candidates[0]}-{number}" in taken:
        number += 1
    return f"{candidates[0]}-{number}"


def free_port(near: int, taken: Collection[int]) -> int:
    """A port as somebody would mistype it, on which nobody listens."""
    steps: tuple[int, ...] = (1, 10, 100, *range(2, 10), *range(11, 1000))
    numbers = (number for step in steps for number in (near + step, near - step))
    return next(number for number in numbers if number not in taken and 0 < number < 65536)
