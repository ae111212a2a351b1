"""From a scenario to the files of its folder, ground truth included.

simulate(read_cost_scenario(path), seed=7).write(folder)
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from itbench.datasets.cost_scenario_file import CostScenarioFile
from itbench.model.cost import CauseClass, CostTruth
from itbench.twin.cost import truth as measuring
from itbench.twin.cost.alerts import Alert, Budget, alerts_of, budgets_of
from itbench.twin.cost.allocation import Workload, namespaces_of, workloads_of
from itbench.twin.cost.events import Event, events_of
from itbench.twin.cost.focus import focus_table
from itbench.twin.cost.preparation import Prepared, prepare
from itbench.twin.cost.rows import Path as RowPath
from itbench.twin.cost.rows import Row, rows_of
from itbench.twin.cost.tables import (
    alert_table,
    allocation_table,
    anomaly_document,
    budget_table,
    event_table,
    public_table,
    usage_table,
)
from itbench.twin.cost.world import World, run

TRUTH_FILE = "ground_truth.yaml"


@dataclass(frozen=True)
class CostSimulation:
    """A simulated scenario.

    Attributes:
        world: with all causes.
        quiet: without any.
        effects: of each cause, measured by leaving it out.
    """

    prepared: Prepared
    world: World
    quiet: World
    effects: tuple[measuring.Effect, ...]

    @cached_property
    def rows(self) -> dict[RowPath, Row]:
        """The bill by row."""
        return dict(rows_of(self.world))

    @cached_property
    def workloads(self) -> list[Workload]:
        """What runs on Kubernetes."""
        return list(workloads_of(self.world))

    @cached_property
    def budgets(self) -> list[Budget]:
        """Of each account."""
        return budgets_of(self.rows)

    @cached_property
    def alerts(self) -> list[Alert]:
        """What fired."""
        return alerts_of(self.rows, namespaces_of(self.workloads), self.budgets, self.world.calendar)

    @cached_property
    def quiet_alerts(self) -> list[Alert]:
        """What would have fired without the causes."""
        namespaces = namespaces_of(list(workloads_of(self.quiet)))
        return alerts_of(rows_of(self.quiet), namespaces, self.budgets, self.quiet.calendar)

    @cached_property
    def events(self) -> list[Event]:
        """What happened besides."""
        return events_of(self.prepared, self.world)

    @cached_property
    def ticket(self) -> tuple[date, str]:
        """The day and the account (its id) that the anomaly was noticed on and in."""
        scenario, accounts = self.prepared.scenario, self.prepared.organisation.accounts
        dates = self.world.calendar.dates
        if scenario.ticket is not None:
            return dates[scenario.days - 1 - scenario.ticket.day], accounts[scenario.ticket.account].id
        onset = dates[min(self.prepared.onsets)]
        quiet = {(alert.rule, alert.scope, alert.fired_on) for alert in self.quiet_alerts}
        for alert in self.alerts:
            kind, account = alert.scope.split("/")[:2]
            new = (alert.rule, alert.scope, alert.fired_on) not in quiet
            if new and alert.fired_on >= onset and kind in ("account", "service"):
                return alert.fired_on, account
        first = min(self.effects, key=lambda effect: effect.onset)
        largest = max(first.amounts, key=lambda path: first.amounts[path])
        return dates[min(first.onset + 2, scenario.days - 1)], largest.account

    @cached_property
    def truth(self) -> CostTruth:
        """What the causes came to."""
        from itbench.twin.cost.mitigation import mitigation_truth

        dates, days = self.world.calendar.dates, self.prepared.scenario.days
        begins = min(self.prepared.onsets) if self.effects else max(days - 14, 0)
        return CostTruth(
            currency=self.prepared.organisation.currency,
            benign=not self.effects,
            causes=tuple(measuring.described(effect, self.world) for effect in self.effects),
            attribution=tuple(row for effect in self.effects for row in measuring.attributions(effect)),
            window=(dates[begins], dates[days - 1]),
            total=round(float(self.world.cost()[begins:].sum()), 2),
            mitigation=mitigation_truth(self.prepared),
        )

    def document(self) -> dict[str, Any]:
        """ground_truth.yaml."""
        cost = self.truth
        return {
            "resource": [item.model_dump() for item in measuring.union(cost.causes)],
            "cost": cost.model_dump(mode="json", by_alias=True, exclude_none=True),
        }

    def write(self, folder: Path) -> None:
        """Write all files of the scenario's folder, the truth last. Equal simulations give equal bytes."""
        folder.mkdir(parents=True, exist_ok=True)
        anomaly_document(*self.ticket).write(folder / "anomaly.json")
        public_table(self.rows, self.world.calendar).write(folder / "data.csv")
        focus_table(self.prepared, self.world).write(folder / "billing.csv")
        allocation_table(self.workloads, self.world.calendar).write(folder / "allocation.csv")
        usage_table(self.world).write(folder / "usage.csv")
        event_table(self.events).write(folder / "events.csv")
        budget_table(self.budgets, self.world.calendar).write(folder / "budgets.csv")
        alert_table(self.alerts).write(folder / "alerts.csv")
        text = yaml.safe_dump(self.document(), sort_keys=False, allow_unicode=True, width=120)
        (folder / TRUTH_FILE).write_text(text, encoding="utf-8")


def simulate(file: CostScenarioFile, seed: int | None = None) -> CostSimulation:
    """Run a scenario, with its causes, without each of them, and without any.

    Args:
        file: the scenario.
        seed: of everything random; by default the scenario's own.

    Raises:
        DatasetError: it names what does not exist; with path, line and key.
    """
    prepared = prepare(file, file.scenario.seed if seed is None else seed)
    world = run(prepared.plan(), prepared.draws)
    numbers = range(len(file.scenario.causes))
    without = [run(prepared.plan(without={index}), prepared.draws) for index in numbers]
    quiet = without[0] if len(without) == 1 else run(prepared.plan(without=numbers), prepared.draws)
    effects = tuple(
        measuring.effect(CauseClass(cause.cause), day, world, other)
        for cause, day, other in zip(file.scenario.causes, prepared.onsets, without, strict=True)
    )
    return CostSimulation(prepared, world, quiet, effects)
