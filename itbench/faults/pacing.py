"""How a fault waits: on a real cluster by waiting, on a twin by letting simulated time pass."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

_POLL_SECONDS = 1.0


class Pacer(Protocol):
    """Lets time pass in a cluster."""

    def sleep(self, seconds: float) -> None:
        """Let `seconds` pass in the cluster."""
        ...

    def until(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Let time pass until a condition holds, but no more than `seconds`.

        Returns:
            Whether it holds.
        """
        ...


class WallPacer:
    """Waits in real time.

    Args:
        poll: seconds between two looks at a condition.
    """

    def __init__(self, poll: float = _POLL_SECONDS) -> None:
        self._poll = poll

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(max(seconds, 0.0))

    def until(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Wait until a condition holds; it is asked at least once."""
        end = time.monotonic() + seconds
        while not condition():
            left = end - time.monotonic()
            if left <= 0:
                return False
            time.sleep(min(self._poll, left))
        return True
