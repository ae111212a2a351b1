"""Serves the tools inside the sandbox: `python mcp_host.py SNAPSHOT [LIVE]`, started by an agent's command line program.

LIVE is JSON: what of a live incident the tools reach. All of it has the agent's own rights, and the agent could do the same
without us: nothing of the harness is in here. It is started by its path and imports itbench late, for the reason that
itbench.agents.host gives.
"""

from __future__ import annotations

import importlib
import json
import shutil
import sys
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from itbench.agents.protocol import LiveAccess
    from itbench.tools.live import LiveTools


def words_for(live: LiveAccess, workspace: PurePosixPath) -> list[str]:
    """The argument LIVE; `workspace` is the agent's, as it sees it."""
    from itbench.agents.findings import FILE

    told = {"findings": str(workspace / FILE)}
    if live.prometheus is not None:
        told["prometheus"] = live.prometheus
    if live.kubeconfig is not None:
        told["kubeconfig"] = str(workspace / "kubeconfig")
        told["kubectl"] = str(live.kubectl or "")
    return [json.dumps(told)]


def main(snapshot: str, live: str = "") -> None:
    """Serve over stdio until the client hangs up."""
    here = Path(__file__).resolve().parent
    sys.path.insert(0, str(here))
    finder = importlib.import_module("host").UnlistedFinder()
    sys.path[:2] = [str(here.parent.parent)]
    sys.meta_path.append(finder)
    from itbench.snapshot.snapshot import open_snapshot
    from itbench.tools.live import NOT_LIVE
    from itbench.tools.mcp_server import serve_stdio
    from itbench.tools.refreshing import open_growing
    from itbench.tools.toolbox import Toolbox

    folder = Path(snapshot)
    reach, opened = (_reach(folder, json.loads(live)), open_growing) if live else (NOT_LIVE, open_snapshot)
    with Toolbox(opened(folder), live=reach) as toolbox:
        serve_stdio(toolbox)


def _reach(folder: Path, told: dict[str, str]) -> LiveTools:
    from itbench.tools.kubectl import Kubectl
    from itbench.tools.live import LiveTools
    from itbench.tools.prometheus import PrometheusClient

    def post(text: bytes) -> None:
        with Path(told["findings"]).open("ab") as file:
            file.write(text + b"\n")

    program = shutil.which("kubectl") or (shutil.which("kubectl", path=told["kubectl"]) if told.get("kubectl") else None)
    kubectl = Kubectl(Path(program), Path(told["kubeconfig"])) if program and "kubeconfig" in told else None
    prometheus = PrometheusClient(told["prometheus"]) if "prometheus" in told else None
    return LiveTools(kubectl, prometheus, post, folder)


if __name__ == "__main__":
    main(*sys.argv[1:])
