"""The commands of ITBench's purple-agent exchange: START, GET <type>, DONE."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

TYPES = ("alerts", "metrics", "k8s_events", "k8s_objects", "otel_logs", "otel_traces")
LARGEST_DATA = 5_000_000


@dataclass(frozen=True, slots=True)
class Command:
    """What an agent asks for; `word` is empty if it is no command."""

    word: Literal["GET", "DONE", ""]
    rest: str = ""


def read_command(text: str) -> Command:
    """The first command of a message: `GET alerts`, or `DONE` with the answer behind it, if it is there."""
    for match in re.finditer(r"^[ \t]*(GET|DONE)\b[ \t:]*", text, re.MULTILINE):
        if match[1] == "DONE":
            return Command("DONE", text[match.end() :].strip())
        return Command("GET", text[match.end() :].split("\n", 1)[0].strip())
    return Command("")


def data_of(kind: str, files: Mapping[str, str]) -> str:
    """The files of a type as one JSON object; long ones are cut at a line, and say so."""
    if kind not in TYPES:
        return f"ERROR there is no type {kind[:80]!r}. Types: {', '.join(TYPES)}"
    chosen = {name: text for name, text in files.items() if _is_of(kind, name)}
    room = LARGEST_DATA
    told: dict[str, str] = {}
    for name, text in chosen.items():
        told[name] = text if len(text) <= room else text[: text.rfind("\n", 0, room) + 1]
        room -= len(told[name])
    cut = sum(map(len, told.values())) < sum(map(len, chosen.values()))
    return json.dumps({"type": kind, "truncated": cut, "files": told})


def _is_of(kind: str, name: str) -> bool:
    top, _, rest = name.partition("/")
    if kind in ("alerts", "metrics"):
        return top == kind if rest else name.startswith(kind)
    return name.startswith(kind)
