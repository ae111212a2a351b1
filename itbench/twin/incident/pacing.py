"""How faults and waiters wait on the twin: they let simulated time pass, in whole ticks."""

from __future__ import annotations

import math
from collections.abc import Callable


class TickPacer:
    """A `Pacer` of faults (itbench.faults) for simulated time.

    Args:
        advance: lets so many seconds pass, a whole number of ticks.
        tick: length of a tick in seconds.
        most: seconds to wait for one thing at most.
    """

    def __init__(self, advance: Callable[[float], None], tick: float, most: float = math.inf) -> None:
        self._advance = advance
        self._tick = tick
        self._most = most

    def sleep(self, seconds: float) -> None:
        """Let at least `seconds` pass."""
        seconds = min(seconds, self._most)
        if seconds > 0:
            self._advance(math.ceil(seconds / self._tick - 1e-9) * self._tick)

    def until(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Let time pass until a condition holds, but no more than `seconds` (rounded up to a tick)."""
        waited = 0.0
        while not condition():
            if waited >= min(seconds, self._most):
                return False
            self._advance(self._tick)
            waited += self._tick
        return True
