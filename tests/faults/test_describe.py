"""What is said about faults, in data and in docs/faults.md."""

from __future__ import annotations

from pathlib import Path

import pytest

from itbench.faults.describe import arguments_of, describe
from itbench.faults.registry import FAULTS

DOCS = Path(__file__).resolve().parents[2] / "docs" / "faults.md"


def row(known: str) -> str:
    """A fault's row in the table of docs/faults.md."""
    kind = FAULTS[known]
    return f"| {kind.number} | `{kind.id}` | {kind.departure} |"


@pytest.mark.parametrize("known", [name for name, kind in FAULTS.items() if kind.departure])
def test_the_guide_says_where_a_fault_differs(known: str) -> None:
    assert row(known) in DOCS.read_text().splitlines()


def test_arguments_are_told_with_their_types() -> None:
    found = {item.key: item for item in arguments_of(FAULTS["misconfigured-kubernetes-horizontal-pod-autoscaler"].model)}
    assert found["kubernetesObject.kind"].type == "Deployment | StatefulSet | HorizontalPodAutoscaler"
    found = {
        item.key: item for item in arguments_of(FAULTS["unassigned-kubernetes-workload-container-resource-limits"].model)
    }
    assert not found["container.name"].required


def test_a_description_has_the_fixes_in_words() -> None:
    told = describe(FAULTS["deleted-kubernetes-service"])
    assert told.number == 30
    assert told.fixes == ("Create Service name again, with the selector and the ports that it had.",)
