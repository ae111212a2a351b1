r"""The answer to a compliance task: a folder of files, as one JSON document so that a run can keep, replay and pack it.

{"files": {"fetch.sh": "#!/bin/bash\n…", "policy.rego": "package check\n…"}}
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from itbench.sandbox.output import OutputError, read_output
from itbench.scoring.answer_text import read_json_answer
from itbench.scoring.strict_json import JsonError

MAX_FILES = 32
MAX_FILE_BYTES = 1_000_000
_MOST_NOTES = 32
_LONGEST_NOTE = 200
# What the harness itself puts into a workspace, and what is made by running the answer.
_NOT_PART = frozenset({"agent_output.json", "TASK.md", "task.json", "trajectory.json", "collected_data.json"})


@dataclass(frozen=True, slots=True)
class Files:
    """The files of an answer: names without a path, texts in UTF-8. `notes` say what was left out and why."""

    files: Mapping[str, str]
    notes: tuple[str, ...] = ()


def pack_folder(folder: Path) -> bytes:
    """The regular files directly in a folder as one answer; what cannot be part of it is named under `left_out`."""
    files: dict[str, str] = {}
    left_out: dict[str, str] = {}
    for name in sorted(entry.name for entry in os.scandir(folder)):
        if name in _NOT_PART or name.startswith(".") or ((folder / name).is_dir() and not (folder / name).is_symlink()):
            continue
        if len(left_out) >= _MOST_NOTES:
            break  # nobody reads on
        if len(files) >= MAX_FILES:
            left_out[name] = f"more than {MAX_FILES} files"
            continue
        try:
            files[name] = read_output(folder, name, MAX_FILE_BYTES).decode("utf-8")
        except OutputError as error:
            left_out[name] = error.message
        except UnicodeDecodeError:
            left_out[name] = "not UTF-8 text"
    return json.dumps({"files": files, "left_out": left_out}).encode()


def pack(files: Mapping[str, str]) -> bytes:
    """Files as an answer."""
    return json.dumps({"files": dict(files)}).encode()


def read_files(raw: bytes, limit: int) -> Files:
    """The files of an answer.

    Raises:
        JsonError: it is not such a document.
    """
    if len(raw) > limit:
        raise JsonError(f"{len(raw):,} bytes, at most {limit:,} are read")
    value = read_json_answer(raw).value
    given = value.get("files") if isinstance(value, dict) else None
    if not isinstance(given, dict):
        raise JsonError(
            'a compliance answer is {"files": {"fetch.sh": "…", "policy.rego": "…"}}, or a folder of these files'
        )
    files: dict[str, str] = {}
    notes: list[str] = []
    assert isinstance(value, dict)
    left_out = value.get("left_out")
    if isinstance(left_out, dict):
        notes += [f"{name} is left out: {why}" for name, why in left_out.items()]
    for name, content in given.items():
        if not _is_plain(name) or not isinstance(content, str):
            notes.append(f"{name[:80]!r} is left out: neither a file name without a path nor a text")
        elif name in _NOT_PART:
            notes.append(f"{name} is left out: it is made by running the answer, or by the harness")
        elif len(files) >= MAX_FILES or len(content) > MAX_FILE_BYTES:
            notes.append(f"{name!r} is left out: at most {MAX_FILES} files of {MAX_FILE_BYTES:,} bytes are read")
        else:
            files[name] = content
    more = [f"and {len(notes) - _MOST_NOTES} more"] if len(notes) > _MOST_NOTES else []
    return Files(files, (*(note[:_LONGEST_NOTE] for note in notes[:_MOST_NOTES]), *more))


def _is_plain(name: str) -> bool:
    return 0 < len(name) <= 100 and name.isprintable() and "/" not in name and not name.startswith(".")
