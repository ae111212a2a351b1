"""Which tool calls change something."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def changes(name: str, arguments: Mapping[str, Any] | None) -> bool:
    """Whether a call changes a live system. Only kubectl can."""
    if name != "kubectl" or arguments is None or arguments.get("dry_run") is True:
        return False
    from itbench.tools.errors import ToolError
    from itbench.tools.kubectl import checked

    try:
        return checked(str(arguments.get("command", "")), with_manifest=arguments.get("manifest") is not None)[1]
    except ToolError:
        return False  # it is refused, and changes nothing
