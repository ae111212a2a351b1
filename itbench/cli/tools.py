"""`itbench tools`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

import click

from itbench.cli.options import FOLDER, JSON
from itbench.model.base import Domain
from itbench.model.errors import UsageError

DOMAIN = click.option(
    "--domain", type=click.Choice(get_args(Domain)), help="Only the tools that serve its tasks; default: all."
)


@click.group()
def tools() -> None:
    """List the tools that agents ask, and call them."""


@tools.command("list")
@DOMAIN
@JSON
def list_tools(domain: Domain | None, as_json: bool) -> None:
    """List the tools; with --json also their descriptions and JSON Schemas, as models see them.

    \b
    Example: itbench tools list --domain sre
    """
    from dataclasses import asdict

    from rich.console import Console
    from rich.table import Table

    from itbench.tools.registry import tools as registered

    found = [each.spec for each in registered().values() if domain is None or domain in each.domains]
    if as_json:
        click.echo(json.dumps({"schema_version": 1, "tools": [asdict(spec) for spec in found]}))
        return
    table = Table("tool", "arguments (* needed)", "answers")
    for spec in found:
        needed = spec.parameters.get("required", [])
        names = [f"{name}*" if name in needed else name for name in spec.parameters["properties"]]
        table.add_row(spec.name, ", ".join(names), spec.description.splitlines()[0])
    Console().print(table)


@tools.command("call")
@click.argument("snapshot", type=FOLDER)
@click.argument("tool")
@click.option("--arg", "arguments", multiple=True, metavar="NAME=VALUE", help="An argument; lists with commas.")
@JSON
def call_tool(snapshot: Path, tool: str, arguments: tuple[str, ...], as_json: bool) -> None:
    """Call TOOL on SNAPSHOT, a scenario folder, and print what an agent would read.

    \b
    Example: itbench tools call demo logs --arg service=checkout --arg min_severity=ERROR

    Exit codes: 0 answered, 2 the call is wrong.
    """
    from itbench.snapshot.snapshot import open_snapshot
    from itbench.tools.toolbox import Toolbox

    given = _arguments(arguments)
    with Toolbox(open_snapshot(snapshot)) as toolbox:
        answer = toolbox.call(tool, given)
    if as_json:
        click.echo(json.dumps({"schema_version": 1, "tool": tool, "text": answer.text, "is_error": answer.is_error}))
    else:
        click.echo(answer.text, err=answer.is_error)
    if answer.is_error:
        raise SystemExit(2)


def _arguments(pairs: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise UsageError(f"--arg {pair!r} is no NAME=VALUE", hint="For example: --arg limit=10")
        if name in found:
            raise UsageError(f"--arg {name} is given twice", hint="Lists are written with commas: --arg group_by=object,le")
        found[name] = value
    return found
