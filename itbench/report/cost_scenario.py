"""A FinOps scenario on a terminal: what happens to the bill, and what came of it."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from itbench.model.base import Model
from itbench.model.cost import CostTruth
from itbench.twin.cost.preparation import Prepared


def print_cost_scenario(prepared: Prepared, console: Console | None = None) -> None:
    """What happens when, and in which organisation."""
    out, scenario, dates = console or Console(highlight=False), prepared.scenario, prepared.calendar.dates
    out.print(f"[bold]{escape(scenario.title)}[/bold] ({scenario.id}, {scenario.complexity})")
    if scenario.description:
        out.print(escape(scenario.description.strip()))
    organisation = prepared.organisation
    out.print(
        f"\nBill of {escape(organisation.title.lower())} ({scenario.organisation}): {len(organisation.accounts)} accounts, "
        f"{len(organisation.applications)} applications, {dates[0]} to {dates[-1]}, seed {prepared.seed}."
    )
    timeline = Table("from", "what", "how", header_style="bold")
    changes: list[tuple[int, str, Model]] = [
        *((day, f"cause: {cause.cause}", cause) for cause, day in zip(scenario.causes, prepared.onsets, strict=True)),
        *((day, f"benign: {it.cause}", it) for it, day in zip(scenario.benign, prepared.benign, strict=True)),
    ]
    for day, what, change in sorted(changes, key=lambda item: item[0]):
        values = change.model_dump(exclude={"cause", "onset"}, exclude_none=True)
        timeline.add_row(str(dates[day]), escape(what), escape(", ".join(f"{key}={value}" for key, value in values.items())))
    out.print(timeline)
    if not scenario.causes:
        out.print("Nothing is wrong: the right answer names no resource.")


def truth_in_words(truth: CostTruth) -> str:
    """A line about what the causes came to."""
    if truth.benign:
        return "benign, no resource to be named"
    told = []
    for cause in truth.causes:
        names = ", ".join(f"{item.name} ({item.type})" for item in cause.resources)
        amount = f"moved {cause.moved:,.2f}" if cause.moved else f"{cause.amount:,.2f}"
        told.append(f"{cause.cause} at {names}: {amount} {truth.currency} since {cause.onset}")
    return "; ".join(told)
