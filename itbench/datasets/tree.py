"""Build a value from the pieces of a document in the order in which a reader meets them.

Bounded in depth and in number of values, aliases expanded; nothing here calls itself, so depth costs no stack.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from pydantic import JsonValue

from itbench.datasets.findings import Key

MAX_DEPTH = 100
MAX_VALUES = 200_000
TOO_DEEP = f"nested more than {MAX_DEPTH} levels deep"


class UnreadableError(ValueError):
    """The document cannot be read; `line` is 1-based."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.line = line


class _Anchor(NamedTuple):
    """A complete value that has a name; `values` and `height` are what an alias of it adds."""

    value: JsonValue
    values: int
    height: int


@dataclass(slots=True)
class _Open:
    """A mapping or list that is still being read."""

    key: Key
    content: dict[str, JsonValue] | list[JsonValue]
    values_before: int
    anchor: str | None
    name: str | None = None
    merging: bool = False
    merged: list[JsonValue] = field(default_factory=list)
    height: int = 0


class TreeBuilder:
    """Takes pieces; `value` is the document once the last one is in.

    `lines` maps each key path to its 1-based line, `duplicates` lists keys that a mapping has twice (the last counts).
    Every method raises UnreadableError where a bound is broken or a piece does not fit.
    """

    def __init__(self) -> None:
        self.value: JsonValue = None
        self.lines: dict[Key, int] = {}
        self.duplicates: list[Key] = []
        self._open: list[_Open] = []
        self._anchors: dict[str, _Anchor] = {}
        self._values = 0

    @property
    def expects_key(self) -> bool:
        """Whether the next piece is the key of a mapping."""
        inner = self._open[-1] if self._open else None
        return inner is not None and isinstance(inner.content, dict) and inner.name is None

    def key(self, name: str, line: int) -> None:
        """The key that the next value belongs to."""
        inner = self._open[-1]
        inner.name = name
        path = (*inner.key, name)
        if name in inner.content:
            self.duplicates.append(path)
        self.lines[path] = line

    def open(self, content: dict[str, JsonValue] | list[JsonValue], line: int, anchor: str | None = None) -> None:
        """A mapping or list begins; `content` is empty."""
        key = self._key_of_next(line)
        self._open.append(_Open(key, content, self._values, anchor))
        self._count(1, line)
        if len(self._open) > MAX_DEPTH:
            raise UnreadableError(TOO_DEEP, line)

    def close(self) -> None:
        """The innermost mapping or list is complete."""
        done = self._open.pop()
        if isinstance(done.content, dict):
            for mapping in done.merged:
                done.content = {**_mapping(mapping), **done.content}
        self._name(done.anchor, _Anchor(done.content, self._values - done.values_before, done.height + 1))
        self._attach(done.content, done.height + 1)

    def scalar(self, value: JsonValue, line: int, anchor: str | None = None) -> None:
        """A single value."""
        self._key_of_next(line)
        self._count(1, line)
        self._name(anchor, _Anchor(value, 1, 0))
        self._attach(value, 0)

    def alias(self, name: str, line: int) -> None:
        """A value that was named before, once more."""
        anchor = self._anchors.get(name)
        if anchor is None:
            raise UnreadableError(f"the alias *{name} refers to itself or to nothing", line)
        self._key_of_next(line)
        self._count(anchor.values, line)
        if len(self._open) + anchor.height > MAX_DEPTH:
            raise UnreadableError(f"{TOO_DEEP} once aliases are expanded", line)
        self._attach(anchor.value, anchor.height)

    def merge_next(self) -> None:
        """The next value is a mapping whose keys are added to the innermost one, unless it has them itself."""
        self._open[-1].name = "<<"
        self._open[-1].merging = True

    def _key_of_next(self, line: int) -> Key:
        if not self._open:
            return ()
        inner = self._open[-1]
        if isinstance(inner.content, dict):
            return (*inner.key, inner.name or "")
        key = (*inner.key, len(inner.content))
        self.lines[key] = line
        return key

    def _count(self, values: int, line: int) -> None:
        self._values += values
        if self._values > MAX_VALUES:
            raise UnreadableError(f"holds more than {MAX_VALUES:,} values once aliases are expanded", line)

    def _name(self, anchor: str | None, value: _Anchor) -> None:
        if anchor is not None:
            self._anchors[anchor] = value

    def _attach(self, value: JsonValue, height: int) -> None:
        if not self._open:
            self.value = value
            return
        inner = self._open[-1]
        inner.height = max(inner.height, height)
        if isinstance(inner.content, list):
            inner.content.append(value)
        elif inner.merging:
            inner.merged += value if isinstance(value, list) else [value]
            inner.merging = False
        elif inner.name is not None:
            inner.content[inner.name] = value
        inner.name = None


def _mapping(value: JsonValue) -> dict[str, JsonValue]:
    if not isinstance(value, dict):
        raise UnreadableError("<< takes a mapping or a list of mappings")
    return value
