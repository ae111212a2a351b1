"""What bills take: two years of a large organisation, simulated; and a large data.csv, read.

    benchmarks/run.sh finops                        # the tables; a bill of 300 MB
    python benchmarks/finops.py twin 200            # one measurement: 24 months, 5 accounts, 200 resources in all
    python benchmarks/finops.py bill 2000           # one measurement: data.csv of 2000 MB

CPU seconds are from the first line of the work to its last: starting Python and importing are left out. Peak memory is that
of the whole process.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SEED = 7
DAYS = 731
ACCOUNTS = 5
WRITTEN = 200
"""Resources up to which files are written."""
_VERDICT = {True: "met", False: "**MISSED**"}
_REGIONS = {"AWS": "eu-west-1", "GCP": "europe-west4", "Azure": "westeurope"}
_LINES: dict[str, list[dict[str, Any]]] = {
    "AWS": [
        {"kind": "pool", "family": "m6i", "cpu_ms": 60, "cpu": 2, "memory": 4, "target": 0.6, "least": 2, "most": 90},
        {"kind": "fixed", "family": "db.r6g", "instances": 2, "cpu_ms": 10},
        {"kind": "job", "family": "r6i", "instances": 8, "hours": [1, 6], "days": "weekdays"},
        {"kind": "stock", "family": "s3-standard", "gb": 9000, "gb_each_day": 80, "keep_days": 60},
        {"kind": "flow", "family": "log-ingestion", "kb": 0.4, "role": "logs"},
    ],
    "GCP": [
        {"kind": "pool", "family": "n2", "cpu_ms": 60, "cpu": 2, "memory": 4, "target": 0.6, "least": 2, "most": 90},
        {"kind": "fixed", "family": "db-custom", "instances": 2, "cpu_ms": 10},
        {"kind": "job", "family": "e2", "instances": 8, "hours": [1, 6], "days": "weekdays"},
        {"kind": "stock", "family": "gcs-standard", "gb": 9000, "gb_each_day": 80, "keep_days": 60},
        {"kind": "flow", "family": "gcp-logging", "kb": 0.4, "role": "logs"},
    ],
    "Azure": [
        {"kind": "pool", "family": "dsv5", "cpu_ms": 60, "cpu": 2, "memory": 4, "target": 0.6, "least": 2, "most": 90},
        {"kind": "fixed", "family": "sql-gp", "instances": 2, "cpu_ms": 10},
        {"kind": "job", "family": "esv5", "instances": 8, "hours": [1, 6], "days": "weekdays"},
        {"kind": "stock", "family": "blob-hot", "gb": 9000, "gb_each_day": 80, "keep_days": 60},
        {"kind": "flow", "family": "log-analytics", "kb": 0.4, "role": "logs"},
    ],
}


def organisation(resources: int) -> dict[str, Any]:
    """Five accounts at three providers, with so many lines in all, five to an application."""
    providers = ["AWS", "AWS", "AWS", "GCP", "Azure"]
    accounts = {
        f"account-{number}": {"id": f"40000000000{number}", "csp": csp, "region": _REGIONS[csp], "discount": 0.03}
        for number, csp in enumerate(providers)
    }
    applications = {
        f"application-{number:03d}": {
            "account": f"account-{number % ACCOUNTS}",
            "owner": f"team-{number % 11}",
            "demand": {"rps": 40 + number, "daily": "evening", "weekly": "weekend", "growth": 0.01},
            "lines": _LINES[providers[number % ACCOUNTS]],
        }
        for number in range(resources // 5)
    }
    commitment = {"account": "account-0", "families": ["m6i"], "hourly": 4.0, "discount": 0.28}
    return {
        "schema_version": 1,
        "title": "Large",
        "payer": {"id": "1", "name": "Large"},
        "accounts": accounts,
        "commitments": {"plan": commitment},
        "applications": applications,
    }


def twin(resources: int) -> dict[str, float]:
    """Simulate two years with a cause and without it; then, of the smaller, find ticket and truth and write all files."""
    from itbench.datasets.cost_scenario_file import read_cost_scenario
    from itbench.twin.cost.simulate import simulate

    document = {
        "schema_version": 1,
        "id": "large",
        "domain": "finops",
        "title": "Large",
        "organisation": "./organisation.yaml",
        "days": DAYS,
        "causes": [{"class": "log_explosion", "application": "application-005", "factor": 9, "onset": 10}],
    }
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "organisation.yaml").write_text(json.dumps(organisation(resources)), encoding="utf-8")
        (place / "scenario.yaml").write_text(json.dumps(document), encoding="utf-8")
        file = read_cost_scenario(place / "scenario.yaml")
        began = time.process_time()
        simulation = simulate(file, SEED)
        simulated = time.process_time()
        if resources <= WRITTEN:
            simulation.write(place / "bill")
        written = time.process_time()
        size = sum(path.stat().st_size for path in place.glob("bill/*"))
    return {
        "lines": len(simulation.world.lines),
        "simulate": simulated - began,
        "write": written - simulated,
        "files": size / 1e6,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def _rows() -> Iterator[str]:
    number = 0
    while True:
        day, number = number // 40 % 28 + 1, number + 1
        application, price = number % 5003, 0.01 + number % 997 / 1000
        yield (
            f"2026-05-{day:02d},40000000000{number % 5},AWS,AmazonEC2,application-{application:05d},m6i,"
            f"{price:.4f},{number % 9 + 1},{price * (number % 9 + 1) * 24:.6f}\n"
        )


def bill(megabytes: int) -> dict[str, float]:
    """Open a folder whose data.csv has that size: written by the parent, so that writing it costs no memory here."""
    from itbench.snapshot.snapshot import open_snapshot

    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, __file__, "csv", str(megabytes), folder], check=True)
        base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        began, clock = time.process_time(), time.perf_counter()
        with open_snapshot(Path(folder) / "scenario", cache_dir=Path(folder) / "cache") as snapshot:
            read = snapshot.bill()
        if read is None:
            raise SystemExit("there is no bill")
        return {
            "rows": read.rows,
            "cpu": time.process_time() - began,
            "seconds": time.perf_counter() - clock,
            "base": base,
            "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }


def csv(megabytes: int, folder: str) -> None:
    """Write such a data.csv."""
    place = Path(folder) / "scenario"
    place.mkdir()
    rows, size = _rows(), 0
    with (place / "data.csv").open("w", encoding="utf-8") as stream:
        stream.write(
            "date,Account ID,CSP,Cloud_Service,Application,Instance_Family,Price ($/hr),Num_Instances,unblended_cost\n"
        )
        while size < megabytes * 1e6:
            block = "".join(next(rows) for _ in range(20_000))
            size += len(block)
            stream.write(block)


def result(*arguments: str) -> dict[str, float]:
    """A measurement in a process of its own."""
    done = subprocess.run([sys.executable, __file__, *arguments], stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main() -> None:
    """Measure, print the tables, and fail if a target is missed."""
    misses = 0
    print("| 24 months, 5 accounts, with a cause and without | simulate, CPU s | write | MB of files | peak MB | target |")
    print("|---|---:|---:|---:|---:|---|")
    for resources in (200, 200 * ACCOUNTS):
        found = result("twin", str(resources))
        met = found["simulate"] <= 5
        misses += not met
        told = " | ".join(
            f"{found[name]:.{digits}f}" for name, digits in (("simulate", 2), ("write", 1), ("files", 0), ("memory", 0))
        )
        print(f"| {found['lines']:.0f} resources | {told} | ≤ 5 s to simulate: {_VERDICT[met]} |")
    print("\n| data.csv, opened first | rows | CPU seconds | seconds | peak MB | target |\n|---|---:|---:|---:|---:|---|")
    for megabytes in (100, 300, 2000):
        found = result("bill", str(megabytes))
        met = found["memory"] <= 1000
        misses += not met
        told = f"{found['rows']:,.0f} | {found['cpu']:.1f} | {found['seconds']:.1f} | {found['memory']:.0f}"
        print(f"| {megabytes} MB | {told} | ≤ 1 GB: {_VERDICT[met]} |")
    if misses:
        raise SystemExit(1)


if __name__ == "__main__":
    if sys.argv[1:2] == ["csv"]:
        csv(int(sys.argv[2]), sys.argv[3])
    elif sys.argv[1:]:
        print(json.dumps({"twin": twin, "bill": bill}[sys.argv[1]](int(sys.argv[2]))))
    else:
        main()
