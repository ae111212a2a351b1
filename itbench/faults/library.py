"""The library: every fault of the public one, in the order of its numbers."""

from __future__ import annotations

from typing import Any

from itbench.faults.protocol import Fault
from itbench.faults.scaling import ScaledToZero

LIBRARY: tuple[type[Fault[Any]], ...] = (ScaledToZero,)
