"""Load the safety policies of evaluators/safety/."""

from __future__ import annotations

from pathlib import Path

from itbench.bundled import bundled
from itbench.datasets.shipped import read_shipped
from itbench.model.errors import DatasetError
from itbench.model.safety import SafetyPolicies, SafetyPolicy


def load_safety_policies(folder: Path | None = None) -> tuple[SafetyPolicy, ...]:
    """The policies of all files of a folder, by default those that ship; files by name.

    Raises:
        DatasetError: a file is broken, or two have a policy of one id; with path, line and key.
    """
    found: dict[str, SafetyPolicy] = {}
    for path in sorted((folder or bundled("evaluators") / "safety").glob("*.yaml")):
        for policy in read_shipped(path, SafetyPolicies, "docs/live.md describes policies.").policies:
            if policy.id in found:
                raise DatasetError(f"another file has the policy {policy.id}", path=path, hint="Give it another id.")
            found[policy.id] = policy
    return tuple(found.values())
