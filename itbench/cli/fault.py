"""`itbench fault`: which faults there are, and what each does."""

from __future__ import annotations

import json

import click

from itbench.cli.options import JSON


@click.group()
def fault() -> None:
    """List the faults and describe one."""


@fault.command("list")
@JSON
def list_faults(as_json: bool) -> None:
    """Show all faults, those of plug-ins included.

    \b
    Example:
      itbench fault list
    """
    from itbench.faults.describe import describe
    from itbench.faults.registry import known_faults

    found = list(known_faults().values())
    if as_json:
        click.echo(json.dumps([describe(kind).model_dump(mode="json") for kind in found]))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="bold")
    table.add_column("#", justify="right")
    table.add_column("fault, what it is, and the alerts that it should raise")
    for kind in found:
        alerts = f" ({', '.join(kind.alerts)})" if kind.alerts else ""
        table.add_row(str(kind.number or ""), f"{kind.id}\n  {kind.title}{alerts}")
    Console(highlight=False).print(table)
    click.echo("\nSee one with: itbench fault show ID")


@fault.command()
@click.argument("fault_id", metavar="ID")
@JSON
def show(fault_id: str, as_json: bool) -> None:
    """Describe one fault: arguments, what it changes, alerts, accepted fixes.

    ID is a fault's id, or its number in the public library.

    \b
    Example:
      itbench fault show ingress-port-blocking-network-policy
    """
    from itbench.faults.arguments import near
    from itbench.faults.describe import describe
    from itbench.faults.registry import known_faults
    from itbench.model.errors import UsageError

    known = known_faults()
    kind = known.get(fault_id) or next((each for each in known.values() if str(each.number) == fault_id), None)
    if kind is None:
        raise UsageError(f"there is no fault {fault_id!r}", hint=near(fault_id, known) + " See: itbench fault list")
    told = describe(kind)
    if as_json:
        click.echo(told.model_dump_json())
        return
    from rich.console import Console

    console = Console(highlight=False, markup=False)
    console.print(f"{told.id}" + (f" (number {told.number} of the public library)" if told.number else ""))
    console.print(f"\n{told.title}\n{told.description}")
    console.print("\nArguments")
    width = max(len(item.key) for item in told.arguments)
    for item in told.arguments:
        console.print(f"  {item.key:<{width}}  {item.type}" + ("" if item.required else "  (optional)"))
    console.print("\nAlerts\n  " + (", ".join(told.alerts) or "depend on the arguments, or none"))
    console.print("\nAccepted fixes")
    for text in told.fixes:
        console.print(f"  - {text}")
    if told.departure:
        console.print(f"\nWhere it differs from the public library\n  {told.departure}")
