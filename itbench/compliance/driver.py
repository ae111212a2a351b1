"""Runs inside the sandbox, by itself: evaluate one policy on many inputs, and print one line of JSON for each.

usage: driver.py cli PROGRAM SECONDS | driver.py wheel FOLDER SECONDS     (policy.rego and input-*.json lie here)

A line holds `input` and one of `result` (a list: empty if undefined), `errors` (code, message, row, col) or `timeout`.
After an input that took too long the others are not tried.
"""

import importlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

QUERY, DECISION = "data.check.result", "check/result"
CANCELLED = "eval_cancel_error"
_ERROR = re.compile(r"policy\.rego:(?P<row>\d+): (?P<code>\w+): (?P<message>[^\n]*)(?:\n\t[^\n]*\n\t(?P<pad>[ \t]*)\^)?")


def by_program(program: str, path: Path, seconds: int) -> dict[str, Any]:
    """Evaluate by the opa program."""
    command = [program, "eval", "--format", "json", "--capabilities", "capabilities.json", "--timeout", f"{seconds}s"]
    command += ["--data", "policy.rego", "--input", str(path), QUERY]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=seconds + 5)
    except subprocess.TimeoutExpired:
        return {"timeout": True}
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        return {
            "errors": [
                {"code": "engine", "message": (done.stderr or done.stdout or f"opa ended with {done.returncode}")[-500:]}
            ]
        }
    if answer.get("errors"):
        errors = [found(error) for error in answer["errors"]]
        if any(error["code"] == CANCELLED for error in errors):
            return {"timeout": True}
        return {"errors": errors}
    return {"result": [expression["value"] for row in answer.get("result", []) for expression in row["expressions"]]}


def found(error: dict[str, Any]) -> dict[str, Any]:
    """An error of the program with its place."""
    place = error.get("location") or {}
    return {
        "code": error.get("code", ""),
        "message": error.get("message", ""),
        "row": place.get("row"),
        "col": place.get("col"),
    }


def together(program: str, paths: list[Path], seconds: int) -> "list[dict[str, Any]] | None":
    """Evaluate many inputs by one start of the program; None if not all were done, and each must be tried by itself.

    This command of the program takes no capabilities: what they forbid must have been refused before, on another input.
    """
    command = [program, "exec", "--bundle", ".", "--decision", DECISION, "--timeout", f"{seconds}s", *map(str, paths)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=seconds + 5)
        said = {one["path"]: one for one in json.loads(done.stdout)["result"]}
        return [told_of(said[str(path)]) for path in paths]
    except (subprocess.TimeoutExpired, ValueError, LookupError, TypeError):
        return None


def told_of(one: dict[str, Any]) -> dict[str, Any]:
    """One answer of `together`."""
    if "error" not in one:
        return {"result": [one["result"]]}
    error = found(one["error"])
    if error["code"] == "opa_undefined_error":
        return {"result": []}
    if error["code"] == CANCELLED:
        raise LookupError
    return {"errors": [error]}


class Wheel:
    """The engine of the Python package; one instance holds the compiled policy."""

    def __init__(self, folder: str) -> None:
        sys.path.insert(0, folder)
        opa_bindings = importlib.import_module("opa_bindings")

        self.api = opa_bindings
        self.engine = opa_bindings.OpaEngine()
        self.engine.print_handler = lambda *_: None
        self.engine.add_policy("policy.rego", Path("policy.rego").read_text())

    def evaluate(self, path: Path) -> dict[str, Any]:
        """Evaluate one input."""
        try:
            return {"result": [self.engine.eval_document("check.result", json.loads(path.read_text()))]}
        except self.api.OpaUndefinedError:
            return {"result": []}
        except self.api.OpaError as error:
            return {"errors": told(error)}


def told(error: Exception) -> list[dict[str, Any]]:
    """Errors of the Python package in the form of the program's."""
    found = [
        {"code": m["code"], "message": m["message"], "row": int(m["row"]), "col": len(m["pad"] or "") + 1}
        for m in _ERROR.finditer(str(error))
    ]
    return found or [{"code": getattr(error, "code", "engine"), "message": str(error)}]


def answers(kind: str, where: str, seconds: int, paths: list[Path]) -> Iterator[dict[str, Any]]:
    """An answer for each input, in order."""
    if kind == "wheel":
        try:
            wheel = Wheel(where)
        except Exception as error:
            yield {"errors": told(error)}
            return
        yield from map(wheel.evaluate, paths)
        return
    first = by_program(where, paths[0], seconds)
    yield first
    if len(paths) == 1 or stops(first):
        return
    yield from together(where, paths[1:], seconds) or (by_program(where, path, seconds) for path in paths[1:])


def stops(answer: dict[str, Any]) -> bool:
    """Whether the inputs after this one need not be tried."""
    wrong = (str(error.get("code", "")) for error in answer.get("errors", ()))
    return bool(answer.get("timeout")) or any(code.startswith("rego_") for code in wrong)


def main() -> None:
    """Evaluate all inputs."""
    kind, where, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
    paths = sorted(Path().glob("input-*.json"))
    for path, answer in zip(paths, answers(kind, where, int(seconds), paths), strict=False):
        print(json.dumps({"input": path.name, **answer}), flush=True)  # noqa: T201 - it answers so
        if stops(answer):
            return


main()
