"""The text of cells, as Python's csv module would write it, for rows of which most cells come again and again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

_SPECIAL = re.compile('["\t\r\n]')
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# What is remembered is bounded: the files may be large, and their cells need not repeat.
_REMEMBERED = 1 << 14


def quoted(text: str) -> str:
    """A text as a cell: in quotes, its own doubled, if it contains a quote, a tab or an end of line."""
    return '"' + text.replace('"', '""') + '"' if _SPECIAL.search(text) else text


class Cells:
    """Makes cells of texts, times and maps; remembers those that repeat."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self._seconds: dict[tuple[int, int], str] = {}
        self._maps: dict[int, tuple[Mapping[str, str], str]] = {}

    def text(self, text: str) -> str:
        """A text that probably repeats, such as a name."""
        cell = self._texts.get(text)
        if cell is None:
            cell = quoted(text)
            if len(self._texts) < _REMEMBERED:
                self._texts[text] = cell
        return cell

    def second(self, time: datetime) -> str:
        """A time cut to whole seconds, `2026-03-01 10:00:00` in UTC."""
        since = time - _EPOCH
        key = since.days, since.seconds
        cell = self._seconds.get(key)
        if cell is None:
            cell = time.astimezone(UTC).isoformat(" ", "seconds")[:19]
            if len(self._seconds) < _REMEMBERED:
                self._seconds[key] = cell
        return cell

    def time(self, time: datetime) -> str:
        """A time with nine digits of a second, as ClickHouse's DateTime64(9) prints it."""
        return f"{self.second(time)}.{time.microsecond:06d}000"

    def map(self, attributes: Mapping[str, str]) -> str:
        """A map as Python prints dicts; that of one object, used again and again, is printed once."""
        known = self._maps.get(id(attributes))
        if known is not None and known[0] is attributes:
            return known[1]
        cell = quoted(repr(dict(attributes)))
        if len(self._maps) < _REMEMBERED:
            self._maps[id(attributes)] = attributes, cell
        return cell
