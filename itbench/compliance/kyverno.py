"""Run the real Kyverno command line: one start, in the sandbox and without network, judges the objects of many sets.

No part of Kyverno is rebuilt here. Objects get a uid by which the report names them, and a new end to their names, because
Kyverno refuses two objects of one name.
"""

from __future__ import annotations

import json
import re
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from itbench.cluster.protocol import KubeObject
from itbench.compliance.engine import engines_folder
from itbench.compliance.place import Place
from itbench.model.errors import SandboxError, UsageError
from itbench.model.task import Budget
from itbench.sandbox.box import Box, inner_workspace
from itbench.sandbox.environment import agent_environment
from itbench.sandbox.supervisor import run

HINT = "Run: make policy-engines (builds kyverno from source, about 12 minutes of processor time once), or install the CLI"
_OLDEST = (1, 15)  # the first with ValidatingPolicy
_BUDGET = Budget(
    wall_seconds=120, stdout_bytes=50_000_000, workspace_bytes=200_000_000, processes=512, memory_bytes=3_000_000_000
)
_GO = {"GOGC": "400", "GOMAXPROCS": "2", "NO_COLOR": "1"}
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_LOGGED = re.compile(r'\bERR\b.*?error="((?:[^"\\]|\\.)*)"')
_FATAL = re.compile(r"^(?:Error: |panic: )(.*)", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Kyverno:
    """The program, and what it says of its version."""

    where: Path
    version: str

    def __str__(self) -> str:
        return f"kyverno {self.version}"


@dataclass(frozen=True, slots=True)
class Result:
    """What one rule says of one object. A ValidatingPolicy has no names of rules; those made of a rule have its name."""

    policy: str
    rule: str
    uid: str
    result: str
    message: str


@dataclass(frozen=True, slots=True)
class Applied:
    """What came of one run: results, or what Kyverno has against the policies.

    Attributes:
        complaint: why a policy cannot be used; empty if it can.
        ended: False if a limit ended it.
        size: bytes of the report.
    """

    results: tuple[Result, ...] = ()
    complaint: str = ""
    ended: bool = True
    seconds: float = 0.0
    size: int = 0


@cache
def find_kyverno() -> Kyverno:
    """The program on PATH, else the one that `make policy-engines` built.

    Raises:
        UsageError: there is none, or one that knows no ValidatingPolicy.
    """
    names = ("kyverno", "kubectl-kyverno", engines_folder() / "kyverno")
    path = next((found for name in names if (found := shutil.which(name))), None)
    if path is None:
        raise UsageError("the Kyverno command line is not here, so no Kyverno policy can be judged", hint=HINT)
    done = subprocess.run([path, "version"], capture_output=True, text=True, check=False, timeout=60)
    version = next((line.split()[-1] for line in done.stdout.splitlines() if line.startswith("Version:")), "")
    numbers = tuple(int(part) for part in re.findall(r"\d+", version)[:2])
    if numbers < _OLDEST:
        raise UsageError(
            f"this Kyverno command line says {version or 'nothing'} of its version; 1.15 or later is needed",
            path=path,
            hint=HINT,
        )
    return Kyverno(Path(path).resolve(), version.removeprefix("v"))


async def apply(policies: Sequence[str], objects: Sequence[KubeObject], kyverno: Kyverno, place: Place) -> Applied:
    """Judge all objects by all policies, each a YAML stream. Objects are told apart by metadata.uid.

    Raises:
        SandboxError: the sandbox or Kyverno does not work; that is not the policy's fault.
    """
    with tempfile.TemporaryDirectory(prefix="itbench-") as folder:
        workspace = Path(folder) / secrets.token_hex(8)
        workspace.mkdir()
        names = []
        for index, text in enumerate(policies):
            names.append(f"policy-{index}.yaml")
            (workspace / names[-1]).write_text(text, encoding="utf-8", newline="")
        (workspace / "resources.yaml").write_text("\n---\n".join(map(json.dumps, objects)), encoding="utf-8")
        options = ("--resource", "resources.yaml", "--policy-report", "--output-format", "json", "-v", "0")
        box = Box(
            mode=place.mode,
            argv=(str(kyverno.where), "apply", *names, *options),
            workspace=workspace,
            stdout=Path(folder) / "stdout",
            stderr=Path(folder) / "stderr",
            budget=_BUDGET,
            hidden=place.hidden,
            expose=(kyverno.where,),
            env=agent_environment(inner_workspace(place.mode, workspace), extra=_GO),
            network=False,
        )
        ending = await run(box)
        said, told = (_COLOUR.sub("", path.read_text(errors="replace")) for path in (box.stdout, box.stderr))
    if ending.reason != "exited" or ending.out_of_memory or ending.signal is not None:
        return Applied(ended=False, seconds=ending.seconds)
    if complaint := _complaint(told):
        return Applied(complaint=complaint, seconds=ending.seconds)
    report = said[said.find("{") :] if "{" in said else ""
    try:
        results = tuple(_results(json.loads(report))) if report else ()
    except (ValueError, LookupError, TypeError) as error:
        raise SandboxError(f"cannot read Kyverno's report ({error})", path=kyverno.where) from error
    if not report and ending.exit_code not in (0, 1):
        raise SandboxError(f"kyverno ended with {ending.exit_code}: {told.strip()[-300:]}", path=kyverno.where)
    return Applied(results, seconds=round(ending.seconds, 3), size=len(report))


def _complaint(told: str) -> str:
    """What Kyverno has against a policy: it logs that and goes on without it, or gives up."""
    if found := _LOGGED.search(told):
        return str(json.loads(f'"{found[1]}"'))
    fatal = _FATAL.search(told)
    return fatal[1].strip() if fatal else ""


def _results(report: dict[str, Any]) -> list[Result]:
    return [
        Result(
            policy=str(found["policy"]),
            rule=_original(str(found.get("rule") or "")),
            uid=str(resource.get("uid")),
            result=str(found["result"]),
            message=str(found.get("message") or "")[:300],
        )
        for found in report.get("results") or ()
        for resource in found.get("resources") or ()
    ]


def _original(rule: str) -> str:
    """Kyverno makes rules for Deployments, CronJobs and the like of one for Pods."""
    return re.sub(r"^autogen-(?:cronjob-)?", "", rule)
