"""Measure what causes came to: the bill as it is, less the bill without them, on the same random numbers.

Where a cause sits: the first of Application, Instance Family, Cloud_Service, CSP and Account ID that all rows which it
made dearer have in common (rows that carry less than 5 % of the excess aside). Where cost only moved: the applications
that it moved from and to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from itbench.model.cost import DIMENSION_TYPES, Attribution, CauseClass, CostCause
from itbench.model.resource import Resource
from itbench.twin.cost.calendar import Floats
from itbench.twin.cost.rows import Path, difference
from itbench.twin.cost.world import World

LEAST_SHARE = 0.05
"""Of the excess: rows with less do not decide where a cause sits."""
DAYS_A_MONTH = 365 / 12
_LEVELS = (("application", "Application"), ("family", "Instance_Family"), ("service", "Cloud_Service"), ("csp", "CSP"))


@dataclass(frozen=True, slots=True, eq=False)
class Effect:
    """What one cause did.

    Attributes:
        excess: by row and day.
        onset: the day on which it began.
    """

    cause: CauseClass
    onset: int
    excess: Mapping[Path, Floats]

    @property
    def amounts(self) -> dict[Path, float]:
        """The excess of each row that it touched."""
        sums = {path: float(values.sum()) for path, values in self.excess.items()}
        largest = max(map(abs, sums.values()), default=0.0)
        return {path: amount for path, amount in sums.items() if abs(amount) > max(0.005 * largest, 0.01)}

    @property
    def total(self) -> Floats:
        """The excess of everything, by day."""
        found: Floats = np.sum(list(self.excess.values()), axis=0)
        return found


def effect(cause: CauseClass, onset: int, world: World, without: World) -> Effect:
    """What a cause did: `without` is the same world without it."""
    return Effect(cause, onset, difference(world, without))


def described(found: Effect, world: World) -> CostCause:
    """A cause in the form of the ground truth."""
    total = found.total
    amounts = found.amounts
    moved = min(sum(max(it, 0.0) for it in amounts.values()), -sum(min(it, 0.0) for it in amounts.values()))
    last = total[max(found.onset, len(total) - 7) :]
    only_moves = found.cause is CauseClass.MISTAGGING
    return CostCause(
        cause=found.cause,
        onset=world.calendar.dates[found.onset],
        amount=round(float(total.sum()), 2),
        monthly=round(float(last.mean()) * DAYS_A_MONTH, 2),
        moved=round(moved, 2) if only_moves else 0.0,
        resources=_both_sides(amounts) if only_moves else (_common(amounts),),
    )


def attributions(found: Effect) -> list[Attribution]:
    """The rows of one cause, the largest first."""
    ordered = sorted(found.amounts.items(), key=lambda item: (-abs(item[1]), item[0]))
    return [Attribution(path=path.columns(), amount=round(amount, 2), cause=found.cause) for path, amount in ordered]


def _common(amounts: Mapping[Path, float]) -> Resource:
    """What all dearer rows have in common."""
    excess = sum(amount for amount in amounts.values() if amount > 0)
    dearer = [path for path, amount in amounts.items() if amount > LEAST_SHARE * excess]
    for attribute, column in _LEVELS:
        values = {getattr(path, attribute) for path in dearer}
        if len(values) == 1 and "" not in values:
            return _resource(values.pop(), column)
    accounts: dict[str, float] = {}
    for path in dearer:
        accounts[path.account] = accounts.get(path.account, 0.0) + amounts[path]
    return _resource(max(sorted(accounts), key=accounts.__getitem__), "Account ID")


def _both_sides(amounts: Mapping[Path, float]) -> tuple[Resource, ...]:
    sides: dict[str, float] = {}
    for path, amount in amounts.items():
        sides[path.application] = sides.get(path.application, 0.0) + amount
    ordered = sorted((name for name in sides if name), key=lambda name: (-sides[name], name))
    return tuple(_resource(name, "Application") for name in ordered)


def _resource(name: str, column: str) -> Resource:
    return Resource(name=name, type=DIMENSION_TYPES.get(column, column))


def union(causes: Sequence[CostCause]) -> list[Resource]:
    """Every resource of some causes, once."""
    found: dict[tuple[str, str], Resource] = {}
    for cause in causes:
        for resource in cause.resources:
            found.setdefault((resource.type, resource.name), resource)
    return list(found.values())
