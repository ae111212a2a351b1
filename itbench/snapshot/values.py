"""Values of the store as callers get them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from itbench.model.errors import SnapshotError
from itbench.snapshot.text import parse_attributes, parse_json


def utc(time: datetime) -> datetime:
    """A time of the store, which keeps UTC without saying so."""
    return time.replace(tzinfo=UTC)


def mapped(text: str) -> dict[str, str]:
    """Labels or attributes; empty where there are none that can be read."""
    return dict(parse_attributes(text) or {})


def manifest_of(text: str, kind: str) -> dict[str, Any]:
    """An object; lists leave out the kind of their items.

    Raises:
        SnapshotError: it is nested too deeply to be read.
    """
    found = parse_json(text)
    if not isinstance(found, dict):
        raise SnapshotError("the manifest of an object is nested too deeply to be read")
    found.setdefault("kind", kind)
    return found
