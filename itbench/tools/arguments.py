"""Arguments that many tools have."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

Since = Annotated[
    str | None, Field(description="From this time on: ISO 8601, 10:05, or relative such as start+5m, incident-10m, end-90s.")
]
Until = Annotated[str | None, Field(description="Before this time, written in the same ways.")]
Limit = Annotated[int, Field(ge=1, le=1000, description="The most rows to give.")]
Offset = Annotated[int, Field(ge=0, le=10**12, description="Rows to leave out, to page through a long answer.")]
Namespace = Annotated[str | None, Field(description="Only this Kubernetes namespace.")]
EntityWord = Annotated[
    str,
    Field(min_length=1, max_length=500, description="An object as namespace/Kind/name, Kind/name or just its name."),
]


def _split(value: Any) -> Any:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


Words = Annotated[list[str], BeforeValidator(_split)]
"""A list of strings; one string with commas will do."""
