"""`itbench judge`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from itbench.cli.options import FOLDER, JSON
from itbench.model.text import visible

if TYPE_CHECKING:
    from itbench.model.agreement import Agreement, KappaEstimate, Label

_MOST_SHOWN = 40


@click.group()
def judge() -> None:
    """How far a judge, the matcher and people agree. To let a model judge, see: itbench score --judge."""


@judge.command()
@click.argument("files", type=FOLDER, nargs=-1, required=True)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="For the bootstrap intervals.")
@JSON
def agreement(files: tuple[Path, ...], seed: int, as_json: bool) -> None:
    """Compare labels: Cohen's kappa of every two raters, and what they rated differently.

    FILES are run folders and scores.json files (the judge's and the matcher's labels), and labels of people as .csv or
    .json with the columns rater, criterion, scenario, trial, entity, label and, where it matters, agent.

    \b
    Example: itbench judge agreement runs/a labels.csv

    Exit codes: 0 compared, 2 a file cannot be used or no two raters rated the same entity.
    """
    from numpy.random import default_rng

    from itbench.model.errors import UsageError
    from itbench.scoring.judge.agreement import agreement as compare

    found = compare([label for path in files for label in _labels(path)], default_rng(seed))
    if not found.pairs:
        raise UsageError(
            f"no two raters rated the same entity ({found.labels} labels were read)",
            hint="criterion, agent, scenario, trial and entity must be equal to those of the run",
        )
    if as_json:
        click.echo(found.model_dump_json())
    else:
        _print(found)


def _labels(path: Path) -> Iterator[Label]:
    from itbench.datasets.labels import read_labels
    from itbench.model.errors import RunError
    from itbench.model.scores import Scores
    from itbench.runner.store import RunStore, read_document
    from itbench.scoring.judge.agreement import labels_of

    if not path.is_dir() and path.name != "scores.json":
        yield from read_labels(path)
        return
    records = RunStore.open(path).records() if path.is_dir() else read_document(path, Scores).trials
    for record in records:
        try:
            yield from labels_of(record)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            place = f"{record.scenario}, trial {record.trial}"
            raise RunError(f"the evidence of {place} is damaged ({type(error).__name__})", path=path) from None


def _print(found: Agreement) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    table = Table()
    for title in ("criterion", "raters", "n", "equal", "κ", "κ, linear weights"):
        table.add_column(title, overflow="fold")
    for pair in found.pairs:
        cells = (
            pair.criterion,
            " and ".join(pair.raters),
            str(pair.n),
            f"{pair.agreement:.0%}",
            _shown(pair.kappa),
            _shown(pair.kappa_linear),
        )
        table.add_row(*(Text(visible(cell)) for cell in cells))
    console.print(table)
    if not found.disagreements:
        return
    differing = Table(title="Rated differently", title_justify="left")
    for title in ("criterion", "scenario", "trial", "entity", "labels"):
        differing.add_column(title, overflow="fold")
    for each in found.disagreements[:_MOST_SHOWN]:
        given = ", ".join(f"{rater} {label:g}" for rater, label in each.labels.items())
        shown = (each.criterion, each.scenario, str(each.trial), each.entity, given)
        differing.add_row(*(Text(visible(cell)) for cell in shown))
    console.print(differing)
    if (more := len(found.disagreements) - _MOST_SHOWN) > 0:
        click.echo(f"{more} more, which --json shows")


def _shown(kappa: KappaEstimate) -> str:
    if kappa.value is None:
        return "undefined"
    bounds = f" [{kappa.low:.2f}, {kappa.high:.2f}]" if kappa.low is not None and kappa.high is not None else ""
    return f"{kappa.value:.2f}{bounds}"
