"""Whether a trace succeeded, by a rule that is always stated."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from itbench.mast.trace import TraceInfo
from itbench.model.errors import UsageError

_OWN_FAILURES = frozenset({"agent_error", "agent_timeout", "budget_exhausted", "output_missing", "output_invalid"})
_RULE = re.compile(r"\s*([\w@.]+)\s*>=\s*(\d+(?:\.\d+)?)\s*")


@dataclass(frozen=True, slots=True)
class Success:
    """A trace succeeds if the first of these metrics that it has is at least so much."""

    thresholds: tuple[tuple[str, float], ...]

    @classmethod
    def from_text(cls, text: str) -> Success:
        """`METRIC>=NUMBER`, several separated by commas.

        Raises:
            UsageError: it is not.
        """
        parts = [_RULE.fullmatch(part) for part in text.split(",")]
        known = [(match[1], float(match[2])) for match in parts if match]
        if len(known) < len(parts):
            raise UsageError(f"{text!r} is no rule for success", hint="Write for example root_cause_entity_recall>=0.5")
        return cls(tuple(known))

    def of(self, info: TraceInfo) -> bool | None:
        """True or False, None where nothing tells; faults of the environment are no failures of the agent."""
        found = self.judge(info.cause, info.metrics)
        return False if found is None and info.cause is None and info.answer == "missing" else found

    def judge(self, cause: str | None, metrics: Mapping[str, float]) -> bool | None:
        """The same from the cause and the metrics of a trial's record."""
        if cause is not None:
            return False if cause in _OWN_FAILURES else None
        for metric, least in self.thresholds:
            if metric in metrics:
                return metrics[metric] >= least
        return None

    def __str__(self) -> str:
        return ", else ".join(f"{metric} ≥ {least:g}" for metric, least in self.thresholds)


DEFAULT_SUCCESS = "resolved>=1,root_cause_entity_recall>=1,exactness>=1"
