"""Read sessions of whichever agent as trajectories, and say what could not be read."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from itbench.datasets.trajectories.claude import read_claude
from itbench.datasets.trajectories.codex import read_codex
from itbench.datasets.trajectories.fields import mapping, mappings
from itbench.datasets.trajectories.gemini import gemini_session, read_gemini
from itbench.datasets.trajectories.inspect_log import inspect_samples, is_inspect, read_eval_archive
from itbench.datasets.trajectories.json_array import array_elements
from itbench.datasets.trajectories.lines import LONGEST_LINE, LineProblem, Lines, cut_message, held
from itbench.datasets.trajectories.mast_data import GivenLabel, is_row, read_row
from itbench.datasets.trajectories.messages import chat_messages, is_message_list
from itbench.datasets.trajectories.openai_chat import chat_session, read_openai_chat
from itbench.datasets.trajectories.shorten import shortened
from itbench.model.errors import DatasetError
from itbench.model.trajectory import Trajectory

Format = Literal["atif", "codex", "claude", "gemini", "openai", "messages", "inspect", "mast-data"]
_LARGEST_DOCUMENT = 200_000_000
_LOOKED_AT = 50
_CHUNK = 1 << 18
_CODEX = frozenset({"session_meta", "response_item", "event_msg", "turn_context", "compacted"})
_CLAUDE = frozenset({"user", "assistant", "system", "result", "summary", "file-history-snapshot", "queue-operation"})
_READERS: dict[Format, Callable[[Lines], Trajectory]] = {
    "codex": read_codex,
    "claude": read_claude,
    "gemini": read_gemini,
    "openai": read_openai_chat,
}


@dataclass(frozen=True, slots=True)
class Converted:
    """A session as a trajectory. `malformed` lines were left out; `problems` locates the first 20 of them."""

    trajectory: Trajectory
    format: Format
    malformed: int = 0
    problems: tuple[LineProblem, ...] = ()


@dataclass(frozen=True, slots=True)
class Session:
    """One of the sessions of a file. `name` is empty where the file has but one.

    Attributes:
        converted: None where this one could not be read; `problem` says why.
        labels: what others said of it, in the label set of that name (the taxonomy's own if None).
    """

    name: str
    converted: Converted | None
    problem: str = ""
    labels: tuple[GivenLabel, ...] = ()
    label_set: str | None = None


def read_sessions(path: Path) -> Iterator[Session]:
    """All sessions of a file: one of most, many of Inspect logs and MAST-Data, which are read one at a time.

    Raises:
        DatasetError: it cannot be read, or no format fits.
    """
    if path.suffix == ".eval":
        for name, read in read_eval_archive(path):
            yield Session(name, None, read) if isinstance(read, str) else Session(name, Converted(read, "inspect"))
    elif path.suffix == ".json" and _holds_rows(path):
        yield from _rows(path)
    else:
        document = _document(path) if path.suffix == ".json" else None
        if isinstance(document, dict) and is_inspect(document):
            for name, trajectory in inspect_samples(document):
                yield Session(name, Converted(trajectory, "inspect"))
        else:
            yield Session("", read_session(path))


def _holds_rows(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            first = next(array_elements(stream), None)
    except ValueError:
        return False
    except OSError as error:
        raise DatasetError(f"cannot be read ({error.strerror})", path=path) from error
    return is_row(mapping(_value(first or b"")))


def _rows(path: Path) -> Iterator[Session]:
    with path.open("rb") as stream:
        for number, element in enumerate(array_elements(stream), start=1):
            fields = mapping(_value(element or b""))
            if not is_row(fields):
                yield Session(f"row-{number}", None, f"element {number} is no row of MAST-Data, or too long")
                continue
            row = read_row(fields, number)
            yield Session(row.name, Converted(row.trajectory, "mast-data"), "", row.labels, row.label_set)


def read_session(path: Path, format: Format | None = None) -> Converted:  # noqa: A002 - the word of the field
    """Read a session file: JSON Lines a line at a time, a single JSON document as a whole.

    Args:
        path: the file.
        format: which agent wrote it; found out from its first lines if not given.

    Raises:
        DatasetError: it cannot be read, or no format fits.
    """
    document = _document(path)
    if document is not None:
        converted, size = _from_document(path, document), path.stat().st_size
        told = (LineProblem(1, cut_message(size)),) if size > LONGEST_LINE else ()
        return replace(converted, problems=(*told, *converted.problems))
    found = format or _recognise(path)
    if found is None or found not in _READERS:
        raise DatasetError(
            "this is no session that itbench knows",
            path=path,
            hint="Known: Codex rollouts, Claude Code and Gemini CLI sessions, OpenAI chat logs, ATIF",
        )
    lines = Lines(path)
    trajectory = _READERS[found](lines)
    return Converted(trajectory, found, lines.malformed, tuple(lines.problems))


def _recognise(path: Path) -> Format | None:
    for _, line in islice(Lines(path), _LOOKED_AT):
        kind = line.get("type")
        if "payload" in line and kind in _CODEX:
            return "codex"
        if "$set" in line or ("sessionId" in line and "projectHash" in line) or ("id" in line and kind == "gemini"):
            return "gemini"
        if isinstance(line.get("role"), str) or "response" in line or isinstance(line.get("messages"), list):
            return "openai"
        if kind in _CLAUDE and ("sessionId" in line or "session_id" in line or "message" in line):
            return "claude"
    return None


def _document(path: Path) -> Any:
    """The value of a file that is one JSON document; None for JSON Lines."""
    try:
        with path.open("rb") as stream:
            head = _value(stream.readline(LONGEST_LINE))
            alone = not stream.read(1000).strip()
        if isinstance(head, dict):
            return head if alone and ("messages" in head or "schema_version" in head or "samples" in head) else None
        if head is not None:
            return head if alone else None
        return _value(_whole(path))
    except OSError as error:
        raise DatasetError(f"cannot be read ({error.strerror})", path=path) from error


def _whole(path: Path) -> bytes | bytearray:
    """A file; of one that is too long for memory the long texts are cut, and nothing comes of it if that is not enough."""
    with path.open("rb") as stream:
        if path.stat().st_size <= LONGEST_LINE:
            return stream.read()
        if path.suffix != ".json":  # JSON Lines, with a first line that is none
            return b""
        return held(shortened(iter(lambda: stream.read(_CHUNK), b"")), _LARGEST_DOCUMENT) or b""


def _value(text: bytes | bytearray) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _from_document(path: Path, document: Any) -> Converted:
    fields: Mapping[str, Any] = document if isinstance(document, dict) else {"messages": document}
    if str(fields.get("schema_version", "")).startswith("ATIF-"):
        return _atif(path, fields)
    if "sessionId" in fields and isinstance(fields.get("messages"), list):
        return Converted(gemini_session(fields), "gemini")
    messages = list(mappings(fields.get("messages")))
    if is_message_list(messages):
        return Converted(chat_session(chat_messages(messages), agent="messages"), "messages")
    if not any(isinstance(message.get("role"), str) for message in messages):
        raise DatasetError("this JSON document is no session that itbench knows", path=path)
    model = fields.get("model")
    return Converted(
        chat_session(messages, model=model if isinstance(model, str) else "", tools=fields.get("tools")), "openai"
    )


def _atif(path: Path, fields: Mapping[str, Any]) -> Converted:
    """ATIF of any 1.x. Keys that a later version may have are left out, and said to be."""
    problems: list[LineProblem] = []
    while True:
        try:
            return Converted(Trajectory.model_validate(fields), "atif", len(problems), tuple(problems[:20]))
        except ValidationError as error:
            errors = error.errors(include_url=False, include_input=False)
            surplus = [each["loc"] for each in errors if each["type"] == "extra_forbidden"]
            removed = [loc for loc in surplus if _remove(fields, loc)]
            if not removed:
                key = ".".join(map(str, errors[0]["loc"]))
                raise DatasetError(f"not ATIF: {errors[0]['msg']}", path=path, key=key) from None
            problems += [LineProblem(1, f"unknown key {'.'.join(map(str, loc))}, left out") for loc in removed]


def _remove(fields: Any, loc: tuple[int | str, ...]) -> bool:
    for part in loc[:-1]:
        try:
            fields = fields[part]
        except (KeyError, IndexError, TypeError):
            return False
    if isinstance(fields, dict) and loc[-1] in fields:
        del fields[loc[-1]]
        return True
    return False
