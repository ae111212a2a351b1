"""Logs of Inspect: one file of many samples, `.json` or the zip archive `.eval`. No package of Inspect is needed."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from itbench.datasets.trajectories.fields import mapping, mappings, string
from itbench.datasets.trajectories.openai_chat import chat_session
from itbench.model.errors import DatasetError
from itbench.model.trajectory import Trajectory

_LARGEST_SAMPLE = 100_000_000
_MOST_SAMPLES = 100_000


def read_eval_archive(path: Path) -> Iterator[tuple[str, Trajectory | str]]:
    """(name, trajectory) of each sample of an `.eval` file; instead of a trajectory the reason why there is none.

    Raises:
        DatasetError: it is no such archive.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            header = mapping(_member(archive, "header.json")) if "header.json" in archive.namelist() else {}
            names = [name for name in archive.namelist() if name.startswith("samples/") and name.endswith(".json")]
            for name in names[:_MOST_SAMPLES]:
                try:
                    yield _named(mapping(_member(archive, name)), mapping(header.get("eval")))
                except (ValueError, RecursionError) as error:
                    yield Path(name).stem, f"{name}: {error}"
    except NotImplementedError as error:  # zipfile's word for a compression that it does not know
        hint = "Convert it with: inspect log convert --to json"
        raise DatasetError(f"compressed in a way that Python cannot read ({error})", path=path, hint=hint) from error
    except (zipfile.BadZipFile, OSError) as error:
        raise DatasetError(f"no Inspect log: {error}", path=path) from error


def is_inspect(document: Mapping[str, Any]) -> bool:
    """Whether a JSON document is a whole Inspect log."""
    return "eval" in document and isinstance(document.get("samples"), list)


def inspect_samples(document: Mapping[str, Any]) -> Iterator[tuple[str, Trajectory]]:
    """(name, trajectory) of each sample of a log in JSON."""
    for sample in mappings(document.get("samples")):
        yield _named(sample, mapping(document.get("eval")))


def _member(archive: zipfile.ZipFile, name: str) -> Any:
    with archive.open(name) as stream:
        content = stream.read(_LARGEST_SAMPLE + 1)
    if len(content) > _LARGEST_SAMPLE:
        raise ValueError(f"longer than {_LARGEST_SAMPLE:,} bytes")
    return json.loads(content)


def _named(sample: Mapping[str, Any], run: Mapping[str, Any]) -> tuple[str, Trajectory]:
    messages = [_chat(message) for message in mappings(sample.get("messages"))]
    name = f"{sample.get('id', 'sample')}-{sample.get('epoch', 1)}"
    return name, chat_session(messages, model=string(run.get("model")), agent="inspect")


def _chat(message: Mapping[str, Any]) -> Mapping[str, Any]:
    """Inspect names the function of a call where the protocol has an object, and has reasoning among the content."""
    calls = [
        {"id": call.get("id"), "function": {"name": call.get("function"), "arguments": call.get("arguments")}}
        for call in mappings(message.get("tool_calls"))
    ]
    content = message.get("content")
    thoughts = [string(part.get("reasoning")) for part in mappings(content) if part.get("type") == "reasoning"]
    if isinstance(content, list):
        content = [part for part in content if mapping(part).get("type") != "reasoning"]
    return {**message, "name": None, "content": content, "tool_calls": calls, "reasoning": "\n".join(thoughts)}
