"""Tools for an agent that works by calls alone: look at the visible set, and try an answer as the judge would.

What it tries runs in the judge's own sandbox, on the visible set or on examples of its own; the other sets are never there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from itbench.compliance.answer import MAX_FILE_BYTES, MAX_FILES, Files, pack, read_files
from itbench.compliance.asked import GIVEN, PROBLEM, Asked, asked_in
from itbench.compliance.engine import find_engine
from itbench.compliance.kyverno_policy import RefusedError, reaches_out, read_policies
from itbench.compliance.place import find_place
from itbench.compliance.policy import evaluate
from itbench.compliance.trying import try_answer
from itbench.compliance.variants import Variant, objects_of
from itbench.datasets.compliance_folder import read_tree
from itbench.model.compliance import REQUIRED, Judged
from itbench.model.errors import ItbenchError
from itbench.scoring.strict_json import JsonError
from itbench.tools.registry import ToolSpec
from itbench.tools.toolbox import ToolAnswer

_RESOURCES = "static-resources"
_LONGEST = 30_000
_MOST_FILES = 50
_MOST_BYTES = 1_000_000
_LOADER = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader


class _Arguments(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Nothing(_Arguments):
    pass


class _Path(_Arguments):
    path: Annotated[str, Field(description="as list_resources names it, such as static-resources/web.yaml")]


class _Files(_Arguments):
    files: Annotated[dict[str, str], Field(description="the files of the answer: names and texts")]


class _Trial(_Files):
    resources: Annotated[
        dict[str, str] | None,
        Field(description="an example of your own in place of the visible set: paths below static-resources/ and texts"),
    ] = None


@dataclass(frozen=True, slots=True)
class _Tool:
    description: str
    arguments: type[_Arguments]
    run: Callable[[Any], str]


class Workbench:
    """The tools of one trial.

    Args:
        folder: what the agent may see of the task.
        hidden: folders with the other sets and the solutions, which nothing that is tried may read.
    """

    def __init__(self, folder: Path, hidden: tuple[Path, ...] = ()) -> None:
        self._folder = folder
        self._hidden = hidden
        self._asked = asked_in(folder)
        self._tools = {
            "list_resources": _Tool("The files that you may read, and the objects in them.", _Nothing, self._list),
            "read_file": _Tool("The text of one file.", _Path, self._read),
            "lint": _Tool(
                "What is wrong with the policy of an answer before it is run: syntax, kind, builtins.", _Files, self._lint
            ),
            "try_policy": _Tool(
                "Run an answer as the judge would, on the visible set (which breaks the requirement: it must be false) "
                "or on an example of your own, and see what comes of it.",
                _Trial,
                self._try,
            ),
        }

    def specs(self) -> tuple[ToolSpec, ...]:
        """What a model is told of each tool."""
        return tuple(
            ToolSpec(name, tool.description, _plain(tool.arguments.model_json_schema()))
            for name, tool in self._tools.items()
        )

    def call(self, name: str, arguments: Mapping[str, Any]) -> ToolAnswer:
        """The answer of a tool. Never raises for what an agent wrote."""
        tool = self._tools.get(name)
        if tool is None:
            return ToolAnswer(f"error: there is no tool {name[:80]!r}. Tools: {', '.join(self._tools)}", is_error=True)
        try:
            return ToolAnswer(_bounded(tool.run(tool.arguments.model_validate(dict(arguments)))))
        except ValidationError as error:
            told = "; ".join(f"{'.'.join(map(str, one['loc'])) or 'arguments'}: {one['msg']}" for one in error.errors()[:5])
            return ToolAnswer(_bounded(f"error: {name}: {told}"), is_error=True)
        except ItbenchError as error:
            return ToolAnswer(_bounded(f"error: {name}: {error}"), is_error=True)

    def _visible(self) -> dict[str, bytes]:
        return read_tree(self._folder / _RESOURCES)

    def _list(self, _: _Nothing) -> str:
        lines = [PROBLEM]
        for path, content in read_tree(self._folder / GIVEN).items():
            lines.append(f"{GIVEN}/{path}: {len(content)} bytes")
        for path, content in self._visible().items():
            lines.append(f"{_RESOURCES}/{path}: {len(content)} bytes{_told(path, content)}")
        return "\n".join(lines)

    def _read(self, asked: _Path) -> str:
        path = PurePosixPath(asked.path)
        tree = {PROBLEM: (self._folder / PROBLEM).read_bytes()}
        for folder in (_RESOURCES, GIVEN):
            tree |= {f"{folder}/{name}": content for name, content in read_tree(self._folder / folder).items()}
        if str(path) not in tree:
            raise ItbenchError(f"there is no file {str(path)[:200]!r}", hint="list_resources names them")
        return tree[str(path)].decode(errors="replace")

    def _lint(self, asked: _Files) -> str:
        files = _read(asked.files).files
        missing = [name for name in REQUIRED[self._asked.kind] if not files.get(name, "").strip()]
        if missing:
            return f"missing: {', '.join(missing)}"
        if self._asked.policy_kind is not None:
            given = read_policies(self._asked.given, self._asked.policy_kind, any_number=True) if self._asked.given else ()
            try:
                found = read_policies(files["policy.yaml"], self._asked.policy_kind, [one.name for one in given])
            except RefusedError as error:
                return str(error.problem)
            return str(reaches_out(found) or "nothing found; what Kyverno itself says shows in try_policy")
        evaluated = asyncio.run(evaluate(files["policy.rego"], [b"{}"], find_engine(), find_place(self._hidden)))
        return str(evaluated.problem or "nothing found")

    def _try(self, asked: _Trial) -> str:
        answer = _read(asked.files)
        files = self._visible() if asked.resources is None else _example(asked.resources)
        if asked.resources is not None and self._asked.kind not in ("static-opa", "host-ansible-opa"):
            _require_objects(files)
        variant = Variant(_RESOURCES, "violating", files)
        place = find_place((self._folder.resolve(), *self._hidden))
        seen = asyncio.run(try_answer(self._asked, answer.files, [variant], place))
        return "\n".join((*answer.notes, _report(seen, self._asked)))


def _read(files: Mapping[str, str]) -> Files:
    """The files of an answer as the judge reads them: names that lead out of the workspace are left out, too."""
    try:
        return read_files(pack(files), MAX_FILES * MAX_FILE_BYTES)
    except JsonError as error:
        raise ItbenchError(f"files: {error.message}") from error


def _example(resources: Mapping[str, str]) -> dict[str, bytes]:
    """A set that an agent made up, as files."""
    try:
        files = {path: text.encode() for path, text in resources.items()}
    except UnicodeEncodeError as error:
        raise ItbenchError("resources: half a character (a lone surrogate) cannot be written") from error
    if len(files) > _MOST_FILES or sum(map(len, files.values())) > _MOST_BYTES:
        raise ItbenchError(f"an example has at most {_MOST_FILES} files and {_MOST_BYTES:,} bytes")
    if bad := next((path for path in files if not _is_inside(path)), None):
        raise ItbenchError(f"{bad[:200]!r} is no path below static-resources/")
    folders = {str(parent) for path in files for parent in PurePosixPath(path).parents}
    if both := next((path for path in files if str(PurePosixPath(path)) in folders), None):
        raise ItbenchError(f"{both!r} cannot be a file and a folder")
    return files


def _require_objects(files: Mapping[str, bytes]) -> None:
    """Refuse what is no set of Kubernetes objects, before anything is done with it; aliases could expand without end."""
    for path, content in files.items():
        try:
            if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(content, Loader=_LOADER)):
                raise ItbenchError(f"{path}: write aliases out; an example is read without them")
            found = list(objects_of({path: content}))
        except (yaml.YAMLError, RecursionError, ValueError) as error:
            raise ItbenchError(f"{path}: not YAML: {str(error)[:300]}") from error
        except (LookupError, TypeError) as error:
            raise ItbenchError(f"{path}: a List needs `items`, a list of objects") from error
        for number, one in enumerate(found, 1):
            metadata = one.get("metadata") if isinstance(one, dict) else None
            named = isinstance(metadata, dict) and isinstance(metadata.get("name"), str)
            if not named or not all(isinstance(one.get(key), str) for key in ("apiVersion", "kind")):
                raise ItbenchError(f"{path}: object {number} has no apiVersion, kind or metadata.name")


def _report(seen: Judged, asked: Asked) -> str:
    if seen.missing:
        return f"missing: {', '.join(seen.missing)}"
    lines = []
    for one in seen.tried:
        if asked.policy_kind is None:
            lines.append(
                f"collected: {one.fetched.problem or f'{one.fetched.size} bytes of JSON in {one.fetched.seconds:.1f} s'}"
            )
        lines.append(f"verdict: {one.verdict}{f' ({one.detail})' if one.detail else ''}")
    if seen.problem is not None:
        lines.append(f"problem: {seen.problem}")
    for rule in seen.kept:
        lines += [f"{rule.rule}: the same on {rule.same} of {rule.of} objects", *rule.differs]
    for point in seen.safety:
        lines += [f"unsafe: {point.name}: {line}" for line in point.evidence]
    return "\n".join(lines)


def _told(path: str, content: bytes) -> str:
    if not path.endswith((".yaml", ".yml", ".json")):
        return ""
    try:
        found = [f"{one['kind']} {one['metadata']['name']}" for one in objects_of({path: content})]
    except Exception:  # a stranger's file may hold anything; its size is enough
        return ""
    return f": {', '.join(found)}" if found else ""


def _is_inside(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return bool(parts) and path.isprintable() and parts[0] != "/" and ".." not in parts and len(path.encode()) <= 200


def _bounded(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}\n… {len(text) - _LONGEST:,} characters are left out"


def _plain(schema: dict[str, Any]) -> dict[str, Any]:
    schema.pop("title", None)
    schema.setdefault("properties", {})
    for value in schema["properties"].values():
        value.pop("title", None)
    return schema
