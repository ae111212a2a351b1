"""STAND-IN until application.py lands."""

from __future__ import annotations

from dataclasses import dataclass

from itbench.cluster.server import ServerCluster
from itbench.cluster.transport import Transport
from itbench.environments.kind.engine import Engine
from itbench.environments.kind.health import Levels, NoLevels
from itbench.environments.kind.provision import KindCluster
from itbench.twin.app.application import Application
from itbench.twin.app.objects import manifests


@dataclass(frozen=True, slots=True)
class Deployment:
    """An application that is deployed."""

    application: Application
    namespaces: tuple[str, ...]
    levels: Levels


def deploy(
    engine: Engine, kind: KindCluster, cluster: ServerCluster, transport: Transport, application: Application
) -> Deployment:
    objects = manifests(application)
    images = {
        c["image"]
        for o in objects
        if "template" in (o.get("spec") or {})
        for c in o["spec"]["template"]["spec"]["containers"]
    }
    for node in kind.nodes:
        for image in sorted(images):
            name = (
                image if image.split("/")[0].count(".") else "docker.io/" + (image if "/" in image else "library/" + image)
            )
            engine.execute(
                node, ["ctr", "-n", "k8s.io", "images", "tag", "--force", "docker.io/fluent/fluent-bit:3.2.4", name]
            )
    for obj in objects:
        if obj["kind"] == "Secret":
            pass
        cluster.acting_as("kubectl-create").create(obj)
    return Deployment(application, (application.namespace,), NoLevels())
