"""The tools over one snapshot: what there is to call, and calls.

    with Toolbox(open_snapshot(folder)) as toolbox:
        print(toolbox.call("alert_summary", {}).text)

Where the incident is live, its recording grows; a call sees it as it is then.

A call never raises for what an agent wrote: a wrong name or argument is answered with what would be right. Answers are text
of at most `max_chars` characters. The tools reach nothing but the snapshot, which has no ground truth in it, and the live
cluster where there is one.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from pydantic import ValidationError

from itbench.model.base import Domain
from itbench.model.errors import ItbenchError
from itbench.snapshot.snapshot import Snapshot
from itbench.tools.errors import did_you_mean
from itbench.tools.live import NOT_LIVE, LiveTools
from itbench.tools.refreshing import Refreshed
from itbench.tools.registry import Tool, ToolSpec, tools
from itbench.tools.render import MAX_CHARS, bounded

__all__ = ["ToolAnswer", "ToolSpec", "Toolbox"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ToolAnswer:
    """What the model reads; `is_error` where the call was wrong and the text says how to put it right."""

    text: str
    is_error: bool = False


class Toolbox:
    """The tools for one snapshot; a context manager that closes the snapshot. Threads may share it.

    Args:
        source: an open snapshot.
        domain: offer only the tools that serve its tasks; all by default.
        max_chars: the longest answer.
        live: what there is of a live incident; tools that need something of it are offered only with that.
    """

    def __init__(
        self,
        source: Snapshot,
        domain: Domain | None = None,
        *,
        max_chars: int = MAX_CHARS,
        live: LiveTools = NOT_LIVE,
    ) -> None:
        self._sessions = Refreshed(source, live)
        self._max_chars = max_chars
        self._tools = {
            name: each
            for name, each in tools().items()
            if (domain is None or domain in each.domains) and live.has(each.needs)
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the snapshot."""
        self._sessions.close()

    def specs(self) -> tuple[ToolSpec, ...]:
        """What a model is told of each tool, in a stable order."""
        return tuple(each.spec for each in self._tools.values())

    def call(self, name: str, arguments: Mapping[str, Any]) -> ToolAnswer:
        """The answer of a tool; an error that teaches, where the name or an argument is wrong."""
        found = self._tools.get(name)
        if found is None:
            hint = did_you_mean(str(name), self._tools) or ""
            return self._error(f"there is no tool {str(name)[:80]!r}. {hint} Tools: {', '.join(self._tools)}")
        try:
            with self._sessions.current() as session:
                return ToolAnswer(bounded(found(session, arguments), self._max_chars))
        except ValidationError as error:
            return self._error(_lesson(found, error))
        except ItbenchError as error:
            return self._error(f"{name}: {error}")
        except Exception as error:  # a defect of ours must not end the agent's work, and must be seen
            _log.exception("the tool %s failed", name)
            return self._error(f"{name}: a defect of itbench, {type(error).__name__}. Ask in another way")

    def _error(self, text: str) -> ToolAnswer:
        return ToolAnswer(bounded(f"error: {text}", self._max_chars), is_error=True)


def _lesson(wrong: Tool, error: ValidationError) -> str:
    """Each wrong argument with what is wrong, and what the tool takes."""
    known = wrong.spec.parameters["properties"]
    lines = []
    for each in error.errors(include_url=False)[:10]:
        place = ".".join(str(part) for part in each["loc"]) or "arguments"
        if each["type"] == "extra_forbidden":
            lines.append(f"{wrong.name} has no argument {place[:80]!r}. {did_you_mean(place, known) or ''}".rstrip())
        elif each["type"] == "missing":
            lines.append(f"{wrong.name} needs the argument {place!r}: {known.get(place, {}).get('description', '')}")
        else:
            lines.append(f"{place[:80]}: {each['msg']}, not {repr(each['input'])[:80]}")
    takes = [f"{name} ({_kind(schema)})" for name, schema in known.items()]
    return "\n".join([*lines, f"{wrong.name} takes: {', '.join(takes) or 'no arguments'}"])


def _kind(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return "one of " + ", ".join(map(str, schema["enum"]))
    return str(schema.get("type", "value"))
