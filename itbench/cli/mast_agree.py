"""`itbench mast agree`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from itbench.cli.mast import TAXONOMY
from itbench.cli.options import FOLDER, JSON

if TYPE_CHECKING:
    from itbench.mast.accuracy import Accuracy
    from itbench.mast.agreement import Agreement, Estimate


@click.command()
@click.argument("files", type=FOLDER, nargs=-1, required=True)
@click.option(
    "--label-set", metavar="NAME", help="Whose labels these are, such as mast-data-rounds or verification-swapped."
)
@click.option(
    "--truth",
    multiple=True,
    metavar="ANNOTATOR",
    help="Who is right: precision and recall of the others against them. Of several, what more than half say.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="For the bootstrap intervals.")
@TAXONOMY
@JSON
def agree(
    files: tuple[Path, ...], label_set: str | None, truth: tuple[str, ...], seed: int, version: str, as_json: bool
) -> None:
    """How far annotators agree, mode by mode: Krippendorff's alpha, Fleiss' and Cohen's kappa with 95 % intervals.

    FILES are labels as .csv or .json (trace, code, verdict, annotator), labels.json of an imported data set, and what
    `mast annotate --json` printed.

    \b
    itbench mast agree rules.json anna.csv ben.csv
    itbench mast agree rules.json anna.csv --truth anna

    Exit codes: 0 compared, 2 a file cannot be used or no two annotators labelled the same trace.
    """
    from numpy.random import default_rng

    from itbench.mast.accuracy import accuracy
    from itbench.mast.agreement import agreement
    from itbench.mast.labels import read_labels
    from itbench.mast.taxonomy import load_taxonomy

    taxonomy = load_taxonomy(version)
    labels = [label for path in files for label in read_labels(path, taxonomy, label_set)]
    found = agreement(labels, taxonomy, default_rng(seed))
    held = accuracy(labels, truth, taxonomy) if truth else ()
    if as_json:
        more = {"accuracy": [each.as_dict() for each in held]} if truth else {}
        click.echo(json.dumps(found.as_dict() | more))
    else:
        _print(found)
        _print_accuracy(held, truth)


def _print(found: Agreement) -> None:
    from rich.table import Table
    from rich.text import Text

    from itbench.mast.report import report_console
    from itbench.model.text import visible

    out = report_console()
    table = Table("mode", "rated by two", "alpha", "Fleiss", header_style="bold")
    pairs = [(pair.one, pair.other) for pair in found.modes[-1].pairs]
    for one, other in pairs:
        table.add_column(Text(visible(f"kappa {one} / {other}")))
    for mode in found.modes:
        kappas = (_cell(pair.kappa) + ("" if pair.n == mode.units else f" n={pair.n}") for pair in mode.pairs)
        table.add_row(mode.code, str(mode.units), _cell(mode.alpha), _cell(mode.fleiss), *kappas)
    out.print(table)
    for pair in found.modes[-1].pairs:
        out.print(visible(f"{pair.one} / {pair.other}, all modes:"), style="bold", markup=False)
        for verdicts, count in pair.table.items():
            out.print(f"  {verdicts.replace('/', ' / ')}: {count}")
    out.print("Present and absent are compared; unknown and not applicable are no ratings. – is not defined.", style="dim")


def _print_accuracy(held: tuple[Accuracy, ...], truth: tuple[str, ...]) -> None:
    from rich.table import Table
    from rich.text import Text

    from itbench.mast.report import report_console
    from itbench.model.text import visible

    out = report_console()
    for name in dict.fromkeys(each.annotator for each in held):
        title = Text(visible(f"{name} against {', '.join(truth)}"))
        table = Table("mode", "precision", "recall", "present", "invented", "unknown", title=title, title_justify="left")
        for each in held:
            if each.annotator == name:
                shares = ("–" if share is None else f"{share:.2f}" for share in (each.precision, each.recall))
                table.add_row(each.code, *shares, str(each.hits + each.missed), str(each.invented), str(each.open))
        out.print(table)


def _cell(estimate: Estimate) -> str:
    if estimate.value is None:
        return "–"
    bounds = "" if estimate.low is None else f" [{estimate.low:.2f}, {estimate.high:.2f}]"
    return f"{estimate.value:.2f}{bounds}"
