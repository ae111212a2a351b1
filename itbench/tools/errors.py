"""What goes wrong between an agent and a tool: messages that teach the agent the next call."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from itbench.model.errors import ItbenchError


class ToolError(ItbenchError):
    """A call that cannot be answered; the message says what would be."""


def near(word: str, known: Iterable[str], count: int = 5) -> list[str]:
    """The names nearest to `word`, case aside: those that contain it (or the other way round), then the similar ones."""
    wanted = word.casefold()
    names = sorted(set(known))
    if not wanted:
        return []
    inside = sorted((name for name in names if wanted in name.casefold() or name.casefold() in wanted), key=len)
    by_case = {name.casefold(): name for name in names}
    alike = [by_case[key] for key in difflib.get_close_matches(wanted, by_case, n=count, cutoff=0.5)]
    return list(dict.fromkeys([*inside, *alike]))[:count]


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """A hint that names the nearest names, or else some that there are; None where there is none at all."""
    names = sorted(set(known))
    if found := near(word, names):
        return f"Did you mean {' or '.join(found)}?"
    return f"Known, for example: {', '.join(names[:10])}" if names else None
