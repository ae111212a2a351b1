"""Archives of images: what docker and kind load."""

from __future__ import annotations

import hashlib
import io
import json
import secrets
import shutil
import subprocess
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from itbench.environments.kind.application import service_images
from itbench.environments.kind.archive import (
    MONITORING_IMAGE,
    PROMETHEUS_IMAGE,
    Image,
    application_images,
    monitoring_images,
    service_parts,
    write_archive,
)
from itbench.environments.kind.monitoring import monitoring_manifests
from itbench.environments.kind.program import programs
from itbench.faults.images import IMAGES
from itbench.model.errors import ClusterError
from itbench.twin.app.application import Application
from itbench.twin.app.load import load_application


class Opened:
    """An archive, read back."""

    def __init__(self, path: Path) -> None:
        with tarfile.open(path) as archive:
            self.members = [member.name for member in archive]
            self.files = {member.name: archive.extractfile(member).read() for member in archive}  # type: ignore[union-attr]
        self.manifest: list[dict[str, Any]] = json.loads(self.files["manifest.json"])

    def image(self, name: str) -> dict[str, Any]:
        """The entry of an image."""
        return next(entry for entry in self.manifest if name in entry["RepoTags"])

    def layer(self, path: str) -> tarfile.TarFile:
        """A layer."""
        return tarfile.open(fileobj=io.BytesIO(self.files[path]))


def test_every_image_of_an_application_and_of_faults_is_there(application: Application, parts: Path, tmp_path: Path) -> None:
    write_archive(application_images(application, parts), tmp_path / "images.tar")
    opened = Opened(tmp_path / "images.tar")
    wanted = {image.name for image in service_images(application)} | IMAGES
    assert {entry["RepoTags"][0] for entry in opened.manifest} == wanted


def test_layers_are_what_configurations_say_and_stand_there_once(parts: Path, tmp_path: Path) -> None:
    write_archive(application_images(load_application("book-info"), parts), tmp_path / "images.tar")
    opened = Opened(tmp_path / "images.tar")
    assert len(opened.members) == len(set(opened.members))
    assert len({entry["Layers"][0] for entry in opened.manifest}) == 1
    for entry in opened.manifest:
        config = json.loads(opened.files[entry["Config"]])
        digests = [f"sha256:{hashlib.sha256(opened.files[layer]).hexdigest()}" for layer in entry["Layers"]]
        assert config["rootfs"]["diff_ids"] == digests


def test_an_image_holds_its_document_and_its_programs_name(parts: Path, tmp_path: Path) -> None:
    application = load_application("otel-demo")
    write_archive(application_images(application, parts), tmp_path / "images.tar")
    opened = Opened(tmp_path / "images.tar")
    entry = opened.image("registry.local/valkey/valkey:9.0.0-alpine3.22")
    config = json.loads(opened.files[entry["Config"]])["config"]
    assert config["Entrypoint"] == ["valkey-server"]
    layer = opened.layer(entry["Layers"][1])
    assert layer.getmember("usr/local/bin/valkey-server").linkname == "/usr/local/bin/service"
    document = layer.extractfile("etc/program/valkey-cart.json")
    assert document is not None
    assert json.loads(document.read()) == programs(application)["valkey-cart"].model_dump(mode="json")


def test_the_same_parts_make_the_same_bytes(parts: Path, tmp_path: Path) -> None:
    for name in ("one.tar", "two.tar"):
        write_archive(application_images(load_application("book-info"), parts), tmp_path / name)
    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "two.tar").read_bytes()


def test_monitoring_runs_the_images_that_are_made(parts: Path) -> None:
    made = {image.name: image for image in monitoring_images(parts)}
    used = {
        container["image"]
        for obj in monitoring_manifests(load_application("book-info"))
        for container in ((obj.get("spec") or {}).get("template") or {"spec": {}})["spec"].get("containers", ())
    }
    assert used == set(made) == {MONITORING_IMAGE, PROMETHEUS_IMAGE}
    assert "usr/local/bin/service" not in {path for layer in made[PROMETHEUS_IMAGE].layers for path in layer}


def test_without_its_parts_the_message_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match="is not there") as caught:
        application_images(load_application("book-info"), tmp_path)
    assert caught.value.hint == "Run `make kind-service-image`."


@pytest.mark.integration
def test_docker_runs_what_was_archived(tmp_path: Path) -> None:
    assert _run(_ready("ratings-v1"), tmp_path, "sh", "-c", "ls /etc/program; which ratings-v1").split() == [
        "ratings-v1.json",
        "/usr/local/bin/ratings-v1",
    ]


@pytest.mark.integration
def test_prometheus_finds_its_libraries(tmp_path: Path) -> None:
    assert "version 2." in _run(_ready("prometheus"), tmp_path, "/usr/bin/prometheus", "--version")


def _ready(name: str) -> Image:
    """One of the images of book-info or of monitoring; a skip where it cannot be made or run."""
    if shutil.which("docker") is None or subprocess.run(["docker", "info"], capture_output=True, check=False).returncode:
        pytest.skip("no Docker daemon answers")
    if not (service_parts() / "service").is_file():
        pytest.skip("make kind-service-image has not been run")
    images = [*application_images(load_application("book-info")), *monitoring_images()]
    return next(image for image in images if name in image.name)


def _run(image: Image, folder: Path, *command: str) -> str:
    """What a command in an image prints."""
    renamed = replace(image, name=f"itbench/test-archive:{secrets.token_hex(4)}")
    write_archive([renamed], folder / "image.tar")
    try:
        subprocess.run(["docker", "load", "--quiet", "--input", folder / "image.tar"], check=True, capture_output=True)
        words = ["docker", "run", "--rm", "--network=none", f"--entrypoint={command[0]}", renamed.name, *command[1:]]
        done = subprocess.run(words, check=True, capture_output=True, text=True, timeout=120)
    finally:
        subprocess.run(["docker", "rmi", "--force", renamed.name], check=False, capture_output=True)
    return done.stdout
