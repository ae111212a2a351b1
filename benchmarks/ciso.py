"""How long it takes to judge compliance answers: seconds on the wall and of processors, per task and for a mix of 30.

python benchmarks/ciso.py [opa|wheel] [mix|KIND]

The mix is 16 static-opa tasks and all 14 of Kyverno. Each task is tried with its reference solution. Processor time is told
because it does not depend on who else is at work; divided by the processors it is the least that an idle machine takes.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import resource
import sys
import time
from contextlib import suppress

from itbench.bundled import bundled
from itbench.compliance.place import find_place
from itbench.compliance.task import ComplianceTask, read_task
from itbench.compliance.trying import try_answer

engine = sys.argv[1] if len(sys.argv) > 1 else "auto"
wanted = sys.argv[2] if len(sys.argv) > 2 else "mix"
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


def measured(name: str, nine: bool) -> None:
    began, used, sets = time.perf_counter(), processor_seconds(), 0
    for task in tasks:
        solution = task.solution()
        assert solution is not None
        variants = task.variants(0)
        variants = variants[:5] + tuple(one for one in variants if one.side == "compliant")[:4] if nine else variants
        seen = asyncio.run(try_answer(task.asked(), solution, variants, place, engine))  # type: ignore[arg-type]  # it is refused
        assert all(one.right for one in seen.tried), task.folder
        sets += len(seen.tried)
    wall, cpu = time.perf_counter() - began, processor_seconds() - used
    print(
        f"{name}: {len(tasks)} tasks, {sets} sets: {wall:.1f} s, {wall / len(tasks):.2f} s a task; {cpu:.1f} s of processors"
    )


print(f"{engine}, {wanted}, in {place.mode}; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
measured("9 sets a task", nine=True)
measured("all sets", nine=False)
