"""A trial's surroundings for adapters that are tested by themselves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from itbench.agents.protocol import Boundary, Workspace
from itbench.model.task import Budget, Task
from itbench.sandbox.box import Mode


@pytest.fixture
def task() -> Callable[..., Task]:
    """A task with these limits."""

    def make(**limits: object) -> Task:
        return Task(id="t", domain="sre", instructions="Find it.", budget=Budget.model_validate(limits))

    return make


@pytest.fixture
def workspace(tmp_path: Path) -> Callable[..., Workspace]:
    """A workspace behind a boundary; no sandbox unless a mode is given."""

    def make(mode: Mode = "none", input_dir: Path | None = None) -> Workspace:
        logs = tmp_path / "logs"
        logs.mkdir(exist_ok=True)
        return Workspace(tmp_path / "work", input_dir, logs, boundary=Boundary(mode))

    return make
