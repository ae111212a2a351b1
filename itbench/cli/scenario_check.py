"""`itbench scenario check`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from itbench.cli.options import JSON


@click.command()
@click.argument("which", metavar="[ID|PATH]", required=False)
@click.option("--suite", metavar="NAME", help="Check every scenario of a suite, a line each.")
@click.option(
    "--seeds", type=click.IntRange(1, 20), default=3, show_default=True, help="How many to play: its own and the next ones."
)
@click.option("--jobs", type=click.IntRange(1), help="Processes; by default one for each core.")
@JSON
@click.pass_context
def check(ctx: click.Context, which: str | None, suite: str | None, seeds: int, jobs: int | None, as_json: bool) -> None:
    """Prove that a scenario is solvable, not trivial, leaks nothing, and is repaired by its fixes and by nothing else.

    \b
    itbench scenario check nobody-at-the-till
    itbench scenario check my-scenario/scenario.yaml --json
    itbench scenario check --suite sre-all

    What each check means, and how to mend a scenario that fails one: docs/checking.md.

    Exit codes: 0 every check holds, 1 one does not, 2 wrong usage.
    """
    from itbench.authoring.suite import check_all

    if (which is None) == (suite is None):
        raise click.UsageError("Name one scenario, by id or path, or give --suite NAME.")
    paths = _of_suite(suite) if suite is not None else [_one(str(which))]
    reports = []
    for report in check_all(paths, seeds, jobs):
        reports.append(report)
        if as_json:
            click.echo(f"{report.scenario}: {'passed' if report.passed else 'failed'}", err=True)
            continue
        from itbench.report.checking import print_line, print_report

        print_report(report) if suite is None else print_line(report)
    failed = sum(not report.passed for report in reports)
    if as_json:
        documents = [report.model_dump(mode="json") for report in reports]
        click.echo(json.dumps(documents[0] if suite is None else documents, indent=1))
    elif suite is not None:
        click.echo(f"{len(reports) - failed} of {len(reports)} scenarios hold every check.")
    if failed:
        ctx.exit(1)


def _one(which: str) -> Path:
    from itbench.datasets.catalogue import locate_scenario

    return locate_scenario(which)


def _of_suite(name: str) -> list[Path]:
    """The files of a suite's scenarios that are simulated; those that are recorded have nothing to check."""
    from itbench.datasets.discover import load_suite
    from itbench.model.errors import UsageError

    found = [item.definition for item in load_suite(name) if item.definition is not None]
    if not found:
        raise UsageError(f"the suite {name!r} has no scenario that is simulated")
    return found
