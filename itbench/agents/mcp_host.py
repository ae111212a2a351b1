"""Serves the tools inside the sandbox: `python mcp_host.py SNAPSHOT`, started by an agent's command line program.

It is started by its path and imports itbench late, for the reason that itbench.agents.host gives.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path


def main(snapshot: str) -> None:
    """Serve over stdio until the client hangs up."""
    here = Path(__file__).resolve().parent
    sys.path.insert(0, str(here))
    finder = importlib.import_module("host").UnlistedFinder()
    sys.path[:2] = [str(here.parent.parent)]
    sys.meta_path.append(finder)
    from itbench.snapshot.snapshot import open_snapshot
    from itbench.tools.mcp_server import serve_stdio
    from itbench.tools.toolbox import Toolbox

    with Toolbox(open_snapshot(Path(snapshot))) as toolbox:
        serve_stdio(toolbox)


if __name__ == "__main__":
    main(*sys.argv[1:])
