"""The adversary on a cost anomaly: names everything that the bill has, at every level. Looking must score more."""

from __future__ import annotations

from pathlib import Path

from itbench.model.cost import DIMENSION_TYPES, HIERARCHY
from itbench.model.errors import SnapshotError
from itbench.snapshot.cost_columns import LEVELS
from itbench.snapshot.snapshot import open_snapshot

_MOST_OF_LEVEL = 300


def everything(folder: Path) -> dict[str, object]:
    """The answer that names every value of the hierarchy.

    Raises:
        SnapshotError: the folder holds no bill.
    """
    with open_snapshot(folder) as snapshot:
        bill = snapshot.bill()
        if bill is None:
            raise SnapshotError("there is no bill to look at", path=folder, hint="Expected data.csv")
        named = [
            {"name": str(value), "type": DIMENSION_TYPES.get(column, column)}
            for level, column in zip(LEVELS, HIERARCHY, strict=True)
            if level in bill.dimensions
            for (value,) in snapshot.query(
                f"SELECT {level} FROM stored.costs WHERE {level} <> '' GROUP BY 1 "  # noqa: S608 - a name of ours
                f"ORDER BY sum(abs(cost)) DESC, 1 LIMIT {_MOST_OF_LEVEL}"
            )
        ]
    return {"resource": named, "anomaly": True}
