"""Labels that people gave, from CSV or JSON. Format: docs/judge.md."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from itbench.datasets.files import read_bytes
from itbench.datasets.findings import dotted
from itbench.datasets.source import read_source
from itbench.model.agreement import Label
from itbench.model.errors import DatasetError

MAX_BYTES = 20_000_000
_NEEDED = tuple(name for name, info in Label.model_fields.items() if info.is_required())
_HINT = f"A label has {', '.join(_NEEDED)} and, where a run has several agents, agent; see docs/judge.md"


def read_labels(path: Path) -> tuple[Label, ...]:
    """The labels in a `.csv` file (a header, then a label a line) or a `.json` file (a list, or an object with `labels`).

    Raises:
        DatasetError: the file cannot be read, or a label in it is wrong; with line and key.
    """
    if path.suffix.lower() == ".csv":
        return tuple(_from_csv(path))
    return tuple(_from_json(path))


def _from_csv(path: Path) -> Iterator[Label]:
    try:
        text = read_bytes(path, MAX_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DatasetError("the file is not UTF-8 text", path=path) from None
    rows = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        missing = [name for name in _NEEDED if name not in (rows.fieldnames or ())]
        if missing:
            raise DatasetError(f"the header lacks {missing[0]!r}", path=path, line=1, hint=_HINT)
        for row in rows:
            if None in row or None in row.values():
                raise DatasetError("the line has another number of cells than the header", path=path, line=rows.line_num)
            known = {name: value for name, value in row.items() if name in Label.model_fields}
            yield _label(known, path, rows.line_num)
    except csv.Error as error:
        raise DatasetError(f"this is no CSV: {error}", path=path, line=rows.line_num) from None


def _from_json(path: Path) -> Iterator[Label]:
    source = read_source(path)
    prefix: tuple[str, ...] = ()
    value = source.value
    if isinstance(value, dict) and "labels" in value:
        value, prefix = value["labels"], ("labels",)
    if not isinstance(value, list):
        raise DatasetError("expected a list of labels", path=path, line=1, hint=_HINT)
    for at, given in enumerate(value):
        yield _label(given, path, source.line((*prefix, at)))


def _label(given: Any, path: Path, line: int) -> Label:
    try:
        return Label.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        key = dotted(first["loc"]) or None
        raise DatasetError(first["msg"], path=path, line=line, key=key, hint=_HINT) from None
