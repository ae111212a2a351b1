"""What a change of cost consists of: price, quantity and mix, to the last cent.

Of a pool of rows that are counted in the same units (those of one service), with units q, effective unit prices
u = cost / q, Q = Σq and U = cost / Q, before (0) and after (1):

    quantity  (Q₁ − Q₀) · U₀            more or fewer units, at the old mean price
    mix       Σ u₀ (q₁ − q₀) − quantity  dearer or cheaper kinds of units
    price     Σ (u₁ − u₀) q₁             the same units cost more or less

over the rows that are there before and after; rows that come or go are told apart, and so is what has no units. The six
parts add up to the change exactly, because each row's cost is in exactly one of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import fsum

_LEAST_UNITS = 1e-6
PARTS = ("price", "quantity", "mix", "new", "gone", "uncounted")


@dataclass(frozen=True, slots=True)
class Side:
    """Cost and units of a row in a period; units are None where the bill does not say."""

    cost: float
    units: float | None


@dataclass(frozen=True, slots=True)
class Change:
    """How a row, or a pool of rows, changed."""

    before: float
    after: float
    price: float = 0.0
    quantity: float = 0.0
    mix: float = 0.0
    new: float = 0.0
    gone: float = 0.0
    uncounted: float = 0.0

    @property
    def change(self) -> float:
        """After − before."""
        return self.after - self.before

    @property
    def parts(self) -> tuple[float, ...]:
        """In the order of PARTS."""
        return self.price, self.quantity, self.mix, self.new, self.gone, self.uncounted

    def __add__(self, other: Change) -> Change:
        ours, theirs = (self.before, self.after, *self.parts), (other.before, other.after, *other.parts)
        return Change(*(a + b for a, b in zip(ours, theirs, strict=True)))


def decompose(before: Mapping[str, Side], after: Mapping[str, Side]) -> Change:
    """The change of one pool of rows.

    Args:
        before: rows by name, as they were.
        after: as they are.
    """
    both = [name for name in before if name in after and _counted(before[name]) and _counted(after[name])]
    units0 = fsum(before[name].units or 0.0 for name in both)
    units1 = fsum(after[name].units or 0.0 for name in both)
    cost0 = fsum(before[name].cost for name in both)
    mean = cost0 / units0 if units0 else 0.0
    moved = fsum(_unit(before[name]) * ((after[name].units or 0.0) - (before[name].units or 0.0)) for name in both)
    quantity = (units1 - units0) * mean
    price = fsum(after[name].cost - _unit(before[name]) * (after[name].units or 0.0) for name in both)
    return Change(
        before=fsum(side.cost for side in before.values()),
        after=fsum(side.cost for side in after.values()),
        price=price,
        quantity=quantity,
        mix=moved - quantity,
        new=fsum(side.cost for name, side in after.items() if name not in before),
        gone=-fsum(side.cost for name, side in before.items() if name not in after),
        uncounted=fsum(after[name].cost - before[name].cost for name in before if name in after and name not in both),
    )


def total(changes: Iterable[Change]) -> Change:
    """The sum of several pools."""
    whole = Change(0.0, 0.0)
    for change in changes:
        whole += change
    return whole


def main_part(change: Change) -> str:
    """The part that explains most of a change."""
    sign = 1.0 if change.change >= 0 else -1.0
    return max(zip(PARTS, change.parts, strict=True), key=lambda pair: sign * pair[1])[0]


def _counted(side: Side) -> bool:
    """Whether there are units to speak of: a cost divided by next to nothing is no price, and its digits would be lost."""
    return side.units is not None and side.units > _LEAST_UNITS


def _unit(side: Side) -> float:
    return side.cost / side.units if side.units else 0.0
