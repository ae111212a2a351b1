"""`itbench mast analyze`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from itbench.cli.mast import TAXONOMY
from itbench.cli.options import FOLDER, JSON
from itbench.model.text import visible


@click.command()
@click.argument("paths", type=FOLDER, nargs=-1, required=True, metavar="RUN…")
@click.option(
    "--success", "rule", metavar="RULE", help="METRIC>=NUMBER, several separated by commas: the first that is known."
)
@click.option("--markdown", type=FOLDER, help="Write the report to this file.")
@click.option("--html", type=FOLDER, help="Write the report, with pictures, to this file.")
@click.option("--plots", type=FOLDER, help="Write the pictures, SVG, to this folder.")
@click.option("--logistic", is_flag=True, help="All modes at once, with scenarios as clusters (extra `mast`).")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="For the bootstrap over scenarios.")
@TAXONOMY
@JSON
def analyze(
    paths: tuple[Path, ...],
    rule: str | None,
    markdown: Path | None,
    html: Path | None,
    plots: Path | None,
    logistic: bool,
    seed: int,
    version: str,
    as_json: bool,
) -> None:
    """Which failure modes make agents fail, and which are survived.

    RUN… are run folders, folders that `mast import` wrote, or sessions as they are. They are annotated by rules, and each
    mode's share in failed traces is held against its share in successful ones.

    \b
    Example: itbench mast analyze runs/mine --html mast.html

    A trace succeeds by --success; by default if the first known of resolved, root_cause_entity_recall and exactness is 1.
    """
    from numpy.random import default_rng

    from itbench.mast.analysis import Collected, analyse
    from itbench.mast.annotate import annotate_trace
    from itbench.mast.outcomes import DEFAULT_SUCCESS, Success
    from itbench.mast.reading import Notes, read_traces
    from itbench.mast.report import html_analysis, markdown_analysis, pictures, print_analysis, write_pictures
    from itbench.mast.taxonomy import load_taxonomy
    from itbench.runner.atomic import write_file

    taxonomy, success, collected = load_taxonomy(version), Success.from_text(rule or DEFAULT_SUCCESS), Collected()
    for path in paths:
        notes = Notes()
        for trace in read_traces(path, notes):
            collected.add(trace, annotate_trace(trace, taxonomy))
        for problem in notes.problems:
            click.echo(f"itbench: left out: {visible(problem)}", err=True)
    analysis = analyse(collected, taxonomy, success, default_rng(seed), logistic=logistic)
    if markdown is not None:
        write_file(markdown, markdown_analysis(analysis, taxonomy).encode())
    if html is not None:
        write_file(html, html_analysis(analysis, taxonomy).encode())
    if plots is not None:
        write_pictures(plots, "mast", pictures(analysis, taxonomy))
    if as_json:
        click.echo(json.dumps(analysis.as_dict()))
    else:
        print_analysis(analysis, taxonomy)
