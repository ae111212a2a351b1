"""`itbench finops`: pictures of bills."""

from __future__ import annotations

from pathlib import Path

import click

from itbench.cli.options import FOLDER


@click.group()
def finops() -> None:
    """Draw bills and their anomalies."""


@finops.command()
@click.argument("which", metavar="SCENARIO|FOLDER")
@click.option("--out", type=FOLDER, help="The picture, .svg or .png.  [default: NAME.svg]")
@click.option("--seed", type=click.IntRange(0), help="Of everything random; default: the one in the scenario's file.")
def plot(which: str, out: Path | None, seed: int | None) -> None:
    """Draw a bill: cost over time with the anomaly, a waterfall of the change, a treemap by hierarchy.

    \b
    itbench finops plot invoice-jump
    itbench finops plot datasets/finops/Scenario-3 --out bill.png

    A folder with data.csv is drawn as it is; a scenario is simulated first. Causes are those of the ground truth where it
    was measured, else what the baseline finds. The picture shows the answer: it is for people, never for the agents that are
    evaluated. Needs: pip install 'itbench[plot]'.

    Exit codes: 0 drawn, 2 no such scenario, no bill in it, or matplotlib is missing.
    """
    import tempfile

    from itbench.report.bill.draw import draw
    from itbench.report.bill.picture import picture_of
    from itbench.report.incident.draw import format_of, require_matplotlib
    from itbench.runner.atomic import write_file

    require_matplotlib()
    with tempfile.TemporaryDirectory() as scratch:
        folder, title, name = _folder(which, seed, Path(scratch) / "bill")
        path = out or Path(f"{name}.svg")
        form = format_of(path)
        picture = picture_of(folder, title)
        write_file(path, draw(picture, form))
    click.echo(f"Wrote {path}: {picture.subtitle}")


def _folder(which: str, seed: int | None, scratch: Path) -> tuple[Path, str, str]:
    """A folder with a bill, a title and a name; a scenario is simulated into `scratch`."""
    place = Path(which)
    if (place / "data.csv").is_file():
        return place, place.resolve().name, place.resolve().name
    from itbench.datasets.catalogue import locate_scenario
    from itbench.datasets.cost_scenario_file import read_cost_scenario
    from itbench.twin.cost.simulate import simulate

    file = read_cost_scenario(locate_scenario(which))
    simulate(file, seed).write(scratch)
    return scratch, file.scenario.title, file.scenario.id
