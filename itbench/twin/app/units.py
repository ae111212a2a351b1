"""Quantities as people write them in an application file: `64Mi`, `100m`. The values are SI numbers."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from itbench.cluster.quantity import quantity
from itbench.model.errors import InvalidError


def parse_amount(value: Any) -> Any:
    """`64Mi`, `250m`, `2` as a number; a number stays as it is.

    Raises:
        ValueError: the text is no quantity.
    """
    if not isinstance(value, str):
        return value
    try:
        return float(quantity(value))
    except InvalidError as error:
        raise ValueError(f"{value!r} is not a quantity; write for example 250m or 64Mi") from error


Amount = Annotated[float, BeforeValidator(parse_amount), Field(ge=0, le=1e15)]
"""Bytes or cores, written as a Kubernetes quantity."""
