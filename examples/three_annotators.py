#!/usr/bin/env python3
"""Labels of three made-up annotators whose agreement is known: what `itbench mast agree` is tried on.

    examples/three_annotators.py labels && itbench mast agree labels/*.csv

Each mode is there in half of the traces. Each annotator sees it, and errs with a probability of their own: anna
in 2 of 100 labels, ben in 10, chris in 25. Two who err with probabilities p and q then agree beyond chance by
(1 - 2p)(1 - 2q), which is Cohen's kappa; the mean of the three pairs is Fleiss' kappa and Krippendorff's alpha.
"""

from __future__ import annotations

import csv
import random
import sys
from itertools import combinations
from pathlib import Path

ERRORS = {"anna": 0.02, "ben": 0.10, "chris": 0.25}
MODES = "1.1 1.2 1.3 1.4 1.5 2.1 2.2 2.3 2.4 2.5 2.6 3.1 3.2 3.3".split()


def expected() -> dict[tuple[str, str], float]:
    """The kappa of every two, as it must come out."""
    return {(one, other): (1 - 2 * ERRORS[one]) * (1 - 2 * ERRORS[other]) for one, other in combinations(ERRORS, 2)}


def write(folder: Path, traces: int = 100, seed: int = 0) -> None:
    """A CSV file an annotator."""
    rng = random.Random(seed)  # noqa: S311 - nothing secret
    truth = {(f"trace-{n}", code): rng.random() < 0.5 for n in range(traces) for code in MODES}
    folder.mkdir(parents=True, exist_ok=True)
    for name, error in ERRORS.items():
        with (folder / f"{name}.csv").open("w", newline="") as stream:
            rows = csv.writer(stream)
            rows.writerow(("trace", "code", "verdict", "annotator"))
            for (trace, code), there in truth.items():
                seen = there != (rng.random() < error)
                rows.writerow((trace, code, "present" if seen else "absent", name))


if __name__ == "__main__":
    write(Path(sys.argv[1] if len(sys.argv) > 1 else "labels"))
    for (one, other), kappa in expected().items():
        print(f"{one} and {other}: kappa {kappa:.2f}")
    print(f"all three: {sum(expected().values()) / 3:.2f}")
