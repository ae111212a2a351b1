"""Scenarios on a terminal: the list of them, and one of them in full."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from itbench.datasets.scenario import ScenarioFolder
from itbench.twin.incident.plan import Plan, PlannedStep


def print_scenarios(scenarios: Iterable[ScenarioFolder], console: Console | None = None) -> None:
    """A line each."""
    table = Table("id", "domain", "complexity", "title", header_style="bold")
    table.columns[0].no_wrap = True  # ids are there to be copied
    for item in scenarios:
        table.add_row(escape(item.id), item.domain, item.complexity or "–", escape(item.title))
    (console or Console(highlight=False)).print(table)


def print_scenario(plan: Plan, console: Console | None = None) -> None:
    """What happens when, what should come of it, and what repairs it."""
    out, scenario = console or Console(highlight=False), plan.scenario
    out.print(f"[bold]{escape(scenario.title)}[/bold] ({scenario.id}, {scenario.complexity})")
    if scenario.description:
        out.print(escape(scenario.description.strip()))
    load = plan.application.load
    pace = f"{load.users:g} users" if load.users is not None else f"{load.rate or 0:g} requests a second"
    scaling = ", with autoscaling" if scenario.autoscaling else ""
    out.print(
        f"\nRuns {escape(plan.application.title)} under {pace}{scaling}, noise {scenario.noise:g}, seed {scenario.seed}."
    )
    timeline = Table("minute", "what", "of what", header_style="bold")
    timeline.add_row("0", "all is well", "")
    for step in plan.steps:
        timeline.add_row(f"{(scenario.timeline.before + step.at) / 60:g}", *_step(step))
    timeline.add_row(f"{scenario.timeline.seconds / 60:g}", "the recording ends", "")
    out.print(timeline)
    expected = [alert.name for alert in scenario.expected_alerts]
    expected = expected or [name for step in plan.steps if step.fault is not None for name in step.fault.alerts]
    out.print(f"Alerts to expect: {', '.join(dict.fromkeys(expected)) or 'none in particular'}")
    fixes = [fix.text for step in plan.steps if step.fault is not None for fix in step.fault.fixes()]
    for text in (*fixes, *(fix.text for fix in scenario.fixes)):
        out.print(f"Accepted fix: {escape(text)}")


def _step(step: PlannedStep) -> tuple[str, str]:
    acting = step.fault or step.waiter
    assert acting is not None
    what = ("fault: " if step.fault is not None else "") + acting.title
    return escape(what), escape(_target(acting.args.model_dump(mode="json")))


def _target(args: dict[str, object]) -> str:
    """The object of some arguments, and what else they say."""
    told = []
    for key, value in args.items():
        if key == "kubernetesObject" and isinstance(value, dict):
            told.append(f"{value['kind']}/{value['metadata']['name']}")
        elif value is not None:
            told.append(f"{key}={value}")
    text = ", ".join(told)
    return text if len(text) <= 120 else f"{text[:119]}…"
