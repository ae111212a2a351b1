"""Import and annotate 105 sessions of 200 KB, as whole programs, and a large folder within bounded memory."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ITBENCH = Path(sys.executable).with_name("itbench")
SESSIONS, BYTES = 105, 200_000
LARGE = int(os.environ.get("ITBENCH_LARGE_MB", "1000"))


def session(path: Path, size: int) -> int:
    path.parent.mkdir(parents=True)
    lines, written = [], 0

    def add(kind: str, **payload: object) -> None:
        nonlocal written
        lines.append(json.dumps({"timestamp": "2026-01-02T03:04:05.000Z", "type": kind, "payload": payload}))
        written += len(lines[-1]) + 1

    add("session_meta", id="s", originator="codex_exec", cli_version="0.76.0")
    add("response_item", type="message", role="user", content=[{"type": "input_text", "text": "Find the root cause."}])
    number = 0
    while written < size:
        number += 1
        text = f"I will read the logs of service-{number}."
        add("response_item", type="message", role="assistant", content=[{"type": "output_text", "text": text}])
        arguments = json.dumps({"command": ["bash", "-lc", f"grep service-{number} otel_logs_raw.tsv"]})
        add("response_item", type="function_call", name="shell", arguments=arguments, call_id=f"c{number}")
        rows = "\n".join(f"2026-01-02T03:04:{n:02d}Z\tservice-{number}\ttimeout calling service-{n}" for n in range(30))
        output = json.dumps({"output": rows, "metadata": {"exit_code": 0}})
        add("response_item", type="function_call_output", call_id=f"c{number}", output=output)
    path.write_text("\n".join(lines) + "\n")
    return written


def measured(*args: object) -> tuple[float, float, float]:
    """Seconds, CPU seconds, and MB at the peak of all children so far (the largest comes last)."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    subprocess.run([ITBENCH, *map(str, args)], check=True, stdout=subprocess.DEVNULL)
    seconds, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, after.ru_maxrss / 1024


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        root, rows = Path(folder), []
        for number in range(SESSIONS):
            session(root / f"small/model-x/sre/Scenario-{number}/1/session.jsonl", BYTES)
        seconds, cpu, memory = measured("mast", "import", root / "small", "--out", root / "traces")
        rows.append(
            (f"`mast import`, {SESSIONS} sessions of {BYTES // 1000} KB", seconds, cpu, memory, "≤ 5 CPU s", cpu <= 5)
        )
        seconds, cpu, memory = measured("mast", "annotate", root / "traces", "--json")
        rows.append((f"`mast annotate`, {SESSIONS} traces", seconds, cpu, memory, "none", True))
        for number in range(LARGE // 20):
            session(root / f"large/model-x/sre/Scenario-{number}/1/session.jsonl", 20_000_000)
        seconds, cpu, memory = measured("mast", "import", root / "large")
        rows.append((f"`mast import`, {LARGE} MB in sessions of 20 MB", seconds, cpu, memory, "≤ 500 MB", memory <= 500))
    print("| what | seconds | CPU seconds | MB | target |\n|---|---:|---:|---:|---|")
    for what, seconds, cpu, memory, target, met in rows:
        verdict = "" if target == "none" else ": met" if met else ": **MISSED**"
        print(f"| {what} | {seconds:.2f} | {cpu:.2f} | {memory:.0f} | {target}{verdict} |")
    return 0 if all(row[-1] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
