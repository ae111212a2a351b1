"""Areas in proportion to amounts, as square as they get: Bruls, Huizing and van Wijk's squarified treemap."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Box(NamedTuple):
    """A rectangle."""

    x: float
    y: float
    width: float
    height: float


def squarify(amounts: Sequence[float], box: Box) -> list[Box]:
    """A rectangle for each amount, in their order; amounts are positive and fall from the first to the last.

    The areas are to that of `box` as the amounts are to their sum.
    """
    total = sum(amounts)
    if not amounts or total <= 0:
        return []
    areas = [amount / total * box.width * box.height for amount in amounts]
    found: list[Box] = []
    left = box
    row: list[float] = []
    for area in areas:
        side = min(left.width, left.height)
        if row and _worst([*row, area], side) > _worst(row, side):
            boxes, left = _laid(row, left)
            found += boxes
            row = []
        row.append(area)
    boxes, _ = _laid(row, left)
    return found + boxes


def _worst(row: Sequence[float], side: float) -> float:
    """The worst ratio of sides in a row along `side`."""
    total = sum(row)
    return max(max(side**2 * area / total**2, total**2 / (side**2 * area)) for area in row)


def _laid(row: Sequence[float], box: Box) -> tuple[list[Box], Box]:
    """The boxes of a row, and what is left of `box`."""
    total = sum(row)
    boxes, at = [], 0.0
    if box.width >= box.height:
        depth = total / box.height
        for area in row:
            boxes.append(Box(box.x, box.y + at, depth, area / depth))
            at += area / depth
        return boxes, Box(box.x + depth, box.y, max(box.width - depth, 0.0), box.height)
    depth = total / box.width
    for area in row:
        boxes.append(Box(box.x + at, box.y, area / depth, depth))
        at += area / depth
    return boxes, Box(box.x, box.y + depth, box.width, max(box.height - depth, 0.0))
