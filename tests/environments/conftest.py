"""What this machine can have."""

from __future__ import annotations

import pytest

from itbench.environments.live.doctor import findings


@pytest.fixture(scope="session")
def kind_here() -> None:
    """A machine that can have clusters of kind and has kubectl, or a skip that says what it lacks."""
    for each in findings():
        if not each.found and ("kind" in each.needed_by or each.name == "kubectl"):
            pytest.skip(f"kind was not tested, for want of {each.name}: {each.remedy}")
