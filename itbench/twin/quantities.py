"""Sums of resource quantities, and numbers that may be percentages."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from decimal import Decimal
from fractions import Fraction

from itbench.cluster.protocol import KubeObject
from itbench.cluster.quantity import canonical, quantity


def int_or_percent(value: int | str, total: int, *, round_up: bool) -> int:
    """`3` or `25%` of `total`, as maxSurge (rounded up) and maxUnavailable (rounded down) are written."""
    if isinstance(value, int):
        return value
    share = Fraction(value.removesuffix("%")) * total / 100 if value.endswith("%") else Fraction(value)
    return math.ceil(share) if round_up else math.floor(share)


def written(amount: Decimal, resource: str) -> str:
    """An amount as the API server prints it: memory and storage in powers of 1024."""
    binary = resource.rpartition(".")[2] in ("memory", "storage", "ephemeral-storage") and amount % 1024 == 0
    return canonical(f"{int(amount) // 1024}Ki") if binary else canonical(str(amount))


def pod_requests(pod: KubeObject, part: str = "requests") -> dict[str, Decimal]:
    """What a pod asks for: its containers together, or its hungriest init container if that needs more.

    Args:
        pod: a pod.
        part: `requests` or `limits`.
    """
    spec = pod["spec"]
    total = _sum(_resources(container, part) for container in spec["containers"])
    sidecars: dict[str, Decimal] = {}
    peak: dict[str, Decimal] = {}
    for container in spec.get("initContainers") or ():
        own = _sum([_resources(container, part)])
        if container.get("restartPolicy") == "Always":
            sidecars = _sum([sidecars, own])
            own = sidecars
        else:
            own = _sum([sidecars, own])
        peak = {name: max(peak.get(name, Decimal()), own.get(name, Decimal())) for name in {*peak, *own}}
    total = _sum([total, sidecars])
    total = {name: max(total.get(name, Decimal()), peak.get(name, Decimal())) for name in {*total, *peak}}
    return _sum([total, spec.get("overhead") or {}])


def _resources(container: KubeObject, part: str) -> Mapping[str, str]:
    return (container.get("resources") or {}).get(part) or {}


def _sum(parts: Iterable[Mapping[str, str] | Mapping[str, Decimal]]) -> dict[str, Decimal]:
    total: dict[str, Decimal] = {}
    for part in parts:
        for name, value in part.items():
            amount = value if isinstance(value, Decimal) else quantity(value)
            total[name] = total.get(name, Decimal()) + amount
    return total


def container_limit(container: KubeObject, resource: str) -> float | None:
    """How much of a resource a container may use: cores or bytes; None without a limit."""
    limits = (container.get("resources") or {}).get("limits") or {}
    return float(quantity(limits[resource])) if resource in limits else None
