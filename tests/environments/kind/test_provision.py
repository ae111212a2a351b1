"""Making a kind cluster: what is told where that cannot be done."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from itbench.environments.kind.engine import Engine
from itbench.environments.kind.programs import kind_program
from itbench.environments.kind.provision import kind_cluster, node_image
from itbench.environments.kind.settings import load_kind_settings
from itbench.model.errors import ClusterError


class Images(Engine):
    """Has these images and no containers."""

    def __init__(self, *names: str) -> None:
        super().__init__(None)
        self.names = names
        self.removed: list[str] = []

    def has_image(self, name: str) -> bool:
        return name in self.names

    def image_label(self, image: str, label: str) -> str | None:
        return None

    def nodes(self, cluster: str) -> list[str]:
        return []

    def remove(self, cluster: str) -> int:
        self.removed.append(cluster)
        return 0


def _kind(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program named kind that does this."""
    program = folder / "kind"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


def test_the_image_that_is_at_hand_is_taken() -> None:
    settings = load_kind_settings()
    assert node_image(Images(), settings, None) == settings.published
    assert node_image(Images(settings.built), settings, None) == settings.built
    assert node_image(Images(settings.built, settings.published), settings, None) == settings.published
    assert node_image(Images(settings.built), settings, "mine:1") == "mine:1"


def test_a_missing_daemon_is_told_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/docker.sock")
    with pytest.raises(ClusterError, match="no Docker daemon answers") as caught:
        Engine.connect()
    assert "make docker" in (caught.value.hint or "")


def test_a_missing_program_is_told_with_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(ClusterError, match="needs the program kind") as caught:
        kind_program()
    assert "make kind-node-image" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("printed", "hint"),
    [
        ("ERROR: failed to create cluster: docker: no space left on device", "Make room"),
        ('ERROR: failed to pull image "node:1": exit status 1', "docker pull node:1"),
        ("ERROR: Bind for 127.0.0.1:40001 failed: port is already allocated", "run it again"),
        ("ERROR: OCI runtime create failed: unable to apply caps", "make docker"),
    ],
)
def test_a_cluster_that_cannot_be_made_is_explained_and_removed(
    printed: str, hint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _kind(tmp_path, f"echo '{printed}' >&2; exit 1", monkeypatch)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    engine = Images()
    with (
        pytest.raises(ClusterError, match="kind could not make a cluster") as caught,
        kind_cluster(engine, load_kind_settings(), "node:1"),
    ):
        raise AssertionError
    assert hint in (caught.value.hint or "")
    assert printed.removeprefix("ERROR: ")[:20] in str(caught.value)
    assert len(engine.removed) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["kind"]


def test_the_number_of_nodes_is_data_and_the_control_plane_is_patient(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _kind(
        tmp_path,
        f'for word; do case $word in --config=*) cp -r "$(dirname "${{word#*=}}")" {tmp_path}/kept;; esac; done; exit 1',
        monkeypatch,
    )
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    settings = load_kind_settings().model_copy(update={"workers": 2})
    with pytest.raises(ClusterError), kind_cluster(Images(), settings, "node:1"):
        raise AssertionError
    config = json.loads((tmp_path / "kept" / "kind.json").read_text())
    assert [node["role"] for node in config["nodes"]] == ["control-plane", "worker", "worker"]
    patches = [json.loads(patch) for patch in config["kubeadmConfigPatches"]]
    (plane,) = (patch for patch in patches if patch["kind"] == "ClusterConfiguration")
    for part in ("controllerManager", "scheduler"):
        assert plane[part]["extraArgs"]["leader-elect"] == "false"
    for name in ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"):
        patch = json.loads((tmp_path / "kept" / "patches" / f"{name}+strategic.json").read_text())
        (container,) = patch["spec"]["containers"]
        probe = container["livenessProbe"]
        assert container["name"] == name
        assert probe["periodSeconds"] * probe["failureThreshold"] >= 300
