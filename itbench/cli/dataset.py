"""`itbench dataset`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from itbench.cli.options import FOLDER, JSON
from itbench.model.text import visible

if TYPE_CHECKING:
    from itbench.datasets.findings import Finding
    from itbench.datasets.validate import DatasetInfo

_STYLES = {"error": "red", "warning": "yellow", "info": "cyan"}


@click.group()
def dataset() -> None:
    """Validate, describe and download datasets."""


@dataset.command()
@click.argument("path", type=FOLDER)
@click.option("--all", "show_all", is_flag=True, help="Show every finding, not only the first 200.")
@JSON
@click.pass_context
def validate(ctx: click.Context, path: Path, show_all: bool, as_json: bool) -> None:
    """Look for everything that is wrong with a dataset, with file and line.

    Example: itbench dataset validate ITBench-Lite

    Reads every file. Exit codes: 0 no errors (there may be warnings), 1 errors, 2 it is no dataset at all.
    """
    from itbench.datasets.validate import validate as find

    findings = find(path)
    errors = sum(finding.severity == "error" for finding in findings)
    if as_json:
        click.echo(json.dumps([finding.model_dump() for finding in findings]))
    else:
        _print_findings(findings if show_all else findings[:200])
        if len(findings) > 200 and not show_all:
            click.echo(f"… and {len(findings) - 200} more; --all shows them")
        warnings = sum(finding.severity == "warning" for finding in findings)
        click.echo(f"{errors} errors, {warnings} warnings, {len(findings) - errors - warnings} remarks")
    ctx.exit(1 if errors else 0)


@dataset.command()
@click.argument("path", type=FOLDER)
@JSON
def info(path: Path, as_json: bool) -> None:
    """Describe a dataset: domains, scenarios, sizes, what is missing.

    Example: itbench dataset info ITBench-Lite
    """
    from itbench.datasets.validate import info as describe

    described = describe(path)
    if as_json:
        click.echo(described.model_dump_json())
    else:
        _print_info(described)


@dataset.command()
@click.argument("which", type=click.Choice(["lite", "aa"]))
@click.option("--scenario", "scenarios", multiple=True, metavar="ID", help="Only this scenario, such as 2 or finops-3.")
@click.option("--out", type=FOLDER, help="Where to put it; default: ./ITBench-Lite or ./ITBench-AA.")
def pull(which: str, scenarios: tuple[str, ...], out: Path | None) -> None:
    """Download a published dataset from the Hugging Face hub (needs the extra `hub`).

    Example: itbench dataset pull lite --scenario 2

    Takes the revision that itbench was checked against. An interrupted download goes on where it stopped.
    """
    from itbench.datasets.hub import pull as download

    target = out or Path({"lite": "ITBench-Lite", "aa": "ITBench-AA"}[which])
    click.echo(f"Downloading to {target} …", err=True)
    download("lite" if which == "lite" else "aa", scenarios, target)
    click.echo(f"Downloaded to {target}. Run it: itbench run --dataset {target} --agent oracle")


def _print_findings(findings: tuple[Finding, ...]) -> None:
    for finding in findings:
        click.secho(f"{finding.severity:<8}", fg=_STYLES[finding.severity], nl=False)
        click.echo(visible(str(finding)))


def _print_info(described: DatasetInfo) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="bold")
    for column in ("scenario", "domain", "complexity", "truth", "roots", "files", "MB", "rows", "missing"):
        table.add_column(column, justify="right" if column in ("roots", "files", "MB", "rows") else "left")
    for found in described.scenarios:
        table.add_row(
            Text(visible(found.id)),
            found.domain,
            found.complexity or "",
            found.dialect or "",
            str(found.roots),
            str(found.files),
            f"{found.bytes / 1e6:.1f}",
            "" if found.rows is None else str(found.rows),
            ", ".join(found.missing),
        )
    Console(highlight=False).print(table)
    counts = ", ".join(f"{number} {domain}" for domain, number in described.domains.items())
    click.echo(f"{described.path}: {counts} scenarios ({described.layout} layout), {described.bytes / 1e6:.1f} MB")
    if described.errors or described.warnings:
        click.echo(
            f"{described.errors} errors, {described.warnings} warnings; see: itbench dataset validate {described.path}"
        )
