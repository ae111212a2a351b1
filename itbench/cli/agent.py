"""`itbench agent`: what can be named, and whether it works."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from itbench.cli.options import JSON, Duration
from itbench.model.text import visible

if TYPE_CHECKING:
    from itbench.model.trial import IsolationChoice


@click.group()
def agent() -> None:
    """List agents and check one."""


@agent.command("list")
@JSON
def list_agents(as_json: bool) -> None:
    """Show what `--agent` accepts, plug-ins included.

    Example: itbench agent list
    """
    from itbench.agents.registry import entries

    found = list(entries().values())
    if as_json:
        click.echo(json.dumps([{"form": e.form, "summary": e.summary, "origin": e.origin} for e in found]))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="bold")
    for column in ("--agent", "what it is", "from"):
        table.add_column(column)
    for entry in found:
        table.add_row(entry.form, entry.summary, entry.origin)
    Console(highlight=False).print(table)
    click.echo("\nWrite LABEL=SPEC to choose the name in reports, e.g. --agent mine=cmd:./my-agent")


@agent.command()
@click.argument("spec")
@click.option("--timeout", type=Duration(), default="60s", show_default=True)
@click.option("--agent-env", multiple=True, metavar="NAME", help="Pass this environment variable on.")
@click.option(
    "--isolation", type=click.Choice(["auto", "bubblewrap", "landlock", "none"]), default="auto", show_default=True
)
@JSON
@click.pass_context
def check(
    ctx: click.Context, spec: str, timeout: float, agent_env: tuple[str, ...], isolation: IsolationChoice, as_json: bool
) -> None:
    """Try an agent on the first starter scenario and say how it went.

    Example: itbench agent check cmd:./my-agent

    Shows the sandbox, the probe's verdict, what the agent printed, and whether its answer can be read.
    """
    from itbench.cli.progress import progress_on
    from itbench.datasets.discover import load_suite
    from itbench.model.task import Budget
    from itbench.runner.execute import run_pending
    from itbench.runner.session import RunRequest, begin

    first = load_suite("starter")[0].id
    with tempfile.TemporaryDirectory(prefix="itbench-check-") as folder:
        out = Path(folder) / "run"
        request = RunRequest(
            agents=[spec],
            out=out,
            suite="starter",
            scenarios=[first],
            budget=Budget(wall_seconds=timeout),
            isolation=isolation,
            agent_env=agent_env,
        )
        session = begin(request)
        with progress_on(sys.stderr) as progress:
            run_pending(session, progress)
        record = next(session.store.records())
        trial = session.store.trial_dir(record.agent, record.scenario, record.trial)
        printed = {name: _last_lines(trial / f"{name}.txt") for name in ("stdout", "stderr")}
        attempts = json.loads(isolation_file.read_text()) if (isolation_file := out / "isolation.json").is_file() else None
    ok = record.outcome.cause is None
    if as_json:
        told = {"agent": spec, "works": ok, "record": record.model_dump(mode="json"), "probe": attempts, **printed}
        click.echo(json.dumps(told))
        ctx.exit(0 if ok else 1)
    click.echo(f"agent      {spec}")
    click.echo(f"isolation  {record.isolation}")
    if attempts:
        tried, leaked = len(attempts["attempts"]), "yes" if attempts["leaked"] else "no"
        click.echo(f"probe      {tried} attempts to read the answer; leaked: {leaked}")
    click.echo(
        f"outcome    {visible(' '.join(filter(None, (record.outcome.status, record.outcome.cause, record.outcome.detail))))}"
    )
    click.echo(f"time       {record.timing.agent_seconds:.2f} s")
    for what, lines in (("repair", record.repairs), ("warning", record.warnings), *printed.items()):
        for line in lines:
            click.echo(f"{what:<10} {visible(line)}")
    click.echo("The agent works." if ok else "The agent does not work yet.")
    ctx.exit(0 if ok else 1)


def _last_lines(path: Path) -> list[str]:
    text = path.read_text(errors="replace").strip() if path.is_file() else ""
    return [line[:200] for line in text.splitlines()[-5:]]
