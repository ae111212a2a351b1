"""The live cluster, by kubectl."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from itbench.tools.errors import ToolError
from itbench.tools.registry import tool
from itbench.tools.session import Session


@tool(needs="kubectl")
def kubectl(
    session: Session,
    command: Annotated[
        str, Field(min_length=1, max_length=20_000, description="What follows `kubectl`, such as: get pods -n shop -o wide")
    ],
    manifest: Annotated[
        str | None,
        Field(max_length=200_000, description="YAML or JSON of objects, for apply, create, replace and delete (no -f)."),
    ] = None,
    dry_run: Annotated[
        bool, Field(description="Only let the server check a change, and show what the object would be.")
    ] = False,
) -> str:
    """Run kubectl on the live cluster, with your own rights: get, describe, logs, scale, patch, rollout undo and so on.

    There is no shell, no pipe, no -f FILE, no --watch, no exec and no edit (use patch or apply). Changes are real.
    """
    if session.live.kubectl is None:
        raise ToolError("there is no live cluster here")
    return session.live.kubectl.run(command, manifest, dry_run=dry_run)
