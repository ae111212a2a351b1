"""Trials on a real kind cluster, where this machine can have one: what is skipped says why."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from itbench.cluster.kube_assets import kube_asset
from itbench.cluster.reference import ObjectRef
from itbench.datasets.scenario_file import read_scenario
from itbench.environments.kind.archive import monitoring_images
from itbench.environments.kind.engine import Engine
from itbench.environments.kind.owners import owner, owner_of
from itbench.environments.kind.programs import kind_program
from itbench.environments.kind.settings import load_kind_settings
from itbench.environments.kind.stage import KindStage
from itbench.environments.kind.system import KindSystems
from itbench.environments.live.stage import LiveSettings
from itbench.model.errors import ClusterError, ItbenchError
from itbench.snapshot.snapshot import open_snapshot
from itbench.twin.incident.plan import Plan, plan

pytestmark = pytest.mark.integration
NAMESPACE = "book-info"
SCENARIO = """\
schema_version: 1
id: stars
domain: sre
title: Books have no stars
application: book-info
timeline: {before: 5m, after: 8m}
disruptions:
  - faults:
      - id: FAULT
        args:
          kubernetesObject: {apiVersion: VERSION, kind: KIND, metadata: {name: NAME, namespace: book-info}}
"""


def _why_not() -> str:
    """What this machine lacks; empty if it has all."""
    settings = load_kind_settings()
    try:
        kind_program()
        kube_asset("kubectl")
        monitoring_images()
        with Engine.connect() as engine:
            if not any(engine.has_image(name) for name in (settings.built, settings.published)):
                return f"no node image: docker pull {settings.published}, or make kind-node-image"
    except ItbenchError as error:
        return error.message
    return ""


@pytest.fixture(scope="module")
def systems() -> Iterator[KindSystems]:
    if why := _why_not():
        pytest.skip(f"kind was not tested: {why}")
    with KindSystems(load_kind_settings()) as found:
        yield found


class Trial:
    """A stage, and what it told."""

    def __init__(self, planned: Plan, systems: KindSystems) -> None:
        self.steps: dict[str, dict[str, object]] = {}
        self.stage = KindStage(planned, 7, systems, load_kind_settings(), LiveSettings("kind"), self._note)

    def _note(self, kind: str, **data: object) -> None:
        self.steps[str(data.get("step", kind))] = data


@pytest.fixture
def trial(systems: KindSystems, tmp_path: Path) -> Callable[..., Trial]:
    def make(fault: str, kind: str, name: str) -> Trial:
        version = "v1" if kind == "Service" else "apps/v1"
        text = SCENARIO.replace("FAULT", fault).replace("KIND", kind).replace("NAME", name).replace("VERSION", version)
        (tmp_path / "scenario.yaml").write_text(text)
        return Trial(plan(read_scenario(tmp_path)), systems)

    return make


def _kubectl(folder: Path, kubeconfig: str) -> Callable[..., subprocess.CompletedProcess[str]]:
    path = folder / "kubeconfig"
    path.write_text(kubeconfig)
    path.chmod(0o600)
    env = {"KUBECONFIG": str(path), "HOME": str(folder), "PATH": os.environ["PATH"]}

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        program = str(kube_asset("kubectl"))
        return subprocess.run([program, *words], env=env, capture_output=True, text=True, check=False, timeout=120)

    return run


def test_who_repairs_resolves_and_nothing_is_left(trial: Callable[..., Trial], tmp_path: Path) -> None:
    made = trial("scaled-to-zero-kubernetes-workload", "Deployment", "ratings-v1")
    with made.stage as stage:
        stage.begin()
        assert "deployment ratings-v1 is scaled to 0" in made.steps["manifested"]["shown_by"]  # type: ignore[operator]
        stage.hand_over(tmp_path / "snapshot")
        kubectl = _kubectl(tmp_path, stage.kubeconfig)
        assert kubectl("scale", "deploy", "ratings-v1", "--replicas=1").returncode == 0
        verdict = stage.judge()
    assert verdict.resolution.resolved, str(verdict.resolution)
    assert [(deed.verb, deed.kind, deed.name) for deed in verdict.deeds if deed.verb != "get"] == [
        ("patch", "Deployment", "ratings-v1")
    ]
    assert verdict.left == ()
    assert made.steps["torn down"]["left"] == []
    assert made.steps["recorded"]["missing"] == []
    with open_snapshot(tmp_path / "snapshot", cache_dir=tmp_path / "cache") as snapshot:
        assert snapshot.events()
    for name in ("otel_logs_raw.tsv", "k8s_objects_raw.tsv", "metrics/pod_*_raw.tsv"):
        (found, *_) = sorted((tmp_path / "snapshot").glob(name))
        assert len(found.read_text().splitlines()) > 1, name


def test_who_only_looks_resolves_nothing_and_the_fault_is_undone(trial: Callable[..., Trial], tmp_path: Path) -> None:
    made = trial("invalid-kubernetes-service-selector", "Service", "reviews")
    with made.stage as stage:
        stage.begin()
        assert made.steps["provisioned"]["reused"] is True
        stage.hand_over(tmp_path / "snapshot")
        kubectl = _kubectl(tmp_path, stage.kubeconfig)
        text = kubectl("get", "all,events,configmaps", "-o", "json", "--show-managed-fields").stdout
        text += kubectl("get", "nodes,namespaces", "-o", "json", "--show-managed-fields").stdout
        verdict = stage.judge()
        selector = stage.system.cluster.get(ObjectRef("Service", "reviews", NAMESPACE))["spec"]["selector"]
    assert not verdict.resolution.resolved
    assert [deed for deed in verdict.deeds if deed.verb not in ("get", "list", "watch")] == []
    assert selector == {"app": "reviews"}
    assert made.steps["torn down"]["left"] == []
    for word in ("itbench", "harness", "inject", "ratings-v1 is scaled", "invalid-kubernetes"):
        assert word not in text.lower()
    assert "nauthorized" in (refused := kubectl("get", "events").stderr) or "logged in" in refused  # the token is void


def test_the_agent_is_an_operator_and_deleting_is_no_repair(trial: Callable[..., Trial], tmp_path: Path) -> None:
    made = trial("scaled-to-zero-kubernetes-workload", "Deployment", "details-v1")
    with made.stage as stage:
        stage.begin()
        stage.hand_over(tmp_path / "snapshot")
        kubectl = _kubectl(tmp_path, stage.kubeconfig)
        assert kubectl("auth", "can-i", "patch", "deployments").stdout.strip() == "yes"
        for words in (
            ("get", "secrets", "-A"),
            ("delete", "ns", NAMESPACE),
            ("create", "rolebinding", "mine", "--clusterrole=cluster-admin", "--user=operator"),
            ("scale", "deploy", "coredns", "-n", "kube-system", "--replicas=0"),
            ("get", "configmaps", "-n", "monitoring"),
            ("get", "--raw", "/api/v1/nodes"),
            ("exec", "deploy/details-v1", "-n", "kube-system", "--", "true"),
        ):
            refused = "orbidden" in kubectl(*words).stderr or words[-1] == "/api/v1/nodes"
            assert refused, words
        assert kubectl("delete", "deploy", "details-v1").returncode == 0
        verdict = stage.judge()
    assert not verdict.resolution.resolved
    assert "deployment/details-v1" in [str(ref) for ref in verdict.resolution.missing]
    assert made.steps["torn down"]["left"] == []


def test_a_cluster_that_dies_during_a_trial_is_told_and_leaves_nothing(
    systems: KindSystems, trial: Callable[..., Trial], tmp_path: Path
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
