"""Where the boxes of a drawing in columns lie, so that lines between them are short and rarely cross.

The layout is Sugiyama's: a line that crosses columns gets a point in each, columns are ordered so that neighbours lie
near each other, and everything is moved towards the middle of what it is connected with.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TypeAlias

_SWEEPS = 24

Point: TypeAlias = tuple[str, int]
"""A box, or a point of a line in one column: a name that no other has, and the column."""


def place(column: Mapping[str, int], paths: Sequence[Sequence[Point]]) -> dict[Point, float]:
    """How far down each point lies, in rows from the top at 0.

    Args:
        column: of each box.
        paths: the points of each line, from box to box; between them one in each column that it crosses, named `…→…`.
    """
    near: dict[Point, list[Point]] = defaultdict(list)
    for path in paths:
        for one, other in itertools.pairwise(path):
            near[one].append(other)
            near[other].append(one)
    rows: dict[int, list[Point]] = defaultdict(list)
    for point in dict.fromkeys([*((name, number) for name, number in column.items()), *(p for path in paths for p in path)]):
        rows[point[1]].append(point)
    height = {point: float(index) for points in rows.values() for index, point in enumerate(points)}
    for sweep in range(_SWEEPS):
        for number in sorted(rows, reverse=bool(sweep % 2)):
            side = number + (1 if sweep % 2 else -1)
            beside = {point: [other for other in near[point] if other[1] == side] for point in rows[number]}
            wished = {point: _middle(height, beside[point], height[point]) for point in rows[number]}
            rows[number].sort(key=lambda point: (wished[point], height[point]))
            height.update({point: float(index) for index, point in enumerate(rows[number])})
    _relax(rows, near, height)
    lowest = min(height.values())
    return {point: y - lowest for point, y in height.items()}


def _relax(rows: Mapping[int, Sequence[Point]], near: Mapping[Point, Sequence[Point]], height: dict[Point, float]) -> None:
    """Move points towards their neighbours, without a change of order and never nearer than one row (half for lines)."""
    for sweep in range(_SWEEPS):
        for number in sorted(rows, reverse=bool(sweep % 2)):
            points = rows[number]
            wished = [_middle(height, near[point], height[point]) for point in points]
            gaps = [0.0, *(_gap(one, other, near) for one, other in itertools.pairwise(points))]
            placed: list[float] = []
            for wish, gap in zip(wished, gaps, strict=True):
                placed.append(max(wish, placed[-1] + gap) if placed else wish)
            # Pushing only downwards would drift: the column as a whole goes back to where it wants to be.
            shift = sum(wished) / len(wished) - sum(placed) / len(placed)
            height.update({point: y + shift for point, y in zip(points, placed, strict=True)})


def _gap(one: Point, other: Point, near: Mapping[Point, Sequence[Point]]) -> float:
    lines_only = sum("→" in name for name, _ in (one, other))
    return (1.0, 0.8, 0.35)[lines_only] if near else 1.0


def _middle(height: Mapping[Point, float], points: Sequence[Point], otherwise: float) -> float:
    return sum(height[point] for point in points) / len(points) if points else otherwise
