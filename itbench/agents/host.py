"""Runs a Python agent inside the sandbox: `python host.py FOLDER MODULE ATTRIBUTE [--with INTERVENTIONS] [--check]`.

The attribute may be
- a function `(task: Task, workspace: pathlib.Path) -> answer | None`, plain or async,
- an object with such a function as `run`, or a class whose instances are such objects,
- an object with `step(messages, tools) -> message`, or a class of such: it is asked step by step (itbench.agents.stepping).
The answer is a dict or list (written as JSON), text, bytes, or None if the agent wrote the file itself.

It is started by its path and imports itbench late: under Landlock a folder that holds something hidden, such as a
checkout with scenarios/, cannot be listed, and Python's own import lists folders.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import inspect
import json
import sys
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any


class UnlistedFinder(MetaPathFinder):
    """Finds modules in folders that can be read but not listed, by trying the names that they would have."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,  # noqa: ARG002 (importlib's signature)
    ) -> ModuleSpec | None:
        """The module's spec, None if no folder has it."""
        name = fullname.rpartition(".")[2]
        for folder in sys.path if path is None else path:
            for file in (Path(folder, name, "__init__.py"), Path(folder, f"{name}.py")):
                if file.is_file():
                    return importlib.util.spec_from_file_location(fullname, file)
        return None


CHECK, WITH = "--check", "--with"


def main(folder: str, module: str, attribute: str, *options: str) -> None:
    """Import, call, and write the answer to the task's output file in the working directory; with CHECK only import."""
    sys.path[0] = folder  # instead of the folder of this file
    sys.meta_path.append(UnlistedFinder())
    from itbench.model.task import Task

    found = getattr(importlib.import_module(module), attribute)
    found = found() if inspect.isclass(found) else found
    guards = options[options.index(WITH) + 1] if WITH in options else ""
    stepwise = callable(getattr(found, "step", None))
    solve = None if stepwise else callable_of(found)
    if CHECK in options:
        return
    workspace = Path.cwd()
    task = Task.model_validate_json((workspace / "task.json").read_bytes())
    if solve is None or guards:
        from itbench.agents import guarded_host

        guarded_host.work(found, solve, guards, task, workspace)
        return
    answer = solve(task, workspace)
    if inspect.isawaitable(answer):
        answer = asyncio.run(_wait(answer))
    if answer is not None:
        (workspace / task.output_file).write_bytes(as_bytes(answer))


def callable_of(found: Any) -> Callable[[Any, Path], Any]:
    """The function to call for what a module offers.

    Raises:
        TypeError: nothing there can be called.
    """
    if inspect.isclass(found):
        found = found()
    solve: Callable[[Any, Path], Any] = getattr(found, "run", found)
    if not callable(solve):
        raise TypeError(f"{found!r} is neither a function nor an object with run()")
    return solve


def as_bytes(answer: Any) -> bytes:
    """An answer as the bytes of its file."""
    if isinstance(answer, bytes):
        return answer
    return (answer if isinstance(answer, str) else json.dumps(answer)).encode()


async def _wait(answer: Any) -> Any:
    return await answer


if __name__ == "__main__":
    main(*sys.argv[1:])
