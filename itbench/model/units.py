"""Durations and shares as people write them in files: `250ms`, `2m`, `0.3`. The values are SI numbers."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

_SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION = re.compile(r"(\d{1,12}(?:\.\d{1,12})?)\s*(us|ms|s|m|h)")


def parse_seconds(value: Any) -> Any:
    """`250ms`, `1.5s`, `2m` in seconds; a number is taken as seconds.

    Raises:
        ValueError: the text is no duration.
    """
    if not isinstance(value, str):
        return value
    match = _DURATION.fullmatch(value.strip())
    if match is None:
        raise ValueError(f"{value!r} is not a duration; write for example 250ms or 2s")
    return float(match[1]) * _SECONDS[match[2]]


Seconds = Annotated[float, BeforeValidator(parse_seconds), Field(ge=0, le=86_400)]

Share = Annotated[float, Field(ge=0, le=1)]
