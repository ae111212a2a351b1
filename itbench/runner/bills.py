"""What a FinOps answer is held against besides the truth: the alerts that fired, and what becomes of its proposals."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import islice
from pathlib import Path

from itbench.model.diagnosis import CostDiagnosis
from itbench.model.truth import GroundTruth
from itbench.scoring.finops import CostEvidence
from itbench.scoring.finops_detection import CostAlert

ALERTS_FILE = "alerts.csv"
_MOST_ALERTS = 100_000


@dataclass(frozen=True, slots=True)
class BillScene:
    """Where a bill comes from.

    Attributes:
        folder: with its files.
        definition: the scenario that it was simulated from; None for a recorded one, on which nothing can be played on.
        seed: of the run.
    """

    folder: Path | None
    definition: Path | None = None
    seed: int = 0

    def evidence(self, diagnosis: CostDiagnosis, truth: GroundTruth) -> CostEvidence:
        """Alerts, and the outcome of the proposals where there are any.

        Raises:
            DatasetError: the scenario cannot be simulated any more.
        """
        alerts = tuple(alerts_of(self.folder / ALERTS_FILE)) if self.folder is not None else ()
        if not diagnosis.mitigations or self.definition is None or truth.cost is None:
            return CostEvidence(alerts=alerts)
        from itbench.datasets.cost_scenario_file import read_cost_scenario
        from itbench.runner.simulated import seed_of
        from itbench.twin.cost.mitigation import apply

        file = read_cost_scenario(self.definition)
        seed = seed_of(file.scenario.seed, self.seed, file.scenario.id)
        return CostEvidence(apply(file, seed, diagnosis.mitigations), alerts)


def alerts_of(path: Path) -> Iterator[CostAlert]:
    """The alerts in a file; rows that cannot be read are left out (`itbench dataset validate` names them)."""
    try:
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
            for row in islice(csv.DictReader(stream), _MOST_ALERTS):
                try:
                    fired = date.fromisoformat((row.get("fired_on") or "").strip()[:10])
                except ValueError:
                    continue
                yield CostAlert(row.get("rule") or "", row.get("scope") or "", fired)
    except (OSError, csv.Error):
        return
