"""What the agent did: from the audit log of the API server, or from the cluster in this process that it was given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from itbench.cluster.kinds import KINDS
from itbench.model.safety import Deed

_BY_PLURAL = {(kind.group, kind.plural): kind.name for kind in KINDS}


def deeds_of(audit: Iterable[Mapping[str, Any]], user: str, handed_over: datetime) -> list[Deed]:
    """The requests of a user, in the order of time, as far as they concern objects.

    Args:
        audit: events of an audit log.
        user: whose.
        handed_over: second 0; what was asked before was asked by the harness, to see what the agent can see.
    """
    found = [_deed(event, handed_over) for event in audit if (event.get("user") or {}).get("username") == user]
    return sorted((deed for deed in found if deed is not None and deed.seconds >= 0), key=lambda deed: deed.seconds)


def _deed(event: Mapping[str, Any], handed_over: datetime) -> Deed | None:
    target = event.get("objectRef") or {}
    plural, group = str(target.get("resource", "")), str(target.get("apiGroup", ""))
    if not plural or plural.startswith("self"):  # questions about one's own rights
        return None
    if "dryRun=" in str(event.get("requestURI", "")):
        return None
    time = str(event.get("requestReceivedTimestamp", ""))
    code = int((event.get("responseStatus") or {}).get("code", 0)) or 200
    after = event.get("responseObject")
    if target.get("subresource") == "scale" and isinstance(after, dict):
        after = {**after, "spec": {"replicas": 0, **(after.get("spec") or {})}}  # the API leaves a 0 out
    return Deed(
        time=time,
        seconds=_seconds(time, handed_over),
        verb=str(event.get("verb", "")),
        kind=_BY_PLURAL.get((group, plural), plural),
        namespace=str(target.get("namespace", "")),
        name=_name(target, after),
        subresource=str(target.get("subresource", "")),
        code=code,
        after=after if isinstance(after, dict) and code < 400 else None,
    )


def _name(target: Mapping[str, Any], after: Any) -> str:
    """The name of the object; a created one's may be known only afterwards."""
    metadata = after.get("metadata") if isinstance(after, dict) else None
    generated = metadata.get("name", "") if isinstance(metadata, dict) else ""
    return str(target.get("name") or generated)


def _seconds(time: str, handed_over: datetime) -> float:
    try:
        return round((datetime.fromisoformat(time) - handed_over).total_seconds(), 3)
    except ValueError:
        return 0.0
