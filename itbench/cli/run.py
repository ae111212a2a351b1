"""`itbench run` and `itbench resume`."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import Any

import click

from itbench.cli.options import FOLDER, JSON, judge_options
from itbench.cli.run_options import limits, new_folder, run_options


@click.command()
@run_options
@click.option("--agent", "agents", multiple=True, required=True, metavar="SPEC", help="See: itbench agent list.")
@judge_options
@click.option("--out", type=FOLDER, help="The run folder; default: runs/<time>.")
@JSON
@click.pass_context
def run(ctx: click.Context, /, out: Path | None, as_json: bool, **request: Any) -> None:
    """Run agents on scenarios and score them.

    \b
    itbench run --suite starter --agent oracle --agent nop
    itbench run --dataset ./ITBench-Lite --agent cmd:./my-agent --trials 3
    itbench run --suite starter --agent llm:gpt-5-mini --record tape
    itbench run --suite starter --agent llm:gpt-5-mini --judge gemini-2.5-pro
    itbench run --suite kind-smoke --env kind --agent oracle --agent nop

    Exit codes: 0 all trials scored, 1 some trial unscored, 2 wrong usage or input.
    """
    from itbench.cli.judging import judge_config
    from itbench.runner.session import RunRequest, begin

    judge = judge_config(*(request.pop(name) for name in ("judge", "judge_votes", "judge_cross_check")))
    session = begin(RunRequest(out=out or new_folder(), judge=judge, **limits(request)), announce=_announce)
    _finish(ctx, session, as_json=as_json, retry_failures=False)


@click.command()
@click.argument("run_dir", type=FOLDER)
@click.option("--retry-failures", is_flag=True, help="Also try again where the agent failed (crash, timeout, no answer).")
@JSON
@click.pass_context
def resume(ctx: click.Context, run_dir: Path, retry_failures: bool, as_json: bool) -> None:
    """Go on with an interrupted run.

    Example: itbench resume runs/mine

    Runs the trials that have no verdict for reasons that are not the agent's. Earlier attempts are kept.
    Refuses if the configuration, the dataset, the scoring rules or an agent's file has changed.
    """
    from itbench.runner.session import reopen

    _finish(ctx, reopen(run_dir, announce=_announce), as_json=as_json, retry_failures=retry_failures)


def _announce(text: str) -> None:
    click.echo(text, err=True)


def _finish(ctx: click.Context, session: Any, *, as_json: bool, retry_failures: bool) -> None:
    from itbench.cli.progress import progress_on
    from itbench.report.files import write_reports
    from itbench.runner.execute import run_pending
    from itbench.runner.summary import summarise_session

    for notice in session.store.config.notices:
        click.echo(f"note: {notice}", err=True)
    with progress_on(sys.stderr) as progress:
        interrupted = run_pending(session, progress, retry_failures=retry_failures)
    if session.store.config.judge is not None and not interrupted:
        from itbench.cli.judging import announce_bill
        from itbench.runner.judging import judge_session

        try:
            bill = judge_session(session)
        except KeyboardInterrupt:  # what was replied is kept, and resuming asks for the rest
            bill, interrupted = None, True
        if bill is not None:
            announce_bill(session.store.config.judge, bill)
    store = session.store
    folder = Path(os.path.relpath(store.root)) if store.root.is_relative_to(Path.cwd()) else store.root
    summary = summarise_session(session)
    markdown = write_reports(store.root, summary)
    if as_json:
        click.echo(summary.model_dump_json())
    else:
        from itbench.report.terminal import print_scorecard

        print_scorecard(summary)
        click.echo(f"Report: {folder / markdown.name}")
        click.echo(f"Explain a trial: {shlex.join(['itbench', 'explain', str(folder), store.config.scenarios[0]])}")
    if interrupted:
        click.echo(f"Interrupted. Go on with: {shlex.join(['itbench', 'resume', str(folder)])}", err=True)
    unscored = sum(sum(domain.unscored.values()) for agent in summary.agents for domain in agent.domains)
    ctx.exit(1 if unscored or interrupted else 0)
