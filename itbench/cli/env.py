"""`itbench env`: live environments that stay up until they are ended."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from itbench.cli.options import FOLDER, JSON

if TYPE_CHECKING:
    from itbench.environments.live.kept import Kept
    from itbench.environments.live.stage import LiveName


@click.group()
def env() -> None:
    """Start, list and end live environments, and see what this machine lacks for them."""


@env.command()
@click.argument("scenario")
@click.argument("folder", required=False, type=FOLDER)
@click.option(
    "--env",
    "name",
    type=click.Choice(["hybrid", "twin", "kind"]),
    default="hybrid",
    show_default=True,
    help="What it runs in.",
)
@click.option("--node-image", metavar="IMAGE", help="Of the nodes of --env kind.")
@click.option("--seed", type=click.IntRange(0), default=None, help="Of everything random; by default the scenario's own.")
@click.option("--scale", type=click.FloatRange(0.1, 100), default=1.0, show_default=True, help="Simulated seconds a second.")
@click.option("--at", metavar="TIME", help="Of a snapshot: 2026-03-01T10:05:00Z, incident, incident-5m, start+90s; the end.")
@JSON
def up(
    scenario: str,
    folder: Path | None,
    name: LiveName,
    node_image: str | None,
    seed: int | None,
    scale: float,
    at: str | None,
    as_json: bool,
) -> None:
    """Play SCENARIO (an id, or a path) until its incident shows, and keep it running behind a real API server.

    With `snapshot FOLDER` the recorded objects of a folder stand still behind one, as they were at a time.

    \b
    itbench env up nobody-at-the-till
    itbench env up nobody-at-the-till --env kind
    itbench env up snapshot Scenario-2 --at incident
    export KUBECONFIG=… PROMETHEUS_URL=…      # as it says
    kubectl get pods
    curl "$PROMETHEUS_URL/api/v1/alerts"

    Ctrl-C takes everything back. End it with: itbench env down NAME
    """
    from itbench.datasets.catalogue import locate_scenario
    from itbench.datasets.scenario_file import read_scenario
    from itbench.environments.live.kept import start, start_replay
    from itbench.environments.live.stage import LiveSettings
    from itbench.model.errors import UsageError

    if scenario == "snapshot":
        if folder is None:
            raise UsageError("which folder?", hint="itbench env up snapshot FOLDER")
        _say(start_replay(folder, at or "", _tell), as_json)
        return
    if folder is not None or at is not None:
        raise UsageError("FOLDER and --at are of snapshots", hint="itbench env up snapshot FOLDER --at TIME")
    path = locate_scenario(scenario)
    found = read_scenario(path).scenario
    kept = start(path, found.id, found.seed if seed is None else seed, LiveSettings(name, scale=scale), _tell, node_image)
    _say(kept, as_json)


def _say(kept: Kept, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"name": kept.name, **kept.about, **kept.access}))
        return
    click.echo(f"{kept.name} is up.")
    for key, value in kept.access.items():
        click.echo(f"  {key.replace('_', ' ')}: {value}")
    if "kubeconfig" in kept.access:
        click.echo(f"export KUBECONFIG={kept.access['kubeconfig']}")
    if "prometheus" in kept.access:
        click.echo(f"export PROMETHEUS_URL={kept.access['prometheus']}")
    click.echo(f"End it with: itbench env down {kept.name}")


def _tell(event: dict[str, Any]) -> None:
    if event.get("kind") == "step":
        click.echo(f"{event['seconds']:6.1f} s  {event['step']}", err=True)


@env.command()
@JSON
def status(as_json: bool) -> None:
    """List the environments that are up, or were left behind.

    \b
    Example:
      itbench env status
    """
    from itbench.environments.live.kept import kept

    found = list(kept())
    if as_json:
        click.echo(json.dumps([{"name": each.name, "state": each.state, **each.about, **each.access} for each in found]))
        return
    if not found:
        click.echo("No environment is up. Start one with: itbench env up SCENARIO")
    for each in found:
        click.echo(f"{each.name}  {each.state}  {each.about['scenario']}  since {each.about['started']}")
        for key, value in each.access.items():
            click.echo(f"  {key.replace('_', ' ')}: {value}")


@env.command()
@click.argument("names", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All that are up.")
def down(names: tuple[str, ...], everything: bool) -> None:
    """End environments by NAME, and remove everything of them.

    \b
    Example:
      itbench env down hybrid-1a2b3c
    """
    from itbench.environments.live.kept import end, kept
    from itbench.model.errors import UsageError

    chosen = tuple(each.name for each in kept()) if everything else names
    if not chosen and not everything:
        raise UsageError("name an environment, or say --all", hint="See: itbench env status")
    for name in chosen:
        end(name)
        click.echo(f"{name} is down.")


@env.command()
@JSON
def doctor(as_json: bool) -> None:
    """Say what this machine lacks for live environments, and how to get it. Exit code 1 if something needed is missing.

    \b
    Example:
      itbench env doctor
    """
    from dataclasses import asdict

    from itbench.environments.live.doctor import findings

    found = list(findings())
    if as_json:
        click.echo(json.dumps([asdict(each) for each in found]))
    else:
        for each in found:
            needed = f"needed by {', '.join(each.needed_by)}" if each.needed_by else "good to have"
            text = f"ok       {each.name}: {each.found}" if each.found else f"missing  {each.name} ({needed}): {each.remedy}"
            click.echo(text)
        missing = sorted({name for each in found if not each.found for name in each.needed_by})
        states = (f"{name}: {'not ready' if name in missing else 'ready'}" for name in ("hybrid", "kind"))
        click.echo(f"twin: ready. {'. '.join(states)}.")
    if any(each.needed_by and not each.found for each in found):
        raise SystemExit(1)


@env.command()
def reap() -> None:
    """End and remove what killed programs have left behind: control planes, kind clusters, dead environments.

    \b
    Example:
      itbench env reap
    """
    from itbench.environments.live.kept import reap as reap_all

    told = reap_all()
    for line in told:
        click.echo(f"removed {line}")
    if not told:
        click.echo("Nothing was left behind.")
