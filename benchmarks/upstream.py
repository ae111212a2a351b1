"""Every scenario of the public library on the twin, its measured root beside the published ones: docs/upstream.md's table.

    python benchmarks/upstream.py ../shared/data/upstream-library [NUMBER…] > table.md

Everything is computed but the last column, which benchmarks/upstream-reasons.yaml holds.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import yaml

from itbench.authoring.import_upstream import Imported, import_all
from itbench.authoring.published import V1, V2, compare_roots, published_truth
from itbench.authoring.writing import write_scenario
from itbench.datasets.scenario_file import read_scenario
from itbench.datasets.truth_file import parse_ground_truth
from itbench.model.errors import ItbenchError
from itbench.twin.incident.plan import plan
from itbench.twin.incident.simulate import simulate
from itbench.twin.telemetry.recording import LITE

REASONS = Path(__file__).with_name("upstream-reasons.yaml")
HEAD = "| scenario | measured root | published root (v1) | | injected objects (v2) | | services | alerts | because |"


def main(library: Path, chosen: set[int], scratch: Path) -> None:
    reasons = yaml.safe_load(REASONS.read_text()) if REASONS.exists() else {}
    imported, refused = import_all(library / "indexes" / "scenarios")
    print(HEAD)
    print("|" + "---|" * 9)
    for item in imported:
        number = item.file.scenario.id
        if not chosen or number in chosen:
            print(line(item, library, scratch, str(reasons.get(number, ""))), flush=True)
    for problem in refused:
        print(problem, file=sys.stderr)


def line(item: Imported, library: Path, scratch: Path, reason: str) -> str:
    number = item.file.scenario.id
    began = time.monotonic()
    try:
        simulation = simulate(plan(read_scenario(write_scenario(item.scenario, scratch))), 0, LITE)
    except ItbenchError as error:
        return f"| {number} | cannot be played: {error} | | | | | | | {reason} |"
    document = simulation.truth()
    truth = parse_ground_truth(yaml.safe_dump(document), Path(f"upstream-{number}"), 1).truth
    v1, v2 = (compare_roots(truth, published_truth(library, number, name)) for name in (V1, V2))
    suffering = document["measured"]["blast_radius"]["services"]
    alerts = dict.fromkeys(alert["id"] for alert in document["alerts"])
    cells = [
        str(number),
        listed(v1.measured),
        listed(v1.published),
        v1.verdict,
        listed(v2.published),
        v2.verdict,
        str(suffering),
        ", ".join(alerts) or "none",
        reason,
    ]
    print(f"{number}: {time.monotonic() - began:.0f} s", file=sys.stderr)
    return "| " + " | ".join(cells) + " |"


def listed(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "–"


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        main(Path(sys.argv[1]), {int(number) for number in sys.argv[2:]}, Path(folder))
