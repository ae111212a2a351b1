"""A short scenario of a small application."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

SCENARIO = """\
schema_version: 1
id: NAME
domain: sre
title: Nobody reads the reviews
application: book-info
timeline: {before: 2m, after: 4m}
disruptions:
  - faults:
      - id: FAULT
        args:
          kubernetesObject: {apiVersion: VERSION, kind: KIND, metadata: {name: OBJECT, namespace: book-info}}
          MORE
"""


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., Path]:
    """A scenario's file."""

    def make(
        name: str = "nobody-reads",
        fault: str = "scaled-to-zero-kubernetes-workload",
        of: str = "apps/v1 Deployment reviews-v1",
        more: str = "",
    ) -> Path:
        version, kind, target = of.split()
        text = SCENARIO
        for word, value in (("NAME", name), ("FAULT", fault), ("VERSION", version), ("KIND", kind), ("OBJECT", target)):
            text = text.replace(word, value)
        folder = tmp_path / "scenarios" / name
        folder.mkdir(parents=True)
        (folder / "scenario.yaml").write_text(text.replace("MORE", more))
        return folder / "scenario.yaml"

    return make
