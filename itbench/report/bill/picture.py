"""Everything that a picture of a bill shows, as numbers and words; nothing here draws.

What a cause came to on each day is the cost of its rows over their usual course (itbench.tools.bills.shift), from its onset
on; which rows those are is the truth's to say, or, where there is no truth, what the baseline finds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from itbench.agents.baseline.cost_case import CostCase
from itbench.agents.baseline.cost_causes import causes_of
from itbench.datasets.truth_file import load_ground_truth
from itbench.model.cost import HIERARCHY, CostTruth
from itbench.model.errors import SnapshotError
from itbench.snapshot.cost_columns import LEVELS
from itbench.snapshot.snapshot import open_snapshot
from itbench.tools.bills.panel import Array, Panel
from itbench.tools.bills.shift import find_shift

SHOWN_DAYS = 70
_MOST_STEPS = 7


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """A cause over time: `excess` (d) is what its rows cost over their usual course."""

    title: str
    onset: date
    excess: Array


@dataclass(frozen=True, slots=True)
class Step:
    """A bar of the waterfall: the change of a mean day, of `title`."""

    title: str
    change: float
    caused: bool


@dataclass(frozen=True, slots=True)
class Tile:
    """A leaf of the treemap: cost of a mean day since the onset, and what it was before."""

    account: str
    service: str
    application: str
    cost: float
    before: float


@dataclass(frozen=True, slots=True, eq=False)
class BillPicture:
    """What a picture shows. Arrays are by day, the last SHOWN_DAYS of the bill.

    Attributes:
        title: of the scenario.
        subtitle: what it came to, in a sentence.
        days: of the arrays.
        total: cost of a day.
        anomaly: the day to be explained.
        window: first and last day over which steps and tiles are averaged, after the onset.
    """

    title: str
    subtitle: str
    currency: str
    days: tuple[date, ...]
    total: Array
    anomaly: date
    window: tuple[date, date]
    layers: tuple[Layer, ...]
    before: float
    after: float
    steps: tuple[Step, ...]
    tiles: tuple[Tile, ...]


@dataclass(frozen=True, slots=True)
class _Part:
    """A cause: its rows in the panel and the column of its onset."""

    title: str
    rows: tuple[int, ...]
    onset: int


def picture_of(folder: Path, title: str) -> BillPicture:
    """The picture of a scenario's folder; with its truth, if that was measured.

    Raises:
        SnapshotError: there is no bill.
        GroundTruthError: there is a truth that cannot be read.
    """
    truth_file = folder / "ground_truth.yaml"
    truth = load_ground_truth(truth_file).truth.cost if truth_file.is_file() else None
    with open_snapshot(folder) as snapshot:
        bill = snapshot.bill()
        if bill is None or not bill.rows:
            raise SnapshotError("there is no bill to draw", path=folder, hint="Expected data.csv with readable rows")
        case = CostCase(snapshot, bill)
        parts = _true_parts(truth, case) if truth is not None else _found_parts(case)
        return _picture(case, parts, title, truth, bill.currency or (truth.currency if truth else "USD"))


def _true_parts(truth: CostTruth, case: CostCase) -> list[_Part]:
    place_of = {group: place for place, group in enumerate(case.panel.groups)}
    column_of = dict(zip(LEVELS, HIERARCHY, strict=True))
    parts = []
    for cause in truth.causes:
        paths = [row.path for row in truth.attribution if row.cause == cause.cause]
        keys = [tuple(path.get(column_of.get(level, level), "") for level in case.levels) for path in paths]
        rows = tuple(dict.fromkeys(place_of[key] for key in keys if key in place_of))
        named = ", ".join(resource.name for resource in cause.resources)
        parts.append(_Part(f"{cause.cause.replace('_', ' ')}: {named}", rows, case.panel.column(cause.onset)))
    return parts


def _found_parts(case: CostCase) -> list[_Part]:
    return [
        _Part(
            f"{found.cause.replace('_', ' ')}: {', '.join(resource.name for resource in found.resources)}",
            tuple(leaf.place for leaf in found.rows),
            found.onset,
        )
        for found in causes_of(case)
    ]


def _picture(case: CostCase, parts: Sequence[_Part], title: str, truth: CostTruth | None, currency: str) -> BillPicture:
    panel = case.panel
    first = max(case.width - SHOWN_DAYS, 0)
    onset = min((part.onset for part in parts), default=case.day)
    after = slice(onset, case.width)
    before = slice(max(onset - 28, 0), onset)
    layers = tuple(Layer(part.title, case.date_of(part.onset), _excess(panel, part)[first:]) for part in parts if part.rows)
    means = [panel.cost[:, days].mean(axis=1) for days in (before, after)]
    amount = float(sum(layer.excess.sum() for layer in layers))
    subtitle = (
        f"{amount:,.0f} {currency} over the usual course since {case.date_of(onset)}, "
        f"{amount / max(float(panel.cost[:, after].sum()), 1e-9):.0%} of the bill of these days"
        if layers
        else "Nothing is out of course: the bill changes as it should."
    )
    return BillPicture(
        title=title,
        subtitle=subtitle if truth is not None else f"{subtitle} (found by the baseline: there is no measured truth)",
        currency=currency,
        days=panel.days[first:],
        total=panel.cost.sum(axis=0)[first:],
        anomaly=case.date_of(case.day),
        window=(case.date_of(onset), case.date_of(case.width - 1)),
        layers=layers,
        before=float(means[0].sum()),
        after=float(means[1].sum()),
        steps=tuple(_steps(case, parts, *means)),
        tiles=tuple(_tiles(case, *means)),
    )


def _excess(panel: Panel, part: _Part) -> Array:
    """(all days) What the rows of a cause cost over their usual course; together, so that what only moves cancels out."""
    found = np.zeros(panel.cost.shape[1])
    for row in part.rows:
        values = np.where(panel.recorded, panel.cost[row], np.nan)
        shift = find_shift(values, panel.first, onset=part.onset)
        if shift is not None:
            found[part.onset :] += np.nan_to_num(shift.residual[part.onset :])
    return found


def _steps(case: CostCase, parts: Sequence[_Part], before: Array, after: Array) -> list[Step]:
    """The rows that changed most, by name; the rest in one."""
    caused = {row for part in parts for row in part.rows}
    change = after - before
    order = sorted(range(len(change)), key=lambda row: (row not in caused, -abs(change[row])))
    shown = [row for row in order[:_MOST_STEPS] if abs(change[row]) > 0.002 * max(float(before.sum()), 1e-9)]
    steps = [Step(_short(case.panel.groups[row]), float(change[row]), row in caused) for row in shown]
    steps.sort(key=lambda step: (not step.caused, -step.change))
    rest = float(change.sum()) - sum(step.change for step in steps)
    return [*steps, Step("everything else", rest, caused=False)]


def _short(group: Sequence[str]) -> str:
    """The narrowest two values that there are."""
    return " · ".join([value for value in group if value][-2:]) or "-"


def _tiles(case: CostCase, before: Array, after: Array) -> list[Tile]:
    sums: dict[tuple[str, str, str], list[float]] = {}
    for row, group in enumerate(case.panel.groups):
        path = dict(zip(case.levels, group, strict=True))
        key = (path.get("account", ""), path.get("service", ""), path.get("application", ""))
        both = sums.setdefault(key, [0.0, 0.0])
        both[0] += float(before[row])
        both[1] += float(after[row])
    return [Tile(*key, cost=now, before=was) for key, (was, now) in sorted(sums.items()) if now > 0]
