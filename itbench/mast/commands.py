"""What a tool call does, as far as its text tells: which data it asks for, what it writes, whether it changes anything."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

# Kinds of observability data; the words stand in tool names, file names and speech alike.
KINDS = {
    "alerts": r"alerts?|alert[_ ]?summary",
    "events": r"events?",
    "logs": r"logs?",
    "traces": r"traces?|spans?",
    "metrics": r"metrics?|prometheus|promql",
    "topology": r"topology|dependenc(?:y|ies)",
    "objects": r"objects?|manifests?|specs?|yaml|configmaps?|spec[_ ]change\w*",
    "costs": r"costs?|spend|billing",
}
_KINDS = {kind: re.compile(rf"(?<![a-z])(?:{words})(?![a-z])", re.IGNORECASE) for kind, words in KINDS.items()}
_CHANGES = re.compile(
    r"\b(?:kubectl\s+(?:\S+\s+){0,8}?(?:apply|patch|delete|scale|set|edit|create|replace|annotate|label)"
    r"|kubectl\s+(?:\S+\s+){0,8}?rollout\s+(?:restart|undo)"
    r"|helm\s+(?:install|upgrade|rollback|uninstall)|git\s+(?:commit|push|checkout|reset)|rm|mv|sed\s+-i|pip\s+install"
    r"|apt(?:-get)?\s+install|systemctl\s+(?:restart|stop|start))\b"
)
_CHANGING_TOOL = re.compile(r"(?:^|_)(?:apply|patch|delete|scale|restart|rollback|write|edit|create|update|set)(?:_|$)")
_REDIRECT = re.compile(r"(?<![0-9&=>-])>{1,2}\s*[\"']?(?!/dev/null|&)([\w./~$-]+)")
_COPY = re.compile(r"\b(?:tee(?:\s+-a)?|(?:cp|mv)\s+\S+)\s+[\"']?([\w./~-]+)")
_OPENED = re.compile(r"open\(\s*[\"']([^\"']+)[\"']\s*,\s*[\"'][wax]|[Pp]ath\(\s*[\"']([^\"']+)[\"']\s*\)\.write_")
_PATCHED = re.compile(r"^\*\*\* (?:Add|Update) File: (\S+)", re.MULTILINE)
_HEREDOC = re.compile(r"<<-?[ \t]*[\"']?(\w+)[\"']?[^\n]*\n")
_SHELL_WORDS = ("command", "cmd", "script", "code", "input")
_LONGEST = 20_000


def command_of(arguments: Mapping[str, Any]) -> tuple[str, bool]:
    """The text of a call, and whether it is a command line or code rather than named arguments."""
    for key in _SHELL_WORDS:
        given = arguments.get(key)
        if isinstance(given, list) and given and all(isinstance(part, str) for part in given):
            return (given[-1] if len(given) > 2 and given[1].startswith("-") else " ".join(given))[:_LONGEST], True
        if isinstance(given, str):
            return given[:_LONGEST], True
    return json.dumps(arguments, ensure_ascii=False, sort_keys=True)[:_LONGEST], False


def kinds_in(text: str) -> frozenset[str]:
    """The kinds of data that a text names."""
    return frozenset(kind for kind, pattern in _KINDS.items() if pattern.search(text))


def without_heredocs(command: str) -> str:
    """A command line without the texts that it writes."""
    kept, start = [], 0
    while opening := _HEREDOC.search(command, start):
        end = command.find(f"\n{opening[1]}", opening.end() - 1)
        kept.append(command[start : opening.end()])
        if end < 0:  # the text goes on to the end
            return "".join(kept)
        start = end + 1 + len(opening[1])
    return "".join([*kept, command[start:]])


def written_files(name: str, command: str, arguments: Mapping[str, Any], *, is_shell: bool) -> tuple[str, ...]:
    """The files that a call writes, as it names them."""
    if not is_shell:
        if not re.search(r"write|create|save|edit|patch", name, re.IGNORECASE):
            return ()
        keys = ("path", "file_path", "filename", "file", "target_file")
        return tuple(str(arguments[key]) for key in keys if isinstance(arguments.get(key), str))
    line = without_heredocs(command)
    found = [match[1] for pattern in (_REDIRECT, _COPY, _PATCHED) for match in pattern.finditer(line)]
    found += [first or second for first, second in _OPENED.findall(command)]
    found += _PATCHED.findall(command)
    return tuple(dict.fromkeys(found))


def changes_state(name: str, command: str, *, is_shell: bool) -> bool:
    """Whether a call changes the cluster, packages or files other than by writing one."""
    return bool(_CHANGES.search(without_heredocs(command)) if is_shell else _CHANGING_TOOL.search(name.lower()))


def reads_file(command: str, file: str) -> bool:
    """Whether a command line names a file in a part that does not write it."""
    parts = re.split(r"&&|\|\||;|\n", without_heredocs(command))
    return any(file in part and not _writes(part, file) for part in parts)


def _writes(part: str, file: str) -> bool:
    return any(match[1].endswith(file) for pattern in (_REDIRECT, _COPY) for match in pattern.finditer(part)) or bool(
        re.search(r"\.write_|[\"'][wa]b?[\"']\s*\)|\bjson\.dump\(", part)
    )
