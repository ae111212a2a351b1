"""`itbench record` on a real kind cluster: the folder opens, and an answer about it is scored."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from itbench.environments.recorder.secrets import HIDDEN
from itbench.snapshot.snapshot import open_snapshot

pytestmark = pytest.mark.integration
Trials = Callable[[str, str, str], Any]

NUMBER = "4111111111111111"
TRUTH = """\
groups:
  - {id: ratings, kind: Deployment, name: ratings-v1, namespace: book-info, filter: ["ratings-v1\\\\b"], root_cause: true}
aliases: []
propagations: []
"""


def _itbench(*words: str) -> str:
    command = [sys.executable, "-m", "itbench.cli.main", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_recording_of_the_cluster_opens_and_scores(trial: Trials, tmp_path: Path) -> None:
    made = trial("scaled-to-zero-kubernetes-workload", "Deployment", "ratings-v1")
    folder = tmp_path / "dataset" / "Scenario-1"
    folder.parent.mkdir()
    with made.stage as stage:
        stage.begin()
        kind = stage.system.kind
        card = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "card", "namespace": "book-info"}}
        stage.system.cluster.create({**card, "data": {"number": base64.b64encode(NUMBER.encode()).decode()}})
        where = ("--kubeconfig", str(kind.kubeconfig), "--prometheus", kind.prometheus, "-n", "book-info", "--logs")
        _itbench("record", *where, "--minutes", "0.5", "--every", "10", "--history", "5", "--out", str(folder))
    with open_snapshot(folder, cache_dir=tmp_path / "cache") as snapshot:
        (ratings,) = (each.manifest for each in snapshot.objects_at(kind="Deployment", name="ratings-v1"))
        assert ratings["spec"]["replicas"] == 0
        assert any(event.involved.name.startswith("ratings-v1") for event in snapshot.events())
        assert snapshot.series(object_name="productpage-v1") or snapshot.series(object_name="productpage")
        assert snapshot.logs(limit=5)
        (secret,) = snapshot.objects_at(kind="Secret", name="card")
        assert secret.manifest["data"] == {"number": HIDDEN}
    (folder / "ground_truth.yaml").write_text(TRUTH)
    agents = ("--agent", "oracle", "--agent", "nop")
    told = json.loads(_itbench("run", "--dataset", str(folder.parent), *agents, "--out", str(tmp_path / "run"), "--json"))
    metrics = {each["agent"]: each["domains"][0]["metrics"] for each in told["agents"]}
    assert {agent: found["root_cause_entity_f1"]["mean"] for agent, found in metrics.items()} == {"oracle": 1.0, "nop": 0.0}
