"""`itbench run` and `itbench resume`."""

from __future__ import annotations

import os
import shlex
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from itbench.cli.options import FOLDER, JSON, NAMESPACE_FILTER, POLICY, UNPROTECTED, Duration, Size, judge_options
from itbench.model.task import Budget


@click.command()
@click.option(
    "--suite", metavar="NAME", help="A bundled suite, such as starter; --scenario alone looks in all bundled ones."
)
@click.option("--dataset", type=FOLDER, help="A dataset folder: ITBench-Lite, ITBench-AA, one scenario, several.")
@click.option("--scenario", "scenarios", multiple=True, metavar="ID", help="Only this scenario; may be repeated.")
@click.option("--agent", "agents", multiple=True, required=True, metavar="SPEC", help="See: itbench agent list.")
@click.option(
    "--env",
    "environment",
    type=click.Choice(["snapshot", "twin", "hybrid", "kind"]),
    default="snapshot",
    show_default=True,
    help="What the scenarios run in: recordings, a live twin, one behind a real API server (docs/live.md), a kind cluster.",
)
@click.option(
    "--node-image", metavar="IMAGE", help="Of the nodes of --env kind; default: kind's own, or make kind-node-image's."
)
@click.option(
    "--task",
    type=click.Choice(["diagnose", "repair"]),
    default="repair",
    show_default=True,
    help="In a live environment: whether agents only diagnose, or repair as well.",
)
@click.option("--trials", type=click.IntRange(1, 1000), default=1, show_default=True, help="Trials per scenario.")
@click.option("--parallel", type=click.IntRange(1, 256), default=1, show_default=True, help="Trials at a time.")
@click.option("--timeout", type=Duration(), default="20m", show_default=True, help="Wall time of one trial.")
@click.option("--max-output", type=Size(), default="5MB", show_default=True, help="Largest answer that is read.")
@click.option("--max-workspace", type=Size(), default="1GB", show_default=True, help="Disk space of one trial.")
@click.option("--max-memory", type=Size(), default="8GB", show_default=True, help="Memory of one trial.")
@click.option("--max-processes", type=click.IntRange(1), default=512, show_default=True, help="Processes of one trial.")
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Each trial gets a seed from it, and so does each simulated scenario (0: the seed in its file).",
)
@POLICY
@NAMESPACE_FILTER
@click.option(
    "--network", type=click.Choice(["full", "none"]), default="full", show_default=True, help="The agent's network."
)
@click.option(
    "--isolation",
    type=click.Choice(["auto", "bubblewrap", "landlock", "none"]),
    default="auto",
    show_default=True,
    help="The agent's sandbox; none protects nothing.",
)
@click.option(
    "--expose",
    type=click.Path(exists=True, path_type=Path),
    multiple=True,
    help="Let agents see this folder or file although it is hidden by default, such as ~/.codex.",
)
@UNPROTECTED
@click.option("--agent-env", multiple=True, metavar="NAME", help="Pass this environment variable on to agents.")
@click.option("--record", type=FOLDER, metavar="DIR", help="Record the model traffic of llm: agents into this folder.")
@click.option("--replay", type=FOLDER, metavar="DIR", help="Answer llm: agents from such a folder: no server, no key.")
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

    budget = Budget(
        wall_seconds=request.pop("timeout"),
        output_bytes=request.pop("max_output"),
        workspace_bytes=request.pop("max_workspace"),
        memory_bytes=request.pop("max_memory"),
        processes=request.pop("max_processes"),
    )
    folder = out or Path("runs") / datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    network = request.pop("network") == "full"
    judge = judge_config(*(request.pop(name) for name in ("judge", "judge_votes", "judge_cross_check")))
    session = begin(RunRequest(out=folder, budget=budget, network=network, judge=judge, **request), announce=_announce)
    _finish(ctx, session, as_json=as_json, retry_failures=False)


@click.command()
@click.argument("run_dir", type=FOLDER)
@click.option("--retry-failures", is_flag=True, help="Also try again where the agent failed (crash, timeout, no answer).")
@JSON
@click.pass_context
def resume(ctx: click.Context, run_dir: Path, retry_failures: bool, as_json: bool) -> None:
    """Go on with an interrupted run.

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
