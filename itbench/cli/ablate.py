"""`itbench ablate`."""

from __future__ import annotations

import json
import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from itbench.cli.mast import TAXONOMY
from itbench.cli.options import FOLDER, JSON
from itbench.cli.run_options import limits, new_folder, run_options
from itbench.model.errors import UsageError

if TYPE_CHECKING:
    from itbench.mast.ablation.results import Ablation, Key, Trial
    from itbench.mast.outcomes import Success
    from itbench.model.mast import Taxonomy
    from itbench.runner.session import Session
    from itbench.runner.store import RunStore


@click.command()
@run_options
@click.option("--agent", "agents", multiple=True, metavar="SPEC", help="A bare agent; may be repeated.")
@click.option("--with", "interventions", metavar="LIST", help="Such as gate,fsm(explore=8); see: itbench ablate --list.")
@click.option("--list", "show", is_flag=True, help="List the interventions, and end.")
@click.option("--resume", "run_dir", type=FOLDER, help="Go on with this run folder.")
@click.option("--report", "finished", type=FOLDER, help="Report on this run folder as it is, and run nothing.")
@click.option("--success", "rule", metavar="RULE", help="When a trial succeeds, as of `itbench mast analyze`.")
@click.option("--markdown", type=FOLDER, help="Write the report to this file.")
@click.option("--html", type=FOLDER, help="Write the report, with a picture, to this file.")
@click.option("--plots", type=FOLDER, help="Write the picture, SVG, to this folder.")
@click.option("--out", type=FOLDER, help="The run folder; default: runs/<time>.")
@TAXONOMY
@JSON
@click.pass_context
def ablate(
    ctx: click.Context,
    /,
    agents: tuple[str, ...],
    interventions: str | None,
    show: bool,
    run_dir: Path | None,
    finished: Path | None,
    rule: str | None,
    markdown: Path | None,
    html: Path | None,
    plots: Path | None,
    out: Path | None,
    version: str,
    as_json: bool,
    **request: Any,
) -> None:
    """What structural fixes around an agent are worth: the same scenarios and seeds, with and without each of them.

    Runs the agent bare, with each intervention alone, and with all together; then shows for each arm what it does to
    success, metrics and failure modes, what it costs, and what to use for this agent.

    \b
    itbench ablate --suite starter --agent llm:gpt-5-mini --with gate,loop,fsm --trials 3 --html ablation.html
    itbench ablate --report runs/mine --html ablation.html

    Exit codes: 0 all trials scored, 1 some trial unscored, 2 wrong usage or input.
    """
    from itbench.mast.outcomes import DEFAULT_SUCCESS, Success
    from itbench.mast.taxonomy import load_taxonomy
    from itbench.runner.store import RunStore

    if show:
        _list(as_json=as_json)
        return
    taxonomy, success = load_taxonomy(version), Success.from_text(rule or DEFAULT_SUCCESS)
    if finished is not None:
        store, interrupted = RunStore.open(finished), False
    else:
        session = _session(run_dir, agents, interventions, out, request)
        store, interrupted = session.store, _run(session)
    _show(_found(store, taxonomy, success), taxonomy, markdown, html, plots, as_json=as_json)
    root = store.root
    if interrupted:
        click.echo(f"Interrupted. Go on with: {shlex.join(['itbench', 'ablate', '--resume', _near(root)])}", err=True)
    unscored = any(record.outcome.cause is not None for record in store.records())
    ctx.exit(1 if unscored or interrupted else 0)


def _session(
    run_dir: Path | None, agents: tuple[str, ...], interventions: str | None, out: Path | None, request: dict[str, Any]
) -> Session:
    from itbench.mast.ablation.arms import specs_of_arms
    from itbench.runner.session import RunRequest, begin, reopen

    def announce(text: str) -> None:
        click.echo(text, err=True)

    if run_dir is not None:
        if agents or interventions or out or request["suite"] or request["dataset"] or request["scenarios"]:
            raise UsageError("a run that goes on has its agents, scenarios and folder already", key="--resume")
        return reopen(run_dir, announce=announce)
    if not agents or not interventions:
        missing = "--agent" if not agents else "--with"
        hint = "For example: itbench ablate --suite starter --agent llm:gpt-5-mini --with gate,loop"
        raise UsageError("name the agent and what to put around it", key=missing, hint=hint)
    specs = specs_of_arms(agents, interventions)
    return begin(RunRequest(out=out or new_folder(), agents=specs, **limits(request)), announce=announce)


def _run(session: Session) -> bool:
    from itbench.cli.progress import progress_on
    from itbench.report.files import write_reports
    from itbench.runner.execute import run_pending
    from itbench.runner.summary import summarise_session

    for notice in session.store.config.notices:
        click.echo(f"note: {notice}", err=True)
    with progress_on(sys.stderr) as progress:
        interrupted = run_pending(session, progress)
    write_reports(session.store.root, summarise_session(session))
    return interrupted


def _found(store: RunStore, taxonomy: Taxonomy, success: Success) -> Ablation:
    from numpy.random import default_rng

    from itbench.mast.ablation.arms import arms_of_run
    from itbench.mast.ablation.results import Trial, ablation_of
    from itbench.mast.annotate import annotate_trace
    from itbench.mast.reading import Notes, read_traces

    trials: dict[Key, Trial] = {(r.agent, r.scenario, r.trial): Trial(r) for r in store.records()}
    try:
        for trace in read_traces(store.root, Notes()):
            key = (trace.info.agent, trace.info.scenario or "", trace.info.trial or 0)
            if key in trials:
                replies = sum(step.source == "agent" for step in trace.trajectory.steps)
                trials[key] = Trial(trials[key].record, annotate_trace(trace, taxonomy), replies)
    except UsageError:
        pass  # no agent left a trajectory: effects on success are all there is
    config = store.config
    return ablation_of(
        arms_of_run(config.agents),
        trials,
        taxonomy,
        success,
        default_rng(config.seed),
        run_dir=_near(store.root),
    )


def _show(
    found: Ablation, taxonomy: Taxonomy, markdown: Path | None, html: Path | None, plots: Path | None, *, as_json: bool
) -> None:
    from itbench.mast.ablation.report import grids, pictures, summary
    from itbench.mast.report import html_page, markdown_grids, print_grids, write_pictures
    from itbench.runner.atomic import write_file

    told = summary(found)
    if markdown is not None:
        write_file(markdown, markdown_grids("Ablation", told, grids(found, taxonomy)).encode())
    if html is not None:
        write_file(html, html_page("Ablation", told, pictures(found), grids(found, taxonomy)).encode())
    if plots is not None:
        write_pictures(plots, "ablation", pictures(found))
    if as_json:
        click.echo(json.dumps(found.as_dict()))
    else:
        print_grids(told, grids(found, taxonomy))


def _list(*, as_json: bool) -> None:
    from inspect import cleandoc

    from itbench.agents.interventions.catalogue import INTERVENTIONS, parameters

    if as_json:
        rows = [
            {
                "name": name,
                "modes": kind.modes,
                "outside": kind.outside,
                "parameters": parameters(kind),
                "rule": cleandoc(kind.__doc__ or ""),
            }
            for name, kind in INTERVENTIONS.items()
        ]
        click.echo(json.dumps(rows))
        return
    for name, kind in INTERVENTIONS.items():
        usual = ", ".join(
            f"{key}={('on' if value else 'off') if isinstance(value, bool) else value}"
            for key, value in parameters(kind).items()
        )
        around = "any agent" if kind.outside else "agents that are asked step by step"
        click.echo(f"{name}({usual})  against {', '.join(kind.modes)}, around {around}")
        click.echo("    " + cleandoc(kind.__doc__ or "").replace("\n", "\n    "))


def _near(root: Path) -> str:
    return os.path.relpath(root) if root.is_relative_to(Path.cwd()) else str(root)
