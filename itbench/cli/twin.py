"""`itbench twin`."""

from __future__ import annotations

from pathlib import Path

import click

from itbench.cli.options import FOLDER, JSON
from itbench.cli.twin_validate import validate


@click.group()
def twin() -> None:
    """Play changes on a simulated cluster, compare streams, and hold the twin against reality."""


twin.add_command(validate)


@twin.command()
@click.argument("objects", type=FOLDER)
@click.argument("changes", type=FOLDER)
@click.option(
    "--minutes", type=click.FloatRange(min=0, max=100_000), required=True, help="How long, from the first change on."
)
@click.option("--out", type=FOLDER, required=True, help="Where the watch stream goes, one JSON object a line.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of generated names and of times between retries.")
def play(objects: Path, changes: Path, minutes: float, out: Path, seed: int) -> None:
    """Apply OBJECTS, make the timed CHANGES, and write what a watch of the cluster sees.

    \b
    itbench twin play examples/twin/objects.yaml examples/twin/changes.yaml --minutes 4 --out watch.jsonl

    The cluster is simulated: one node, node-1, with 2 CPUs and 24 GiB, unless OBJECTS contains nodes. It has the
    images that OBJECTS uses and can pull no others.

    Exit codes: 0 played, 2 a file is wrong.
    """
    from itbench.twin.play import play as run
    from itbench.twin.play import write_stream

    stream = run(objects, changes, minutes, seed)
    write_stream(stream, out)
    click.echo(f"Wrote {len(stream)} events of {minutes:g} minutes to {out}")


@twin.command()
@click.argument("first", type=FOLDER)
@click.argument("second", type=FOLDER)
@click.option("--start", type=float, default=0.0, show_default=True, help="Second of the change (traffic).")
@click.option(
    "--until", type=float, default=float("inf"), help="The last second to look at; default: the end of the longer one."
)
@JSON
def compare(first: Path, second: Path, start: float, until: float, as_json: bool) -> None:
    """Show where two recordings differ: watch streams, or recordings of traffic.

    Example: itbench twin compare recorded.jsonl watch.jsonl --until 120

    Exit codes: 0 compared, 2 a file is wrong, or the two are of different forms.
    """
    from itbench.report.twin import print_traffic, print_watch
    from itbench.twin.compare.forms import form_of
    from itbench.twin.compare.traffic import compare_traffic, read_recording
    from itbench.twin.compare.watch import compare_streams

    if form_of(first, second) == "watch":
        streams = compare_streams(first, second, until)
        click.echo(streams.model_dump_json()) if as_json else print_watch(streams)
    else:
        traffic = compare_traffic(*(read_recording(path, start, until) for path in (first, second)))
        click.echo(traffic.model_dump_json()) if as_json else print_traffic(traffic)
