"""`itbench scenario`: the scenarios that ship, and how to make, simulate and check others."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from itbench.cli.lazy import LazyGroup
from itbench.cli.options import FOLDER, JSON

# name: (module:attribute, what the help says). The module is imported when the command is called.
COMMANDS = {
    "list": ("itbench.cli.scenario:list_", "List the scenarios that ship."),
    "show": ("itbench.cli.scenario:show", "Show what one scenario does."),
    "check": ("itbench.cli.scenario_check:check", "Prove that a scenario is solvable, not trivial and leaks nothing."),
    "new": ("itbench.cli.scenario_new:new", "Make a scenario, guided or by options."),
    "import": ("itbench.cli.scenario_import:import_", "Bring scenarios of the public library into our form."),
    "simulate": ("itbench.cli.scenario:simulate", "Write the files of a simulated scenario."),
    "plot": ("itbench.cli.scenario_plot:plot", "Draw a picture of an incident."),
}


@click.group(cls=LazyGroup, table=COMMANDS)
def scenario() -> None:
    """List, show, simulate, write, import, check and draw scenarios.

    \b
    itbench scenario list
    itbench scenario new
    itbench scenario simulate orders-leave-no-trace --out demo
    """


@click.command("list")
@click.option("--domain", type=click.Choice(["sre", "finops", "ciso"]), help="Only this domain.")
@click.option("--suite", metavar="NAME", help="Only those of a suite.")
@JSON
def list_(domain: Any, suite: str | None, as_json: bool) -> None:
    """List the scenarios that ship with itbench.

    Example: itbench scenario list --suite starter
    """
    from itbench.datasets.catalogue import bundled_scenarios
    from itbench.datasets.discover import load_suite

    found = [item for item in (load_suite(suite) if suite else bundled_scenarios()) if domain in (None, item.domain)]
    if as_json:
        rows = [{"id": it.id, "domain": it.domain, "title": it.title, "complexity": it.complexity} for it in found]
        click.echo(json.dumps(rows, indent=1))
        return
    from itbench.report.scenario import print_scenarios

    print_scenarios(found)


@click.command()
@click.argument("which", metavar="ID|PATH")
def show(which: str) -> None:
    """Show what one scenario does: its timeline, faults with their arguments, expected alerts and accepted fixes.

    Example: itbench scenario show nobody-at-the-till
    """
    from itbench.datasets.catalogue import locate_scenario
    from itbench.datasets.cost_scenario_file import is_cost_scenario, read_cost_scenario
    from itbench.datasets.scenario_file import read_scenario
    from itbench.report.scenario import print_scenario
    from itbench.twin.incident.plan import plan

    path = locate_scenario(which)
    if is_cost_scenario(path):
        from itbench.report.cost_scenario import print_cost_scenario
        from itbench.twin.cost.preparation import prepare

        file = read_cost_scenario(path)
        print_cost_scenario(prepare(file, file.scenario.seed))
        return
    print_scenario(plan(read_scenario(path)))


@click.command()
@click.argument("which", metavar="ID|PATH")
@click.option("--out", type=FOLDER, required=True, help="The scenario folder to write; new or empty.")
@click.option("--seed", type=click.IntRange(0), help="Of everything random; default: the one in the scenario's file.")
@click.option(
    "--sampling", type=click.Choice(["lite", "full"]), default="lite", show_default=True, help="How much telemetry is kept."
)
@JSON
def simulate(which: str, out: Path, seed: int | None, sampling: str, as_json: bool) -> None:
    """Play a scenario on the twin and write what monitoring saw, in the layout of ITBench-Lite.

    \b
    itbench scenario simulate orders-leave-no-trace --out incidents/demo
    itbench run --dataset incidents/demo --agent cmd:./my-agent

    Agents never see the folder around a scenario: keep them elsewhere.

    Equal seeds give equal files, to the byte. The ground truth is measured: the scenario is played a second time without its
    faults, on the same random numbers, and what differs is what the faults did. A FinOps scenario gives a bill, and what a
    FinOps team has besides it: docs/finops-twin.md.
    """
    from itbench.datasets.catalogue import locate_scenario
    from itbench.datasets.cost_scenario_file import is_cost_scenario
    from itbench.model.errors import UsageError

    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError("this is there already", path=out, hint="Give a new or an empty folder")
    path = locate_scenario(which)
    used, told = (_write_bill if is_cost_scenario(path) else _write_incident)(path, seed, out, full=sampling == "full")
    files = [path for path in out.rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files)
    if as_json:
        click.echo(json.dumps({"folder": str(out), "seed": used, "files": len(files), "bytes": size}))
        return
    click.echo(f"Wrote {len(files)} files, {size / 1e6:.1f} MB, to {out}: {told}")


def _write_incident(path: Path, seed: int | None, out: Path, *, full: bool) -> tuple[int, str]:
    """Simulate and write; gives the seed and, in words, what happened."""
    from itbench.datasets.scenario_file import read_scenario
    from itbench.twin.incident.plan import plan
    from itbench.twin.incident.simulate import simulate as simulated
    from itbench.twin.telemetry.recording import FULL, LITE

    ready = plan(read_scenario(path))
    used = ready.scenario.seed if seed is None else seed
    simulation = simulated(ready, used, FULL if full else LITE)
    simulation.write(out)
    return used, _in_words(simulation.truth())


def _write_bill(path: Path, seed: int | None, out: Path, *, full: bool) -> tuple[int, str]:  # noqa: ARG001 (nothing is sampled)
    from itbench.datasets.cost_scenario_file import read_cost_scenario
    from itbench.report.cost_scenario import truth_in_words
    from itbench.twin.cost.simulate import simulate as simulated

    simulation = simulated(read_cost_scenario(path), seed)
    simulation.write(out)
    return simulation.prepared.seed, truth_in_words(simulation.truth)


def _in_words(truth: dict[str, Any]) -> str:
    groups = {group["id"]: group for group in truth["groups"]}
    roots = [f"{group['kind']}/{_name(group['filter'])}" for group in groups.values() if group.get("root_cause")]
    radius, alerts = truth["measured"]["blast_radius"], len(truth["alerts"])
    return f"root cause {', '.join(roots)}; {radius['services']} of {radius['of']} services suffer; {alerts} alerts"


def _name(patterns: Sequence[str]) -> str:
    return patterns[0].removesuffix("\\b").removesuffix("-.*")
