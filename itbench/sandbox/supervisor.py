"""Run a box: start the program, hold it to its limits, and leave nothing of it behind."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from itbench.model.errors import SandboxError
from itbench.sandbox import bubblewrap, host, limits
from itbench.sandbox.box import Box, Ending, Reason
from itbench.sandbox.capture import Capture
from itbench.sandbox.cgroups import ControlGroup, find_bases
from itbench.sandbox.program import Program, started
from itbench.sandbox.trees import exceeds

# The workspace is measured this often at first, and never more than this share of the time.
_MEASURE_SECONDS = 0.25
_MEASURE_SHARE = 0.1


async def run(box: Box, *, stdin: int = subprocess.DEVNULL) -> Ending:
    """Run the program of a box to its end. When this returns or raises, no process of it is left.

    A cancellation kills the program and all its children, and is then passed on.

    Args:
        box: what to run.
        stdin: file descriptor of its standard input; empty unless given.

    Raises:
        SandboxError: the sandbox could not be set up. That the program cannot be found is an ending instead, with
            exit code 127 and the reason on its standard error.
        UsageError: what is to be exposed lies in a hidden place.
    """
    if not box.workspace.is_dir():
        raise SandboxError("the workspace is not a folder", path=box.workspace)
    if box.read_only and box.mode != "bubblewrap":
        raise SandboxError("only bubblewrap mounts folders into the workspace", path=box.workspace)
    prepare = bubblewrap.prepare if box.mode == "bubblewrap" else host.prepare
    keep = box.budget.stdout_bytes
    with (
        prepare(box) as prepared,
        ControlGroup(box.budget, find_bases()) as group,
        Capture(box.stdout, keep) as output,
        Capture(box.stderr, keep) as errors,
    ):
        async with started(prepared, box, (output, errors), stdin) as program:
            with suppress(ProcessLookupError):  # it is gone already; its exit code says why
                limits.apply(program.child, box, group)
                group.add(program.child)
            began = time.monotonic()
            program.release()
            reason = await _watch(program, prepared.writable, box)
            seconds = time.monotonic() - began
            await program.kill()
            code = await program.exit_code()
        out_of_memory = group.ran_out_of_memory()
        if reason == "exited":
            reason = await _limit_behind(code, prepared.writable, box, out_of_memory=out_of_memory)
        number = code - 128 if code - 128 in signal.valid_signals() else None
        return Ending(
            reason=reason,
            exit_code=code if number is None else None,
            signal=number,
            out_of_memory=out_of_memory,
            seconds=seconds,
            stdout_truncated=output.left_out > 0,
            stderr_truncated=errors.left_out > 0,
        )


async def _watch(program: Program, writable: Iterable[Path], box: Box) -> Reason:
    """Wait for the end of the program, or for a limit."""
    ended = asyncio.create_task(program.process.wait())
    outgrown = asyncio.create_task(_outgrown(writable, box.budget.workspace_bytes))
    try:
        done, _ = await asyncio.wait((ended, outgrown), timeout=box.budget.wall_seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        ended.cancel()
        outgrown.cancel()
    if ended in done:
        return "exited"
    return "workspace_size" if outgrown in done else "wall_time"


async def _outgrown(writable: Iterable[Path], limit: int) -> None:
    """Return once the folders exceed the limit in bytes."""
    pause = _MEASURE_SECONDS
    while True:
        await asyncio.sleep(pause)
        began = time.monotonic()
        if await asyncio.to_thread(exceeds, writable, limit):
            return
        pause = max(_MEASURE_SECONDS, (time.monotonic() - began) / _MEASURE_SHARE)


async def _limit_behind(code: int, writable: Iterable[Path], box: Box, *, out_of_memory: bool) -> Reason:
    """Whether a program that ended did so because of a limit that the kernel keeps, or just in time to evade one."""
    if code == 128 + signal.SIGXFSZ or await asyncio.to_thread(exceeds, writable, box.budget.workspace_bytes):
        return "workspace_size"
    return "memory" if code != 0 and out_of_memory else "exited"
