"""Write the bundled scenario that is recorded rather than simulated, a cost anomaly: `python scenarios/generator OUT`.

The same bytes each time. It knows the answer, so it lies here, out of the sight of agents, and is not in the wheel. The SRE
scenarios need no program: each is a scenario.yaml, which the twin plays (docs/scenarios.md).
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import costs
import numpy as np
import yaml

SEED = 2026


def write_scenarios(out: Path, rng: np.random.Generator) -> None:
    """Write finops/ into `out`; the same bytes for the same state of `rng`."""
    folder = out / "finops" / costs.SLUG
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "anomaly.json").write_text(costs.anomaly())
    (folder / "data.csv").write_text(costs.data(rng))
    _write_yaml(folder / "ground_truth.yaml", costs.truth())
    _write_description(folder, "finops", costs.TITLE, "low", ["compute", "scaling"])


def _write_description(folder: Path, domain: str, title: str, complexity: str, tags: list[str]) -> None:
    description = {
        "schema_version": 1,
        "id": folder.name,
        "domain": domain,
        "title": title,
        "complexity": complexity,
        "tags": tags,
    }
    _write_yaml(folder / "scenario.yaml", description)


def _write_yaml(path: Path, document: dict[str, Any]) -> None:
    path.write_text(yaml.safe_dump(document, sort_keys=False, width=110), encoding="utf-8")


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="scenarios/generator", description=__doc__)
    parser.add_argument("out", type=Path, help="such as scenarios")
    write_scenarios(parser.parse_args().out, np.random.default_rng(SEED))


if __name__ == "__main__":
    main()
