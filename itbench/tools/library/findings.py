"""What an agent finds before its answer."""

from __future__ import annotations

import json
from typing import Annotated

from pydantic import Field

from itbench.tools.errors import ToolError
from itbench.tools.registry import tool
from itbench.tools.session import Session


@tool(needs="findings")
def post_finding(
    session: Session,
    root_causes: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=300)]],
        Field(min_length=1, max_length=3, description="What you hold for a cause, as namespace/Kind/name; at most three."),
    ],
    note: Annotated[str, Field(max_length=2000, description="Why, in a sentence.")] = "",
) -> str:
    """Post what you hold for the root cause as soon as you do: the incident counts as detected then, not when you answer.

    The first ten findings count, and wrong ones are told. The answer must name the causes all the same.
    """
    if session.live.findings is None:
        raise ToolError("nobody waits for findings here")
    session.live.findings(json.dumps({"root_causes": root_causes, "note": note}).encode())
    return f"noted: {', '.join(root_causes)}"
