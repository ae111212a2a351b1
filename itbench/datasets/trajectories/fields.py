"""Fields of hostile or merely odd JSON: of the type that is wanted, or absent."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any


def mapping(value: object) -> Mapping[str, Any]:
    """The object, an empty one where there is none."""
    return value if isinstance(value, dict) else {}


def mappings(value: object) -> Iterator[Mapping[str, Any]]:
    """The objects of a list."""
    yield from (item for item in value if isinstance(item, dict)) if isinstance(value, list) else ()


def string(value: object) -> str:
    """The text, empty where there is none."""
    return value if isinstance(value, str) else ""


def count(value: object) -> int | None:
    """A number of tokens."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def time(value: object) -> str | None:
    """An ISO 8601 time."""
    try:
        datetime.fromisoformat(string(value))
    except ValueError:
        return None
    return string(value)


def text_of(content: object) -> str:
    """The text of a message, which may come in parts; parts that are no text are named in its place."""
    if isinstance(content, list):
        return "\n".join(filter(None, map(_part, content)))
    return content if isinstance(content, str) else "" if content is None else json.dumps(content, ensure_ascii=False)


def arguments(value: object) -> tuple[dict[str, Any], str | None]:
    """A call's arguments, and their text where it is no JSON object."""
    if isinstance(value, dict):
        return value, None
    raw = string(value)
    try:
        read = json.loads(raw) if raw.strip() else {}
    except (ValueError, RecursionError):
        read = None
    return (read, None) if isinstance(read, dict) else ({}, raw)


def _part(part: object) -> str:
    if isinstance(part, str):
        return part
    fields = mapping(part)
    text = fields.get("text")
    return text if isinstance(text, str) else f"[{fields['type']}]" if isinstance(fields.get("type"), str) else ""
