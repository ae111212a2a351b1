"""`itbench app`: applications that the twin can run."""

from __future__ import annotations

import json
from pathlib import Path

import click

from itbench.cli.options import FOLDER, JSON


@click.group()
def app() -> None:
    """Check and draw applications."""


@app.command()
@click.argument("application")
@click.option("--svg", "picture", type=FOLDER, help="Write the drawing of its calls to this file.")
@click.option("--alerts", "rules", type=FOLDER, multiple=True, help="Check this file of alert rules too; may be repeated.")
@JSON
def check(application: str, picture: Path | None, rules: tuple[Path, ...], as_json: bool) -> None:
    """Check an application, a bundled name or a YAML file, and draw who calls whom.

    \b
      itbench app check shop.yaml --alerts shop-alerts.yaml

    Exit codes: 0 sound, 2 not: one message says where and why.
    """
    from itbench.model.errors import UsageError
    from itbench.twin.app.load import load_application
    from itbench.twin.app.topology import lines

    found = load_application(application)
    if rules:
        from itbench.twin.telemetry.rules.load import load_rules

        load_rules(rules)
    routes = [route for service in found.services.values() for route in service.routes.values()]
    calls = sum(len(step) for route in routes for step in route.steps())
    if picture is not None:
        from itbench.twin.app.picture import svg

        try:
            picture.write_text(svg(found), encoding="utf-8")
        except OSError as error:
            raise UsageError(f"cannot be written: {error.strerror}", path=picture) from error
    if as_json:
        drawn = [{"from": line.source, "to": line.target, "criticality": line.criticality} for line in lines(found)]
        click.echo(json.dumps({"name": found.name, "services": list(found.services), "routes": len(routes), "lines": drawn}))
        return
    from rich.console import Console

    from itbench.twin.app.tree import tree

    Console(highlight=False).print(tree(found))
    load = f"{found.load.users:g} users" if found.load.users is not None else f"{found.load.rate:g} requests a second"
    click.echo(f"\n{found.name} is sound: {len(found.services)} services, {len(routes)} routes, {calls} calls; {load}.")
    if picture is not None:
        click.echo(f"Wrote {picture}.")


@app.command()
@click.argument("application")
@click.argument("changes", type=FOLDER)
@click.option(
    "--minutes", type=click.FloatRange(min=0.1, max=1440), required=True, help="How long, from the first change on."
)
@click.option("--out", type=FOLDER, required=True, help="Where the recording goes, a line a second and service.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the requests, and of the cluster's chances.")
def record(application: str, changes: Path, minutes: float, out: Path, seed: int) -> None:
    """Run APPLICATION, make the timed CHANGES, and write what an observer beside every service notes down.

    \b
    itbench app record otel-demo changes.yaml --minutes 10 --out traffic.jsonl

    CHANGES is a file as for `itbench twin play`; its times count from second 0, before which half a minute is healthy.
    Hold the recording against another one with `itbench twin compare`.

    Exit codes: 0 recorded, 2 a file is wrong.
    """
    from itbench.twin.app.load import load_application
    from itbench.twin.recorded import record_traffic, write_recording

    lines = write_recording(record_traffic(load_application(application), changes, minutes * 60, seed), out)
    click.echo(f"Wrote {lines} lines of {minutes:g} minutes to {out}")


@app.command("list")
@JSON
def list_applications(as_json: bool) -> None:
    """Show the applications that ship with itbench.

    Example: itbench app list
    """
    from itbench.twin.app.load import application_names, load_application

    found = [load_application(name) for name in application_names()]
    if as_json:
        click.echo(json.dumps([{"name": item.name, "title": item.title, "services": len(item.services)} for item in found]))
        return
    for item in found:
        click.echo(f"{item.name:<14}{len(item.services):>3} services  {item.title}")
