"""On which line a record of a CSV file begins: asked only where something is wrong with it."""

from __future__ import annotations

import csv
from collections.abc import Collection
from pathlib import Path

_MAX_FIELD = 10_000_000


def header_of(path: Path) -> tuple[str, ...]:
    """The first record of a CSV file, without spaces around its fields; () if there is none.

    Raises:
        OSError: the file cannot be read.
        csv.Error: it begins with no CSV.
    """
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
        csv.field_size_limit(max(csv.field_size_limit(), _MAX_FIELD))
        return tuple(field.strip() for field in next(csv.reader(stream), []))


def lines_of(path: Path, records: Collection[int], refused: Collection[int]) -> tuple[dict[int, int], dict[int, int]]:
    """The lines of records that were read, and of those that were refused, as far as they are found.

    Args:
        path: of the file.
        records: numbers of records among those that were read, from 1.
        refused: numbers of records among all, blank lines and the header included, from 1.
    """
    wanted, found, bad = set(records), {}, {}
    skipped = set(refused)
    if not wanted and not skipped:
        return {}, {}
    last_wanted, last_refused = max(wanted, default=0), max(skipped, default=0)
    read, ended = 0, 0
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
        lines = csv.reader(stream)
        try:
            for ordinal, fields in enumerate(lines, start=1):
                begins, ended = ended + 1, lines.line_num
                if ordinal in skipped:
                    bad[ordinal] = begins
                elif fields and ordinal > 1:
                    read += 1
                    if read in wanted:
                        found[read] = begins
                if read >= last_wanted and ordinal >= last_refused:
                    break
        except csv.Error:
            pass  # what could not be located goes without a line
    return found, bad
