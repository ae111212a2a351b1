"""`itbench mast annotate` and `validate`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from itbench.cli.mast import TAXONOMY
from itbench.cli.options import FOLDER, JSON
from itbench.model.text import visible


@click.command()
@click.argument("path", type=FOLDER)
@click.option("--all", "show_all", is_flag=True, help="Show every mode, not only those that are present.")
@TAXONOMY
@JSON
def annotate(path: Path, show_all: bool, version: str, as_json: bool) -> None:
    """Find failure modes by rules, in imported traces, a run folder, or sessions as they are.

    \b
    Example: itbench mast annotate runs/mine --json > rules.json

    Each trace gets a verdict on each mode: present (with the steps that show it), absent, not_applicable or unknown. What
    a rule cannot see is unknown, never absent. docs/mast.md describes the rules and how well they do.
    """
    from itbench.mast.annotate import EXPERIMENTAL, annotate_trace
    from itbench.mast.reading import Notes, read_traces
    from itbench.mast.taxonomy import load_taxonomy
    from itbench.model.mast import Annotations

    taxonomy, notes = load_taxonomy(version), Notes()
    traces = tuple(annotate_trace(trace, taxonomy) for trace in read_traces(path, notes))
    for problem in notes.problems:
        click.echo(f"itbench: left out: {visible(problem)}", err=True)
    if as_json:
        click.echo(Annotations(taxonomy=taxonomy.version, traces=traces).model_dump_json())
        return
    for trace in traces:
        click.echo(visible(trace.trace))
        shown = [each for each in trace.annotations if show_all or each.verdict == "present"]
        for each in shown:
            steps = f" at steps {', '.join(map(str, each.steps[:12]))}" if each.steps else ""
            name = taxonomy.mode(each.code).name + (" (experimental rule)" if each.code in EXPERIMENTAL else "")
            told = f"{each.verdict} ({each.confidence:.2f}){steps}: {visible(each.reason)}"
            click.echo(f"  {each.code} {name}: {told}")
        if not shown:
            click.echo("  no failure mode was found")


@click.command()
@click.option("--seed", type=click.IntRange(0), default=1000, show_default=True, help="First of the seeds.")
@click.option(
    "--traces", "count", type=click.IntRange(10), default=40, show_default=True, help="For each mode and near-miss."
)
@click.option("--development", is_flag=True, help="Use the wordings that rules were written with, not the held-out ones.")
@JSON
def validate(seed: int, count: int, development: bool, as_json: bool) -> None:
    """Measure the rules: precision and recall on generated traces in which failures are planted.

    \b
    Example: itbench mast validate

    Exit codes: 0 every rule that is not marked experimental reaches precision 0.9 and recall 0.8; 1 one does not.
    """
    from itbench.mast.annotate import EXPERIMENTAL
    from itbench.mast.validation import markdown_table, validate_rules

    results = validate_rules(seed, count, held_out=not development)
    if as_json:
        click.echo(json.dumps([result.as_dict() for result in results]))
    else:
        click.echo(markdown_table(results))
    if any(not result.good and result.code not in EXPERIMENTAL for result in results):
        raise click.exceptions.Exit(1)
