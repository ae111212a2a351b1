"""`itbench mcp`."""

from __future__ import annotations

from pathlib import Path

import click

from itbench.cli.options import FOLDER
from itbench.cli.tools import DOMAIN
from itbench.model.base import Domain
from itbench.model.errors import UsageError


@click.command()
@click.argument("snapshot", type=FOLDER)
@click.option(
    "--http", "address", metavar="HOST:PORT", help="Serve streamable HTTP, not stdio. HOST is 127.0.0.1 if left out."
)
@DOMAIN
def mcp(snapshot: Path, address: str | None, domain: Domain | None) -> None:
    """Serve the tools over SNAPSHOT, a scenario folder, to any MCP client. Read-only; ground truth is out of reach.

    \b
    Over stdio:  claude mcp add incident -- itbench mcp /data/Scenario-2
    Over HTTP:   itbench mcp /data/Scenario-2 --http 127.0.0.1:8765

    HTTP has no authentication: bind other addresses than 127.0.0.1 only in networks you trust.
    """
    from itbench.tools.mcp_server import require_mcp, serve_http, serve_stdio

    require_mcp()
    from itbench.snapshot.snapshot import open_snapshot
    from itbench.tools.toolbox import Toolbox

    place = None if address is None else _address(address)
    with Toolbox(open_snapshot(snapshot), domain) as toolbox:
        if place is None:
            serve_stdio(toolbox)
        else:
            serve_http(toolbox, *place, ready=lambda url: click.echo(f"Serving {snapshot} at {url}", err=True))


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise UsageError(f"--http {text!r} is no HOST:PORT", hint="For example: --http 127.0.0.1:8765")
    return host.strip("[]") or "127.0.0.1", int(port)
