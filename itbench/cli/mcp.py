"""`itbench mcp`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from itbench.cli.options import FOLDER
from itbench.cli.tools import DOMAIN
from itbench.model.base import Domain
from itbench.model.errors import UsageError

if TYPE_CHECKING:
    from itbench.tools.live import LiveTools


@click.command()
@click.argument("snapshot", type=FOLDER)
@click.option(
    "--http", "address", metavar="HOST:PORT", help="Serve streamable HTTP, not stdio. HOST is 127.0.0.1 if left out."
)
@click.option(
    "--kubeconfig", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Of a live cluster, for kubectl."
)
@click.option("--prometheus", "prometheus_url", metavar="URL", help="Of a live system's Prometheus, for promql.")
@DOMAIN
def mcp(
    snapshot: Path, address: str | None, kubeconfig: Path | None, prometheus_url: str | None, domain: Domain | None
) -> None:
    """Serve the tools over SNAPSHOT, a scenario folder, to any MCP client. Ground truth is out of reach.

    Read-only, unless --kubeconfig gives it a live cluster: then kubectl may change what that user may change.

    \b
    Over stdio:  claude mcp add incident -- itbench mcp /data/Scenario-2
    Over HTTP:   itbench mcp /data/Scenario-2 --http 127.0.0.1:8765
    Live:        itbench mcp DIR/snapshot --kubeconfig DIR/kubeconfig --prometheus URL     (as env up prints them)

    HTTP has no authentication: bind other addresses than 127.0.0.1 only in networks you trust.
    """
    from itbench.tools.mcp_server import require_mcp, serve_http, serve_stdio

    require_mcp()
    from itbench.snapshot.snapshot import open_snapshot
    from itbench.tools.live import NOT_LIVE
    from itbench.tools.refreshing import open_growing
    from itbench.tools.toolbox import Toolbox

    place = None if address is None else _address(address)
    live = _live(snapshot, kubeconfig, prometheus_url)
    with Toolbox((open_snapshot if live is NOT_LIVE else open_growing)(snapshot), domain, live=live) as toolbox:
        if place is None:
            serve_stdio(toolbox)
        else:
            serve_http(toolbox, *place, ready=lambda url: click.echo(f"Serving {snapshot} at {url}", err=True))


def _live(snapshot: Path, kubeconfig: Path | None, prometheus_url: str | None) -> LiveTools:
    from itbench.cluster.kube_assets import kube_asset
    from itbench.tools.kubectl import Kubectl
    from itbench.tools.live import NOT_LIVE, LiveTools
    from itbench.tools.prometheus import PrometheusClient

    if kubeconfig is None and prometheus_url is None:
        return NOT_LIVE
    kubectl = None if kubeconfig is None else Kubectl(kube_asset("kubectl"), kubeconfig.resolve())
    prometheus = None if prometheus_url is None else PrometheusClient(prometheus_url)
    return LiveTools(kubectl, prometheus, growing=snapshot)


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise UsageError(f"--http {text!r} is no HOST:PORT", hint="For example: --http 127.0.0.1:8765")
    return host.strip("[]") or "127.0.0.1", int(port)
