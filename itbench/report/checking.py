"""What a check of scenarios found, on a terminal."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from itbench.authoring.verdict import COST_TITLES, TITLES, CheckName, ScenarioReport

_VERDICTS = {True: "[green]✓[/green]", False: "[red]✗[/red]"}
_TRIALS = {"nothing": "no repair", "fix": "accepted fix", "sham": "sham repair"}


def print_report(report: ScenarioReport, console: Console | None = None) -> None:
    """A table of the checks, one of the repairs, and what the author can do about failures."""
    out = console or Console(highlight=False)
    seeds = f", seeds {', '.join(map(str, report.seeds))}" if report.seeds else ""
    out.print(f"[bold]{escape(report.title or report.scenario)}[/bold] ({escape(report.scenario)}{seeds})")
    checks = Table("", "check", "evidence", header_style="bold")
    for check in report.checks:
        checks.add_row(_VERDICTS[check.passed], _titles(report)[check.name], escape(check.evidence))
    out.print(checks)
    if report.repairs:
        repairs = Table("", "what is done", "services", "alerts", "what is wrong at the end", header_style="bold")
        repairs.columns[1].overflow = "fold"
        for row in report.repairs:
            what = f"[dim]{_TRIALS[row.trial]}:[/dim] {escape(row.text)}"
            times = (_seconds(row.restored_after), _seconds(row.cleared_after))
            repairs.add_row(_VERDICTS[row.passed], what, *times, "" if row.resolved else escape(row.evidence))
        out.print(repairs)
    for check in report.failures:
        out.print(f"[red]{_titles(report)[check.name]}[/red]: {escape(check.evidence)}")
        out.print(f"  → {escape(check.remedy)}")
    if report.passed:
        out.print(f"[green]All {len(report.checks)} checks hold.[/green]")


def print_line(report: ScenarioReport, console: Console | None = None) -> None:
    """One line, and below it what failed."""
    out = console or Console(highlight=False, soft_wrap=True)
    fixes = [row for row in report.repairs if row.trial == "fix"]
    told = f"{len(report.checks) - len(report.failures)} of {len(report.checks)} checks"
    told += f", {sum(row.passed for row in fixes)} of {len(fixes)} fixes" if fixes else ""
    out.print(f"{_VERDICTS[report.passed]} {escape(report.scenario):<44} {told}")
    for check in report.failures:
        out.print(f"    [red]{_titles(report)[check.name]}[/red]: {escape(check.evidence)}")


def _seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f} s"


def _titles(report: ScenarioReport) -> Mapping[CheckName, str]:
    """What the checks of an incident, or of a bill, are called."""
    return COST_TITLES if any(check.name == "repeats" for check in report.checks) else TITLES
