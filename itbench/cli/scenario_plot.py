"""`itbench scenario plot`: a picture of one incident."""

from __future__ import annotations

from pathlib import Path

import click

from itbench.cli.options import FOLDER


@click.command()
@click.argument("which", metavar="ID|PATH")
@click.option("--out", type=FOLDER, help="The picture, .svg or .png.  [default: ID.svg]")
@click.option("--seed", type=click.IntRange(0), help="Of everything random; default: the one in the scenario's file.")
def plot(which: str, out: Path | None, seed: int | None) -> None:
    """Draw an incident: how it spread, what services went through, alerts, events and changes, on one sheet.

    \b
    itbench scenario plot cart-loses-its-memory
    itbench scenario plot my-scenario/ --out incident.png --seed 7

    The picture shows the root cause: it is for people, never for the agents that are evaluated. Needs: pip install
    'itbench[plot]'.

    Exit codes: 0 drawn, 2 no such scenario, or matplotlib is missing.
    """
    from itbench.datasets.catalogue import locate_scenario
    from itbench.datasets.cost_scenario_file import is_cost_scenario
    from itbench.datasets.scenario_file import read_scenario
    from itbench.model.errors import UsageError
    from itbench.report.incident.draw import draw, format_of, require_matplotlib
    from itbench.report.incident.picture import picture_of
    from itbench.runner.atomic import write_file
    from itbench.twin.incident.plan import plan
    from itbench.twin.incident.simulate import simulate
    from itbench.twin.telemetry.recording import LITE

    where = locate_scenario(which)
    if is_cost_scenario(where):
        raise UsageError("this scenario is a bill, not an incident", path=where, hint="Try: itbench finops plot")
    require_matplotlib()  # before the simulation, which takes seconds
    file = read_scenario(where)
    path = out or Path(f"{file.scenario.id}.svg")
    form = format_of(path)
    ready = plan(file)
    picture = picture_of(simulate(ready, ready.scenario.seed if seed is None else seed, LITE))
    write_file(path, draw(picture, form))
    click.echo(f"Wrote {path}: {picture.effect}")
