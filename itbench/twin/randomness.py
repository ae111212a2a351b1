"""Counter-based random numbers: every draw is a function of (seed, entity, purpose, counter) and of nothing else.

Adding a service, a pod or a fault changes no draw of any other entity, so two worlds can be compared number by number
(common random numbers). The generator is Philox (Salmon et al., 2011): the key is a hash of seed, entity and purpose.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Philox gives four numbers for each value of its counter.
_WORDS = 4


@dataclass(frozen=True, slots=True)
class Streams:
    """All random streams of one seed.

    Attributes:
        skipped: added to every counter: for those who count ticks from a later one on.
    """

    seed: int
    skipped: int = 0

    def from_tick(self, first: int) -> Streams:
        """The same numbers for one who counts from tick `first` on."""
        return Streams(self.seed, self.skipped + first)

    def generator(self, entity: str, purpose: str, counter: int = 0) -> np.random.Generator:
        """The stream of an entity for a purpose, positioned at `counter` (a tick, an attempt): draws of any number."""
        return np.random.Generator(
            np.random.Philox(key=self._key(entity, purpose), counter=[0, 0, 0, self.skipped + counter])
        )

    def uniform(self, entity: str, purpose: str, counter: int = 0) -> float:
        """One draw from [0, 1)."""
        return float(self.generator(entity, purpose, counter).random())

    def uniforms(self, entity: str, purpose: str, first: int, ticks: int, width: int = 1) -> NDArray[np.float64]:
        """`width` draws from [0, 1) for each of `ticks` ticks from tick `first` on, all at once: shape (ticks, width).

        The row of a tick does not depend on where the block begins or ends.
        """
        blocks = -(-width // _WORDS)
        bits = np.random.Philox(key=self._key(entity, purpose), counter=[(self.skipped + first) * blocks, 0, 0, 0])
        return np.random.Generator(bits).random((ticks, blocks * _WORDS))[:, :width]

    def _key(self, entity: str, purpose: str) -> int:
        digest = hashlib.blake2b(f"{self.seed}\0{entity}\0{purpose}".encode(), digest_size=16).digest()
        return int.from_bytes(digest, "little")
