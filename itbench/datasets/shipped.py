"""Files that ship and that experts may edit, as typed documents."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from itbench.datasets.findings import dotted
from itbench.datasets.source import read_source
from itbench.model.base import Document
from itbench.model.errors import DatasetError

_Kind = TypeVar("_Kind", bound=Document)


def read_shipped(path: Path, kind: type[_Kind], hint: str) -> _Kind:
    """The document in a YAML file.

    Args:
        path: of the file.
        kind: what it must be.
        hint: where its keys are described.

    Raises:
        DatasetError: it cannot be read, or a key is missing, unknown or of the wrong type; with line and key.
    """
    source = read_source(path)
    try:
        return kind.model_validate(source.value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        key = first["loc"]
        raise DatasetError(
            first["msg"].removeprefix("Value error, "), path=path, line=source.line(key), key=dotted(key) or None, hint=hint
        ) from error
