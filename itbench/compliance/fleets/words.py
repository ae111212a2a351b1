"""Words and draws that fleets share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

_T = TypeVar("_T")

APPLICATIONS = tuple(
    "cart catalog checkout email frontend ledger mailer orders payments prices quotes reports reviews search shipping stock "
    "tax tracker vouchers web".split()
)
TEAMS = tuple("audit billing build data delivery finance growth media network platform quality retail risk".split())


def pick(rng: np.random.Generator, values: Sequence[_T]) -> _T:
    """One of the values."""
    return values[int(rng.integers(len(values)))]


def names(rng: np.random.Generator, words: Sequence[str], count: int) -> list[str]:
    """Different words, in random order."""
    return [words[index] for index in rng.permutation(len(words))[:count]]


def chance(rng: np.random.Generator, probability: float) -> bool:
    """True with the probability."""
    return bool(rng.random() < probability)
