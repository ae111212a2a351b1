"""How the service levels of an application moved with a fault: errors, latency and traffic of each service."""

from __future__ import annotations

import math
from typing import Literal

from pydantic import Field

from itbench.model.base import Model

Direction = Literal["up", "same", "down", "silent"]
"""`silent` where no request came any more; nothing can be said then of errors and latency."""

ERRORS = 0.05
"""Share of requests that must fail more (or less) than before to count as a move; as the gates of --env kind have it."""
LATENCY = 0.5
"""Decades that latency must move to count; by less it may be the machine (as in `compare.traffic`)."""
_LEAST = 5.0
"""Requests without which nothing can be said."""


class Level(Model):
    """What a service did during some time.

    Attributes:
        requests: that it answered.
        failed: of them.
        seconds: that it took for all of them together.
    """

    requests: float = Field(ge=0)
    failed: float = Field(ge=0)
    seconds: float = Field(ge=0)

    @property
    def share(self) -> float:
        """Of the requests that failed."""
        return min(self.failed / self.requests, 1.0)

    @property
    def latency(self) -> float:
        """Mean seconds a request."""
        return self.seconds / self.requests


class Shift(Model):
    """A service before a fault and under it."""

    before: Level
    under: Level

    def errors(self) -> Direction | None:
        """How its errors moved; None where it had nothing to do before."""
        if self.before.requests < _LEAST:
            return None
        if self.under.requests < _LEAST:
            return "silent"
        return _direction(self.under.share - self.before.share, ERRORS)

    def latency(self) -> Direction | None:
        """How its latency moved; None where it had nothing to do before."""
        if self.before.requests < _LEAST or self.before.latency <= 0:
            return None
        if self.under.requests < _LEAST or self.under.latency <= 0:
            return "silent"
        return _direction(math.log10(self.under.latency / self.before.latency), LATENCY)


def _direction(moved: float, enough: float) -> Direction:
    return "same" if abs(moved) < enough else "up" if moved > 0 else "down"
