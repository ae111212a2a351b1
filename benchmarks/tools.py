"""What the tools take on the snapshot of 150 MB of benchmarks/snapshot.py: the first call of each, and the median of more.

    benchmarks/run.sh tools

The snapshot is opened before the clock starts. A first call may work out what later ones share (calls out of spans, patterns
out of log lines, changes out of objects); agents ask again and again, so the target is for the median.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))
from snapshot import generate

REPEATS = 9
TARGET_MS = 100
# As an agent would ask; each argument set is one line of the table.
CALLS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("incident_overview", {}),
    ("alert_summary", {}),
    ("alerts", {}),
    ("events", {"type": "Warning"}),
    ("event_summary", {}),
    ("objects", {}),
    ("object", {"name": "Deployment/shop-3", "at": "start+10m"}),
    ("object_changes", {}),
    ("object_changes", {"name": "shop-3", "since": "start+10m"}),
    ("topology", {}),
    ("neighbours", {"name": "shop-3", "depth": 2}),
    ("entity_context", {"name": "shop-3"}),
    ("logs", {"service": "shop-0", "min_severity": "ERROR"}),
    ("logs", {"contains": "ioexception"}),
    ("log_patterns", {}),
    ("traces", {"status": "Error", "order": "slowest"}),
    ("trace", {}),
    ("trace_errors", {}),
    ("call_changes", {}),
    ("call_changes", {"service": "shop-3", "by_operation": True}),
    ("metric_names", {}),
    ("metrics", {"expression": "container_memory_usage_bytes"}),
    ("metrics", {"expression": "rate(container_cpu_cfs_periods_total) / 2", "group_by": []}),
    ("metric_anomalies", {}),
    ("costs", {}),
    ("sql", {"query": "SELECT service, count(*) FROM spans WHERE status = 'Error' GROUP BY ALL ORDER BY 2 DESC"}),
)


def main() -> None:
    """Print the table; exit 1 if a target is missed."""
    from itbench.snapshot.snapshot import open_snapshot
    from itbench.tools.registry import tools
    from itbench.tools.toolbox import Toolbox

    assert {name for name, _ in CALLS} == set(tools())
    missed = False
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary, "snapshot")
        generate(folder)
        print("| tool | arguments | first, ms | median, ms | characters | target |")
        print("|---|---|---:|---:|---:|---|")
        with Toolbox(open_snapshot(folder, cache_dir=Path(temporary, "cache"))) as toolbox:
            for name, arguments in CALLS:
                times = []
                for _ in range(REPEATS + 1):
                    began = time.perf_counter()
                    answer = toolbox.call(name, arguments)
                    times.append((time.perf_counter() - began) * 1e3)
                assert not answer.is_error, answer.text
                usual = median(times[1:])
                met = usual <= TARGET_MS
                missed = missed or not (met or name == "sql")
                verdict = "none" if name == "sql" else f"≤ {TARGET_MS} ms: {'met' if met else 'MISSED'}"
                shown = ", ".join(f"{key}={value}" for key, value in arguments.items())[:60]
                print(f"| {name} | {shown} | {times[0]:.0f} | {usual:.1f} | {len(answer.text)} | {verdict} |")
    if missed:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
