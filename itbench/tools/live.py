"""What of a live incident the tools may use; a recording has none of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from itbench.tools.kubectl import Kubectl
from itbench.tools.prometheus import PrometheusClient

Need = Literal["kubectl", "prometheus", "findings"]
"""What of a live incident a tool needs."""
PostFinding = Callable[[bytes], None]
"""Takes one finding, a JSON object on a line (docs/live.md)."""


@dataclass(frozen=True, slots=True)
class LiveTools:
    """A live incident, as tools may use it.

    Attributes:
        kubectl: to its cluster.
        prometheus: its metrics.
        findings: where what an agent finds before its answer goes.
        growing: the folder of the recording, whose files grow.
    """

    kubectl: Kubectl | None = None
    prometheus: PrometheusClient | None = None
    findings: PostFinding | None = None
    growing: Path | None = None

    def has(self, need: Need | None) -> bool:
        """Whether there is what a tool needs."""
        return need is None or getattr(self, need) is not None


NOT_LIVE = LiveTools()
"""Of a recording."""
