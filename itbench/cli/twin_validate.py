"""`itbench twin validate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from itbench.cli.options import FOLDER, JSON, Duration

if TYPE_CHECKING:
    from itbench.twin.compare.validation import ComparedFault


@click.command()
@click.option(
    "--env",
    "environment",
    type=click.Choice(["hybrid", "kind"]),
    required=True,
    help="What the twin is held against: the twin behind a real API server, or a real cluster.",
)
@click.option("--suite", metavar="NAME", help="A bundled suite, such as kind-smoke; default: one scenario for each fault.")
@click.option("--scenario", "scenarios", multiple=True, metavar="ID", help="Only this one (an id or path); may be repeated.")
@click.option("--seed", type=click.IntRange(0), help="Of everything random; default: each scenario's own.")
@click.option(
    "--window", type=Duration(), default="45s", show_default=True, help="kind: how long to watch; alerts need 4m at least."
)
@click.option("--node-image", metavar="IMAGE", help="Of the nodes of --env kind.")
@click.option("--out", type=FOLDER, metavar="DIR", help="Keep records: both watch streams of each, and the comparison.")
@click.option("--resume", is_flag=True, help="Take from --out what the other environment did before; play the twin anew.")
@JSON
@click.pass_context
def validate(
    ctx: click.Context,
    environment: Literal["hybrid", "kind"],
    suite: str | None,
    scenarios: tuple[str, ...],
    seed: int | None,
    window: float,
    node_image: str | None,
    out: Path | None,
    resume: bool,
    as_json: bool,
) -> None:
    """Play scenarios on the twin and on another environment, without an agent, and show where they differ.

    Compared are, per fault: events (object and reason), states of objects in the end, the order in which states came up,
    alerts and when they began, and how errors and latency of each service moved (docs/twin-validation.md).

    \b
    itbench twin validate --env hybrid
    itbench twin validate --env kind --suite kind-smoke --out validated
    itbench twin validate --env kind --suite kind-smoke --out validated --resume
    itbench twin compare validated/nobody-at-the-till/twin.jsonl validated/nobody-at-the-till/kind.jsonl

    Exit codes: 0 all compared, 1 some could not be played, 2 wrong usage or input.
    """
    from itbench.environments.validation.selection import choose
    from itbench.environments.validation.session import ValidationRequest
    from itbench.environments.validation.session import validate as run
    from itbench.model.errors import UsageError

    if resume and out is None:
        raise UsageError("--resume needs the records of an earlier time", hint="Say where they are: --out DIR")
    chosen, notices = choose(environment, suite, scenarios)
    for notice in notices:
        click.echo(f"note: {notice}", err=True)
    request = ValidationRequest(environment, seed, out, resume, window, node_image)
    summed = run(request, chosen, _tell)
    if as_json:
        click.echo(summed.model_dump_json())
    else:
        from itbench.report.validation import print_validation

        print_validation(summed)
        if out is not None:
            click.echo(f"Records: {out}")
    ctx.exit(1 if summed.failed else 0)


def _tell(fault: ComparedFault) -> None:
    from itbench.report.validation import told

    click.echo(told(fault), err=True)
