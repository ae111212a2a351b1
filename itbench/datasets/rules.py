"""Load evaluators/metrics.yaml, or a copy of it that somebody adapted."""

from __future__ import annotations

from pathlib import Path

from itbench.bundled import bundled
from itbench.datasets.shipped import read_shipped
from itbench.model.rules import Rules

_HINT = "docs/metrics.md describes every rule; evaluators/metrics.yaml of itbench is an example."


def load_rules(path: Path | None = None) -> Rules:
    """The scoring rules in a file; those that ship with itbench by default.

    Raises:
        DatasetError: the file cannot be read, or a rule in it is missing, unknown or of the wrong type; with line and key.
    """
    return read_shipped(path or bundled("evaluators") / "metrics.yaml", Rules, _HINT)
