"""Fixed points of rounds that circle slowly towards them.

What a round learns at the bottom of the call graph reaches the top after as many rounds as the graph is deep, and only then
acts back on the load: such a circle of n rounds with gain g shrinks by g^(1/n) a round, which is hardly at all. The last
few rounds show how the change of a round follows from where it began; where that says that nothing would change is a
much better place to go on from.

Source: H. F. Walker, P. Ni, Anderson acceleration for fixed-point iterations, 2011 (type II; solved by its normal
equations, which are small).
"""

from __future__ import annotations

from collections import deque

import numpy as np

from itbench.twin.flow.moments import Array

# Of the normal equations, relative to their diagonal: directions that rounding blurs are left out.
_RIDGE = 1e-12


class Acceleration:
    """Where the next round should begin.

    Args:
        memory: how many rounds are remembered.
        first: rounds before that are taken as they are.
    """

    def __init__(self, memory: int, first: int) -> None:
        self._first = first
        self._turn = 0
        self._begins: deque[Array] = deque(maxlen=memory + 1)
        self._changes: deque[Array] = deque(maxlen=memory + 1)

    def follow(self, begin: Array, end: Array, weights: Array) -> Array:
        """From where a round began and ended to where the next one begins.

        Args:
            begin: a vector.
            end: another.
            weights: of their entries: how much a difference of 1 matters.
        """
        self._turn += 1
        if self._turn <= self._first:
            return end
        change = end - begin
        self._begins.append(begin)
        self._changes.append(change)
        if len(self._begins) < 2:
            return end
        changes = np.diff(np.stack(self._changes), axis=0)
        moves = np.diff(np.stack(self._begins), axis=0)
        weighted = changes * weights
        gram = weighted @ weighted.T
        scale = np.sqrt(np.maximum(np.diag(gram), 1e-300))
        gram /= scale[:, None] * scale
        gram[np.diag_indices_from(gram)] += _RIDGE
        gamma = np.linalg.solve(gram, (weighted @ (change * weights)) / scale) / scale
        return np.asarray(end - gamma @ (moves + changes), dtype=np.float64)
