"""A twin held against another environment over many faults: agreement of each aspect, with intervals.

The unit is the fault. The mean over faults has a bootstrap interval; the share of faults that agree in everything has
Wilson's (docs/statistics.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from itbench.model.base import Document, Model
from itbench.scoring.statistics import bootstrap_interval, wilson_interval
from itbench.twin.compare.agreement import ASPECTS, Aspect, AspectName

_SEED = 0
"""Of the resamples: equal agreements give equal intervals."""


class ComparedFault(Model):
    """What came of comparing one scenario.

    Attributes:
        faults: that it has.
        outcome: `environment_error` where one of the environments could not play it; `cause` says why.
        seconds: that were compared, from the fault on.
        aspects: of those that were compared.
    """

    scenario: str
    faults: tuple[str, ...]
    outcome: Literal["compared", "environment_error"]
    cause: str = ""
    seconds: float | None = None
    aspects: Mapping[AspectName, Aspect] = {}


class Agreement(Model):
    """How far two environments agree in one aspect, over faults.

    Attributes:
        mean, low, high: over the faults that tell something of it.
        n: how many these are.
        whole: share of them that agree in everything, and its interval.
    """

    mean: float | None
    low: float | None
    high: float | None
    n: int
    whole: float | None
    whole_low: float | None
    whole_high: float | None


class Validation(Document):
    """A twin against another environment.

    Attributes:
        environment: `hybrid` or `kind`.
        faults: scenario by scenario.
        agreement: by aspect.
    """

    environment: str
    faults: tuple[ComparedFault, ...]
    agreement: Mapping[AspectName, Agreement]

    @property
    def failed(self) -> tuple[ComparedFault, ...]:
        """Those that could not be compared."""
        return tuple(each for each in self.faults if each.outcome != "compared")


def validation(environment: str, faults: Sequence[ComparedFault]) -> Validation:
    """Sum faults up."""
    return Validation(
        environment=environment, faults=tuple(faults), agreement={name: _agreement(name, faults) for name in ASPECTS}
    )


def _agreement(name: AspectName, faults: Sequence[ComparedFault]) -> Agreement:
    told = [each.aspects[name].agreement for each in faults if name in each.aspects]
    values = [value for value in told if value is not None]
    interval = bootstrap_interval(values, np.random.default_rng(_SEED))
    whole = wilson_interval(sum(value == 1 for value in values), len(values))
    return Agreement(
        mean=interval.mean,
        low=interval.low,
        high=interval.high,
        n=interval.n,
        whole=whole.mean,
        whole_low=whole.low,
        whole_high=whole.high,
    )
