"""Autoscalers on a real kind cluster: a metrics server feeds them, and one that is satisfied by nothing is an incident."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from itbench.environments.kind.archive import metrics_image
from itbench.model.errors import ClusterError

pytestmark = pytest.mark.integration
SCENARIO = """\
schema_version: 1
id: more
domain: sre
title: An autoscaler adds pods until it may not
application: book-info
autoscaling: true
timeline: {before: 5m, after: 10m}
disruptions:
  - faults:
      - id: misconfigured-kubernetes-horizontal-pod-autoscaler
        args:
          kubernetesObject:
            apiVersion: autoscaling/v2
            kind: HorizontalPodAutoscaler
            metadata: {name: details-v1, namespace: book-info}
"""


def test_an_autoscaler_that_wants_more_and_more_shows_and_is_repaired(
    trial_of: Callable[[str], Any], tmp_path: Path
) -> None:
    try:
        metrics_image()
    except ClusterError as error:
        pytest.skip(str(error))
    made = trial_of(SCENARIO)
    with made.stage as stage:
        stage.begin()
        shown = made.steps["manifested"]["shown_by"]
        assert any("details-v1" in words for words in shown), shown
        stage.hand_over(tmp_path / "snapshot")
        stage.mend()
        verdict = stage.judge()
    assert verdict.resolution.resolved, str(verdict.resolution)
    assert verdict.left == ()
