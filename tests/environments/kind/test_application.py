"""The objects of an application on a real cluster: those of its file, with images that are at hand."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import yaml

from itbench.cluster.crds import custom_definitions
from itbench.cluster.kube_assets import kube_asset
from itbench.cluster.memory import MemoryCluster
from itbench.cluster.protocol import KubeObject
from itbench.cluster.reference import ObjectRef
from itbench.environments.kind.application import live_image, live_manifests, service_images
from itbench.environments.kind.monitoring import monitoring_manifests
from itbench.faults.fields import differences, written
from itbench.faults.pacing import WallPacer
from itbench.faults.registry import fault
from itbench.twin.app.application import Application
from itbench.twin.app.load import load_application
from itbench.twin.app.objects import manifests


@pytest.mark.parametrize(
    ("image", "live"),
    [
        ("ghcr.io/open-telemetry/demo:2.2.0-cart", "registry.local/open-telemetry/demo:2.2.0-cart"),
        ("valkey/valkey:9.0.0-alpine3.22", "registry.local/valkey/valkey:9.0.0-alpine3.22"),
        ("postgres:17.6", "registry.local/postgres:17.6"),
        ("localhost:5000/web:1", "registry.local/web:1"),
        ("registry.local/web:1", "registry.local/web:1"),
        ("web", "registry.local/web:latest"),
        ("docker.io/web:2@sha256:0123", "registry.local/web:2"),
    ],
)
def test_an_image_keeps_its_repository_and_tag(image: str, live: str) -> None:
    assert live_image(image) == live


def test_nothing_but_images_differs_from_the_twin(application: Application) -> None:
    pairs = list(zip(manifests(application), live_manifests(application), strict=True))
    changed = {written(one.path).rpartition(".")[2] for old, new in pairs for one in differences(old, new)}
    assert changed == {"image"}


def test_every_image_of_the_objects_is_made(application: Application) -> None:
    made = {image.name for image in service_images(application)}
    used = {
        container["image"]
        for obj in live_manifests(application)
        for container in ((obj.get("spec") or {}).get("template") or {"spec": {}})["spec"].get("containers", ())
    }
    assert used == made


def test_a_wrong_tag_is_no_image_of_the_application() -> None:
    application = load_application("book-info")
    cluster = MemoryCluster(lambda: datetime(2026, 11, 26, tzinfo=UTC))
    for obj in live_manifests(application):
        cluster.create(obj)
    ref = ObjectRef("Deployment", "ratings-v1", "book-info", "apps/v1")
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "ratings-v1", "namespace": "book-info"}}
    broken = fault(
        "nonexistent-kubernetes-workload-container-image",
        {"kubernetesObject": target, "container": {"name": "ratings-v1"}},
    )
    broken.inject(cluster, WallPacer(), np.random.default_rng(1))
    image = cluster.get(ref)["spec"]["template"]["spec"]["containers"][0]["image"]
    assert image.startswith("registry.local/istio/examples-bookinfo-ratings-v1:")
    assert image not in {known.name for known in service_images(application)}


def test_services_of_one_image_share_it() -> None:
    application = load_application("book-info")
    reviews = {name: body.model_copy(update={"image": "reviews:1"}) for name, body in application.services.items()}
    shared = service_images(application.model_copy(update={"services": reviews}))
    assert [(image.name, image.services) for image in shared] == [("registry.local/reviews:1", tuple(reviews))]


@pytest.mark.integration
def test_a_real_api_server_takes_every_field(application: Application, kubeconfig: Path, tmp_path: Path) -> None:
    objects = [*live_manifests(application), *monitoring_manifests(application)]
    namespaces = [obj for obj in objects if obj["kind"] == "Namespace"]
    _kubectl(kubeconfig, tmp_path, [*custom_definitions(), *namespaces])
    # A Service's fixed node port and addresses are the cluster's: nothing of this is kept.
    said = _kubectl(kubeconfig, tmp_path, objects, "--dry-run=server")
    assert len(said.splitlines()) == len(objects)


def _kubectl(kubeconfig: Path, folder: Path, objects: list[KubeObject], *options: str) -> str:
    path = folder / "objects.yaml"
    path.write_text(yaml.safe_dump_all(objects))
    command = [kube_asset("kubectl"), f"--kubeconfig={kubeconfig}", "apply", "--validate=strict", *options, "-f", path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
