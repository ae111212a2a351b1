"""Where the rounds of demand and response come to rest, and what lies between two such points."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from itbench.twin.flow.conditions import Conditions
from itbench.twin.flow.moments import Array
from itbench.twin.flow.pressure import Usage
from itbench.twin.flow.response import Answers, Calls

BUSY = 0.7
"""The utilisation from which on pods and consumers are not at rest."""
FULL = 0.999
"""The utilisation from which on there is no stationary queue to speak of."""
_TINY = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Point:
    """Where the rounds stand: what one needs of the round before. Attributes as in Answers, Pressure and Flow."""

    answers: Answers
    arrivals: Array
    wait: Array
    dropped: Array
    answered: Array

    def distance(self, other: Point) -> float:
        """The largest change from here: of shares, and relative to their size of times and rates."""
        pairs = (
            (self.answers.times[0], other.answers.times[0], 1.0),
            (self.answers.times[1], other.answers.times[1], 1e-4),
            (self.arrivals, other.arrivals, _TINY),
            (self.wait, other.wait, 1e-4),
            (self.dropped, other.dropped, 1.0),
            (self.answered, other.answered, 1.0),
        )
        return max(float((np.abs(new - old) / (np.abs(new) + least)).max(initial=0.0)) for old, new, least in pairs)

    def vector(self) -> Array:
        """All that a round depends on besides the arrivals, in one row."""
        answers = self.answers
        parts = (answers.times, answers.slow, answers.degraded, self.wait, self.dropped, self.answered)
        return np.concatenate([part.ravel() for part in parts])

    def weights(self) -> Array:
        """How much a difference of 1 matters in each entry of the vector."""
        answers = self.answers
        share, mean, square = answers.times
        parts = (
            1 / (np.abs(share) + 1.0),
            1 / (np.abs(mean) + 1e-4),
            1 / (np.abs(square) + 1e-4),
            1 / (np.abs(answers.slow) + 1e-2),
            1 / (np.abs(answers.degraded) + 1.0),
            1 / (np.abs(self.wait) + 1e-4),
            1 / (np.abs(self.dropped) + 1.0),
            1 / (np.abs(self.answered) + 1.0),
        )
        return np.concatenate([part.ravel() for part in parts])

    def moved(self, vector: Array) -> Point:
        """The point whose vector this is, as far as there is such a point: shares and times are not negative."""
        answers, places = self.answers, np.maximum(vector, 0.0)
        parts, begin = [], 0
        for part in (answers.times, answers.slow, answers.degraded, self.wait, self.dropped, self.answered):
            parts.append(places[begin : begin + part.size].reshape(part.shape))
            begin += part.size
        times, slow, degraded, wait, dropped, answered = parts
        return Point(
            Answers(times, slow, degraded), self.arrivals, wait, np.minimum(dropped, 1.0), np.minimum(answered, 1.0)
        )


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """A fixed point.

    Attributes:
        rates: (t, call) attempts a second.
        rejections: (t, s) that each pod of a service asks the kernel for, a second; `answered` as in Flow.
        published, takes: (t, consumer) messages a second that come, and that could be consumed.
        settled: whether the rounds came to an end; a queue that feeds back may swing without one.
    """

    given: Conditions
    answers: Answers
    calls: Calls
    arrivals: Array
    rates: Array
    usage: Usage
    rejections: Array
    answered: Array
    published: Array
    takes: Array
    settled: bool

    def between(self, other: Solution, weights: Array) -> Solution:
        """Solutions between this one of a single tick and another; `weights` (t) are those of the other."""

        def mixed(one: Array, two: Array, axis: int) -> Array:
            w = weights.reshape(tuple(-1 if index == axis else 1 for index in range(one.ndim)))
            return one * (1 - w) + two * w

        return self._combined(other, mixed)

    def last(self) -> Solution:
        """The solution of its last tick alone."""
        if len(self.arrivals) == 1:
            return self
        return self._combined(self, lambda one, _, axis: one[:, -1:] if axis else one[-1:])

    def _combined(self, other: Solution, combine: Callable[[Array, Array, int], Array]) -> Solution:
        """Each array of this and of the other made into one, by the axis on which its ticks are."""
        mine, its, use, its_use = self.answers, other.answers, self.usage, other.usage
        return replace(
            self,
            answers=Answers(
                combine(mine.times, its.times, 1),
                combine(mine.slow, its.slow, 0),
                combine(mine.degraded, its.degraded, 0),
            ),
            calls=Calls(
                combine(self.calls.kept, other.calls.kept, 1),
                combine(self.calls.late, other.calls.late, 0),
                combine(self.calls.attempts, other.calls.attempts, 0),
                combine(self.calls.arriving, other.calls.arriving, 0),
            ),
            arrivals=combine(self.arrivals, other.arrivals, 0),
            rates=combine(self.rates, other.rates, 0),
            usage=Usage(
                combine(use.rho, its_use.rho, 1),
                combine(use.waiting, its_use.waiting, 1),
                combine(use.wait, its_use.wait, 0),
                combine(use.dropped, its_use.dropped, 0),
                combine(use.cores, its_use.cores, 0),
                combine(use.in_service, its_use.in_service, 0),
            ),
            rejections=combine(self.rejections, other.rejections, 0),
            answered=combine(self.answered, other.answered, 0),
            published=combine(self.published, other.published, 0),
            takes=combine(self.takes, other.takes, 0),
        )

    @property
    def busy(self) -> bool:
        """Whether some pod or consumer is so near its limit that queues matter."""
        ample = self.takes * BUSY >= self.published
        return bool(self.usage.rho.max(initial=0.0) > BUSY or not ample.all() or not self.settled)
