"""What FinOps answers and truths name."""

from __future__ import annotations

from itbench.model.base import OpenModel


class Resource(OpenModel):
    """A FinOps resource, such as name `checkout-batch`, type `Application`."""

    name: str
    type: str
