"""What goes wrong around a trial on kind is told, and leaves nothing behind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from itbench.environments.kind.engine import Engine
from itbench.environments.kind.owners import owner, owner_of
from itbench.environments.kind.system import KindSystems
from itbench.model.errors import ClusterError

pytestmark = pytest.mark.integration
Trials = Callable[[str, str, str], Any]


def test_a_cluster_that_dies_during_a_trial_is_told_and_leaves_nothing(
    systems: KindSystems, trial: Trials, tmp_path: Path
) -> None:
    made = trial("scaled-to-zero-kubernetes-workload", "Deployment", "details-v1")
    with made.stage as stage:
        stage.begin()
        stage.hand_over(tmp_path / "snapshot")
        folder = stage.system.kind.folder
        stage.system.engine.remove(stage.system.kind.name)
        with pytest.raises(ClusterError, match="cannot be reached"):
            stage.judge()
    assert "failed" in made.steps["torn down"]
    assert not folder.exists()
    with Engine.connect() as engine:
        assert [name for name in engine.clusters() if owner_of(name) == owner()] == []
