"""`itbench report`, `explain` and `compare`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from itbench.cli.options import FOLDER, JSON
from itbench.model.errors import UsageError
from itbench.model.guess import guess
from itbench.model.trial import TrialRecord

if TYPE_CHECKING:
    from itbench.report.html import Drawing
    from itbench.runner.store import RunStore


@click.command()
@click.argument("run_dir", type=FOLDER)
@click.option("--markdown", type=FOLDER, help="Also write the scorecard to this Markdown file.")
@click.option("--html", type=FOLDER, help="Also write it to this HTML file.")
@click.option("--plots", is_flag=True, help="With --html: also a picture of each simulated scenario (seconds each).")
@click.option("--details", is_flag=True, help="Show every metric.")
@click.option("--bootstrap", is_flag=True, help="Bootstrap intervals (seeded by the run) instead of Student's.")
@click.option(
    "--ev", is_flag=True, help="Show the figures as the public evaluator computes them, to compare with its files."
)
@JSON
def report(
    run_dir: Path,
    markdown: Path | None,
    html: Path | None,
    plots: bool,
    details: bool,
    bootstrap: bool,
    ev: bool,
    as_json: bool,
) -> None:
    """Show the scorecard of a run, from its records.

    Example: itbench report runs/mine --html mine.html

    With --ev the means drop the runs without a verdict, and ± is the public evaluator's standard error; such figures
    are for comparing with published ones, and the table says so.
    """
    from itbench.datasets.rules import load_rules
    from itbench.report.html import html_page
    from itbench.report.markdown import markdown_scorecard
    from itbench.report.reference import print_reference, reference_figures
    from itbench.report.terminal import print_scorecard
    from itbench.runner.atomic import write_file
    from itbench.runner.store import RunStore
    from itbench.runner.summary import summarise_store

    if plots and html is None:
        raise UsageError("--plots are for a page", hint="Add --html FILE; for one picture: itbench scenario plot ID")
    store = RunStore.open(run_dir)
    summary = summarise_store(store, load_rules(), bootstrap=bootstrap)
    if ev and (bootstrap or details or markdown or html):
        raise UsageError("--ev shows the public evaluator's figures alone", hint="Leave out the other options")
    if markdown is not None:
        write_file(markdown, markdown_scorecard(summary).encode())
        click.echo(f"Wrote {markdown}.", err=True)
    if html is not None:
        write_file(html, html_page(summary, _incidents(store) if plots else ()).encode())
        click.echo(f"Wrote {html}.", err=True)
    if ev:
        figures = reference_figures(list(store.records()))
        click.echo(json.dumps({"schema_version": 1, "agents": figures})) if as_json else print_reference(figures)
    elif as_json:
        click.echo(summary.model_dump_json())
    else:
        print_scorecard(summary, details=details)


def _incidents(store: RunStore) -> list[Drawing]:
    """Pictures of the run's simulated scenarios, with a word about each: they take a while."""
    from itbench.report.incident.of_run import drawings_of

    found = []
    for drawing in drawings_of(store.config):
        click.echo(f"drawn: {drawing.title}", err=True)
        found.append(drawing)
    if not found:
        click.echo("note: no scenario of this run is simulated; there is nothing to draw", err=True)
    return found


@click.command()
@click.argument("run_dir", type=FOLDER)
@click.argument("trial")
@click.option("--details", is_flag=True, help="Show every figure.")
@click.option("--otlp", metavar="URL", help="Send the trajectories there as spans, such as http://127.0.0.1:4318/v1/traces.")
@click.option("--otlp-content", is_flag=True, help="Send also what was said.")
@JSON
def explain(run_dir: Path, trial: str, details: bool, otlp: str | None, otlp_content: bool, as_json: bool) -> None:
    """Show why one trial scored as it did.

    Example: itbench explain runs/mine orders-leave-no-trace

    TRIAL is SCENARIO, SCENARIO/NUMBER, AGENT, AGENT/SCENARIO or AGENT/SCENARIO/NUMBER. What fits several trials shows
    them all.
    """
    from itbench.report.explanation import explain as explanation
    from itbench.runner.store import RunStore

    store = RunStore.open(run_dir)
    records = [record for record in store.records() if _fits(record, trial)]
    if not records:
        raise UsageError(f"no finished trial fits {trial!r}", path=run_dir, hint=_what_there_is(store.records(), trial))
    if otlp is not None:
        for record in records:
            _send_spans(store.trial_dir(record.agent, record.scenario, record.trial), record, otlp, content=otlp_content)
    if as_json:
        click.echo("[" + ",".join(record.model_dump_json() for record in records) + "]")
        return
    click.echo("\n\n".join("\n".join(explanation(record, details=details)) for record in records))


def _send_spans(folder: Path, record: TrialRecord, endpoint: str, *, content: bool) -> None:
    from itbench.agents.transcript import read_trajectory
    from itbench.report.otel import export_spans

    trajectory, problems = read_trajectory(folder)
    where = f"{record.agent}/{record.scenario}/{record.trial}"
    if trajectory is None:
        click.echo(f"{where}: {problems[0] if problems else 'no trajectory'}", err=True)
        return
    told = {
        "itbench.agent": record.agent,
        "itbench.scenario": record.scenario,
        "itbench.outcome": record.outcome.cause or record.outcome.status,
    }
    count = export_spans(trajectory, endpoint, told, content=content)
    click.echo(f"{where}: sent {count} spans", err=True)


def _what_there_is(records: Iterable[TrialRecord], text: str) -> str:
    """How to name a trial, the nearest scenario or agent to what was typed, and which scenarios the run has."""
    found = list(records)
    scenarios = list(dict.fromkeys(record.scenario for record in found))
    names = [*scenarios, *dict.fromkeys(record.agent for record in found)]
    meant = next(filter(None, (guess(part, names) for part in text.split("/") if part not in names)), "")
    some = f": {', '.join(scenarios[:12])}{' …' if len(scenarios) > 12 else ''}" if scenarios else ": none"
    return f"{meant}Write SCENARIO, SCENARIO/NUMBER or AGENT/SCENARIO/NUMBER. Scenarios with a finished trial{some}"


def _fits(record: TrialRecord, text: str) -> bool:
    number = str(record.trial)
    alone = record.scenario, f"{record.scenario}/{number}"
    return text in (record.agent, *alone, *(f"{record.agent}/{name}" for name in alone))


@click.command()
@click.argument("before", type=FOLDER)
@click.argument("after", type=FOLDER)
@JSON
@click.pass_context
def compare(ctx: click.Context, /, before: Path, after: Path, as_json: bool) -> None:
    """Compare two runs, scenario by scenario: what changed, and what so few scenarios could have shown.

    Agents are paired by their names in the runs. Example: itbench compare runs/mine runs/changed
    """
    from itbench.datasets.rules import load_rules
    from itbench.report.comparison import print_comparison
    from itbench.runner.locking import different_questions
    from itbench.runner.store import RunStore
    from itbench.scoring.compare import compare as compare_records
    from itbench.scoring.metrics import metric_keys

    stores = [RunStore.open(folder) for folder in (before, after)]
    for difference in different_questions(*stores):
        click.echo(f"note: {difference}", err=True)
    first, second = (list(store.records()) for store in stores)
    found = compare_records(first, second, load_rules(), run_dirs=(str(before), str(after)), metric_keys=metric_keys)
    if as_json:
        click.echo(found.model_dump_json())
    else:
        print_comparison(found)
    if not any(domain.metrics for pair in found.agents for domain in pair.domains):
        click.echo("itbench: the two runs have no agent and scenario in common: nothing to compare", err=True)
        ctx.exit(1)
