"""Evaluate an agent's policy.rego on collected data, in the sandbox, and tell why a policy cannot be evaluated."""

from __future__ import annotations

import json
import re
import secrets
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from itbench.compliance.engine import FORBIDDEN, Engine, capabilities
from itbench.compliance.place import Place
from itbench.model.compliance import PolicyProblem, ProblemKind, Verdict
from itbench.model.errors import SandboxError
from itbench.model.task import Budget
from itbench.sandbox.box import Box, inner_workspace
from itbench.sandbox.environment import agent_environment
from itbench.sandbox.supervisor import run

POLICY = "policy.rego"
SECONDS = 10.0
_DRIVER = Path(__file__).with_name("driver.py")
_BUDGET = Budget(
    stdout_bytes=20_000_000, workspace_bytes=500_000_000, processes=256, memory_bytes=2_000_000_000, wall_seconds=120
)
_STARTUP_SECONDS = 20.0
# Evaluations are short: the collector of garbage costs more than it saves, and the memory limit is the sandbox's.
_GO = {"GOGC": "400", "GOMAXPROCS": "2"}

# Messages of the engine that mean: written for another version of the language, not: wrong.
_OLD_SYNTAX = re.compile(
    r"`if` keyword is required|`contains` keyword is required|var cannot be used for rule name|"
    r"unexpected (?:if|contains|in|every|some) (?:keyword|identifier)|rego_unsafe_var_error: var (?:every|in|if|contains) |"
    r"`import (?:rego\.v1|future)"
)
_NO_FUNCTION = re.compile(r"undefined function (\S+)")
_STRINGS = re.compile(r'"(?:[^"\\\n]|\\.)*"|`[^`]*`|#[^\n]*')


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the policy said of one input."""

    verdict: Verdict
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What came of a policy: a ruling for each input in order, or the problem that stopped it."""

    rulings: tuple[Ruling, ...] = ()
    problem: PolicyProblem | None = None
    seconds: float = 0.0


async def evaluate(policy: str, inputs: Sequence[bytes], engine: Engine, place: Place) -> Evaluated:
    """The value of data.check.result on each input. An input that takes more than 10 s ends the evaluation: the rest too.

    Raises:
        SandboxError: the sandbox or the engine does not work; that is not the policy's fault.
    """
    if engine.kind == "wheel" and (problem := _reaches_out(policy)):
        return Evaluated(problem=problem)
    with tempfile.TemporaryDirectory(prefix="itbench-") as folder:
        workspace = Path(folder) / secrets.token_hex(8)
        workspace.mkdir()
        (workspace / POLICY).write_text(policy, encoding="utf-8", newline="")
        (workspace / "driver.py").write_text(_DRIVER.read_text(encoding="utf-8"), encoding="utf-8")
        if engine.kind == "cli":
            (workspace / "capabilities.json").write_text(capabilities(engine.where), encoding="utf-8")
        for index, data in enumerate(inputs):
            (workspace / f"input-{index:04}.json").write_bytes(data)
        box = Box(
            mode=place.mode,
            argv=(sys.executable, "-I", "-S", "driver.py", engine.kind, str(engine.where), f"{SECONDS:g}"),
            workspace=workspace,
            stdout=Path(folder) / "stdout",
            stderr=Path(folder) / "stderr",
            budget=_BUDGET.model_copy(update={"wall_seconds": _STARTUP_SECONDS + SECONDS + len(inputs)}),
            hidden=place.hidden,
            expose=(engine.where,),
            env=agent_environment(inner_workspace(place.mode, workspace), extra=_GO),
            network=False,
        )
        ending = await run(box)
        lines = _answers(box.stdout.read_bytes())
        for answer in lines:
            if problem := _problem(answer):
                return Evaluated(problem=problem, seconds=ending.seconds)
        killed = ending.reason != "exited" or ending.signal is not None or ending.out_of_memory
        if not killed and not lines:
            said = box.stderr.read_text(errors="replace").strip().splitlines()
            raise SandboxError(
                f"the policy engine did not answer: {said[-1] if said else ending.exit_code}", path=engine.where
            )
        rulings = [_ruling(answer) for answer in lines]
        why = f"{ending.reason.replace('_', ' ')} limit" if ending.reason != "exited" else "took too long or too much memory"
        rulings += [Ruling("timeout", why)] * (len(inputs) - len(rulings))
        return Evaluated(tuple(rulings), seconds=ending.seconds)


def _answers(raw: bytes) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    for line in raw.splitlines():
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict) and "input" in value:
            found.append(value)
    return found


def _problem(answer: Mapping[str, Any]) -> PolicyProblem | None:
    """Why the policy does not compile. Errors of the evaluation itself are rulings."""
    errors = [error for error in answer.get("errors", ()) if str(error.get("code", "")).startswith("rego_")]
    if not errors:
        return None
    first = next((error for error in errors if _kind(error) != "syntax"), errors[0])
    message = str(first.get("message", "")).strip().splitlines()[0][:500]
    return PolicyProblem(
        kind=_kind(first), message=_explained(first, message), line=first.get("row"), column=first.get("col")
    )


def _kind(error: Mapping[str, Any]) -> ProblemKind:
    text = f"{error.get('code')}: {error.get('message')}"
    if _OLD_SYNTAX.search(text):
        return "dialect"
    if name := _NO_FUNCTION.search(text):
        return "forbidden builtin" if name[1] in FORBIDDEN else "dialect" if "." in name[1] else "compile"
    return "syntax" if error.get("code") == "rego_parse_error" else "compile"


def _explained(error: Mapping[str, Any], message: str) -> str:
    match _kind(error):
        case "dialect":
            return f"{message} (written for another version of Rego; policies are read as Rego v1, OPA 1.x)"
        case "forbidden builtin":
            return f"{message} (taken away: policies reach nothing outside their input)"
        case _:
            return message


def _reaches_out(policy: str) -> PolicyProblem | None:
    """As the program's capabilities would say it; the package has none to restrict."""
    blanked = _STRINGS.sub(lambda match: " " * len(match[0]), policy)
    for number, line in enumerate(blanked.splitlines(), 1):
        for name in FORBIDDEN:
            if found := re.search(rf"(?<![\w.]){re.escape(name)}\s*\(", line):
                message = f"undefined function {name} (taken away: policies reach nothing outside their input)"
                return PolicyProblem(kind="forbidden builtin", message=message, line=number, column=found.start() + 1)
    return None


def _ruling(answer: Mapping[str, Any]) -> Ruling:
    if answer.get("timeout"):
        return Ruling("timeout", f"no result within {SECONDS:g} s")
    if errors := answer.get("errors"):
        return Ruling("error", f"{errors[0].get('code')}: {errors[0].get('message')}"[:500])
    result = answer.get("result") or []
    if not result:
        return Ruling("undefined", "data.check.result is undefined: is there a rule `result` in package check?")
    if result[0] is True or result[0] is False:
        return Ruling("true" if result[0] else "false")
    return Ruling("not boolean", f"data.check.result is {json.dumps(result[0])[:200]}")
