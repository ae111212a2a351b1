"""The twin held against recordings of reality: the tables of docs/twin.md and docs/traffic.md.

    python benchmarks/agreement.py ../shared/data           # both; or with: recorded, traffic

Prints the tables as they stand there, and fails if an agreement is below its target.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from pathlib import Path

import yaml

from itbench.twin.app.load import load_application
from itbench.twin.base import node
from itbench.twin.compare.traffic import compare_traffic, read_recording
from itbench.twin.compare.watch import compare_streams
from itbench.twin.play import play, write_stream
from itbench.twin.recorded import record_traffic, write_recording

APPLICATIONS = Path(__file__).resolve().parents[1] / "tests" / "twin" / "applications"
TARGET = 0.95


def recorded(data: Path, scratch: Path) -> bool:
    """The control plane: events, states and endpoints of each case, until just before the change is taken back."""
    print("| case | events | states | endpoints |\n|---|---|---|---|")
    figures = []
    for case in sorted(path.parent for path in (data / "recorded").glob("*/watch.jsonl")):
        changes = (case / "changes.yaml").read_text(encoding="utf-8")
        last = max([float(found) for found in re.findall(r"^- at: ([\d.]+)", changes, re.MULTILINE)] + [200.0])
        out = scratch / "watch.jsonl"
        write_stream(play(case / "objects.yaml", case / "changes.yaml", 5.1), out)
        found = compare_streams(case / "watch.jsonl", out, until=last)
        figures.append((found.events + found.states + found.endpoints) / 3)
        print(f"| {case.name} | {found.events:.2f} | {found.states:.2f} | {found.endpoints:.2f} |")
    print(f"\nMean of {len(figures)}: {sum(figures) / len(figures):.3f}")
    return sum(figures) / len(figures) >= TARGET


def traffic(data: Path, scratch: Path) -> bool:
    """The application under faults: places and kinds of failures, shares, latency, times."""
    marks = json.loads((data / "traffic" / "marks.json").read_text(encoding="utf-8"))
    faults = yaml.safe_load((APPLICATIONS / "shop-faults.yaml").read_text(encoding="utf-8"))
    application = load_application(str(APPLICATIONS / "shop.yaml"))
    print(
        "| fault | place and kind | shares within ±0.15 | largest difference | latency | largest factor | begin and end |\n"
        "|---|---|---|---|---|---|---|"
    )
    good = True
    for name, changes in faults.items():
        end = marks[name]["undo"] or marks[name]["end"]
        path, out = scratch / "changes.yaml", scratch / "twin.jsonl"
        path.write_text(yaml.safe_dump([{"at": 0, **change} for change in changes]), encoding="utf-8")
        nodes = [node("node-1", cpu="2", memory="24Gi")]
        write_recording(record_traffic(application, path, end, seed=1, nodes=nodes), out)
        real = read_recording(data / "traffic" / f"{name}.jsonl", end=end)
        found = compare_traffic(real, read_recording(out, end=end))
        share = max((abs(row.first - row.second) for row in found.rows if row.kind is not None), default=0.0)
        factors = [max(row.first / row.second, row.second / row.first) for row in found.rows if row.kind is None]
        print(
            f"| {name} | {found.places:.2f} | {found.shares:.2f} | {share:.2f} | {found.latency:.2f} | "
            f"×{max(factors, default=1.0):.1f} | {found.times:.2f} |"
        )
        good &= min(found.places, found.shares) >= TARGET and found.latency == 1.0
    return good


def main() -> None:
    """Both tables, or those that are named."""
    if len(sys.argv) < 2 or not (Path(sys.argv[1]) / "traffic").is_dir():
        raise SystemExit(__doc__)
    tables = {"recorded": recorded, "traffic": traffic}
    good = True
    with tempfile.TemporaryDirectory() as scratch:
        for name in sys.argv[2:] or tables:
            print(f"\n## {name}\n")
            good &= tables[name](Path(sys.argv[1]), Path(scratch))
    raise SystemExit(0 if good else 1)


if __name__ == "__main__":
    main()
