"""How long it takes to judge compliance answers: seconds on the wall and of processors, per task and for a mix of 30.

python benchmarks/ciso.py [opa|wheel] [mix|KIND]

The mix is 16 static-opa tasks and all 14 of Kyverno. Each task is tried with its reference solution. Processor time is told
because it does not depend on who else is at work; divided by the processors it is the least that an idle machine takes.
"""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import os
import resource
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import get_args

from itbench.bundled import bundled
from itbench.compliance.engine import EngineName
from itbench.compliance.place import find_place
from itbench.compliance.task import ComplianceTask, read_task
from itbench.compliance.trying import try_answer
from itbench.model.compliance import TaskKind

arguments = argparse.ArgumentParser(description="Judge the reference solutions of compliance tasks.")
arguments.add_argument("engine", nargs="?", default="auto", choices=get_args(EngineName))
arguments.add_argument("tasks", nargs="?", default="mix", choices=("mix", *get_args(TaskKind)))
asked_for = arguments.parse_args()
engine: EngineName = asked_for.engine
wanted: str = asked_for.tasks
place = find_place()
every = [read_task(path.parent) for path in sorted((bundled("scenarios") / "ciso").glob("*/scenario.yaml"))]
by_kind: dict[str, list[ComplianceTask]] = {}
for each in every:
    by_kind.setdefault(each.asked().kind, []).append(each)
mix = [*by_kind["static-opa"][:16], *by_kind["kyverno-generate"], *by_kind["kyverno-update"]]
tasks = mix if wanted == "mix" else by_kind[wanted]


# bubblewrap does not wait for what it starts, so that its processor time would be lost: here it becomes ours to wait for.
_PR_SET_CHILD_SUBREAPER = 36
ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def processor_seconds() -> float:
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in both)


def tried(task: ComplianceTask, nine: bool) -> int:
    """Judge the reference solution; the number of sets."""
    solution = task.solution()
    assert solution is not None
    variants = task.variants(0)
    variants = variants[:5] + tuple(one for one in variants if one.side == "compliant")[:4] if nine else variants
    seen = asyncio.run(try_answer(task.asked(), solution, variants, place, engine))
    assert all(one.right for one in seen.tried), task.folder
    return len(seen.tried)


def measured(name: str, chosen: list[ComplianceTask], *, nine: bool, at_once: int) -> None:
    """As many trials at a time as `itbench run --parallel` would have."""
    began, used = time.perf_counter(), processor_seconds()
    with ThreadPoolExecutor(at_once) as pool:
        sets = sum(pool.map(lambda task: tried(task, nine), chosen))
    wall, cpu, number = time.perf_counter() - began, processor_seconds() - used, len(chosen)
    print(
        f"{name}, {at_once} at a time: {number} tasks, {sets} sets: {wall:.1f} s, {wall / number:.2f} s a task; "
        f"{cpu:.1f} s of processors, {cpu / number:.2f} s a task"
    )


print(f"{engine}, {wanted}, in {place.mode}; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
tried(tasks[0], nine=True)  # what is read once for all tasks
measured("9 sets a task", tasks[:8], nine=True, at_once=1)
measured("all sets", tasks, nine=False, at_once=os.cpu_count() or 1)
