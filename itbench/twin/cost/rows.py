"""The bill by row: account, provider, service, application tag and family, as data.csv has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from itbench.model.cost import HIERARCHY
from itbench.twin.cost.calendar import Floats
from itbench.twin.cost.world import World


class Path(NamedTuple):
    """Where a cost lies, in the order of HIERARCHY; an empty application is one that no tag names."""

    account: str
    csp: str
    service: str
    application: str
    family: str

    def columns(self) -> dict[str, str]:
        """Value by column of data.csv."""
        return dict(zip(HIERARCHY, self, strict=True))


@dataclass(slots=True, eq=False)
class Row:
    """One row of the hierarchy, by day: cost in US dollars, and units that run or are kept, on average."""

    cost: Floats
    units: Floats


def rows_of(world: World) -> Mapping[Path, Row]:
    """All rows, sorted."""
    found: dict[Path, Row] = {}
    days = world.calendar.days
    for line in world.lines:
        account = world.plan.account(line.plan.account)
        for part, family, label in line.stretches():
            path = Path(account.id, account.csp, world.plan.families[family].service, label, family)
            row = found.setdefault(path, Row(np.zeros(days), np.zeros(days)))
            row.cost[part] += line.cost[part]
            row.units[part] += line.use.units[part].mean(axis=1)
    return {path: found[path] for path in sorted(found)}


def difference(world: World, other: World) -> dict[Path, Floats]:
    """What one world costs more than another, by row and day."""
    mine, theirs = rows_of(world), rows_of(other)
    nothing = np.zeros(world.calendar.days)
    return {
        path: (mine[path].cost if path in mine else nothing) - (theirs[path].cost if path in theirs else nothing)
        for path in sorted({*mine, *theirs})
    }
