"""Deploying an application and its monitoring: images into the nodes, definitions, objects, and waiting for monitoring."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from itbench.cluster.crds import custom_definitions, is_served
from itbench.cluster.kinds import kind_named
from itbench.cluster.protocol import KubeObject
from itbench.cluster.reference import ObjectRef
from itbench.cluster.server import ServerCluster
from itbench.cluster.transport import Transport
from itbench.environments.kind.application import live_manifests
from itbench.environments.kind.archive import application_images, monitoring_images, write_archive
from itbench.environments.kind.levels import CollectedLevels
from itbench.environments.kind.monitoring import NAMESPACE, monitoring_manifests
from itbench.environments.kind.programs import kind_program
from itbench.environments.kind.provision import KindCluster
from itbench.environments.kind.tallies import Callees
from itbench.model.errors import AlreadyExistsError, ClusterError
from itbench.twin.app.application import Application
from itbench.twin.objects import is_ready, name_of

_LOAD_SECONDS = 300.0
_READY_SECONDS = 120.0
_DEFINED_SECONDS = 30.0
_LOOK = 0.5
# What the namespace's objects say of who made them.
_MANAGER = "helm"


@dataclass(frozen=True, slots=True)
class Deployment:
    """An application that is deployed.

    Attributes:
        application: which.
        namespaces: that it is in, with its monitoring.
        levels: of its services.
    """

    application: Application
    namespaces: tuple[str, ...]
    levels: CollectedLevels


def deploy(
    kind: KindCluster, cluster: ServerCluster, transport: Transport, application: Application, load: float
) -> Deployment:
    """Deploy an application; its pods are on their way when this returns.

    Args:
        kind: where.
        cluster: the same, with all rights.
        transport: the same.
        application: what.
        load: share of its load that is made.

    Raises:
        ClusterError: an image or a definition is missing, or the server refuses an object.
    """
    _load(kind, _loaded(application, load))
    objects = [*monitoring_manifests(application), *live_manifests(application)]
    _define(cluster, objects)
    creator = cluster.acting_as(_MANAGER)
    for obj in objects:
        with suppress(AlreadyExistsError):  # roles of monitoring, which lie in no namespace
            creator.create(obj)
    _wait_for_monitoring(cluster)
    return Deployment(
        application, (application.namespace, NAMESPACE), CollectedLevels(cluster, transport, Callees.of(application))
    )


def _loaded(application: Application, share: float) -> Application:
    """The same application with a share of its load."""
    load = application.load
    users, rate = (None if value is None else value * share for value in (load.users, load.rate))
    return application.model_copy(update={"load": load.model_copy(update={"users": users, "rate": rate})})


def _load(kind: KindCluster, application: Application) -> None:
    """Put the images into the nodes."""
    archive = kind.folder / "images.tar"
    write_archive([*application_images(application), *monitoring_images()], archive)
    words = [str(kind_program()), "load", "image-archive", str(archive), f"--name={kind.name}"]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=_LOAD_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise ClusterError(f"the images were not loaded after {_LOAD_SECONDS:.0f} s") from None
    finally:
        archive.unlink(missing_ok=True)
    if done.returncode:
        raise ClusterError(f"the images cannot be loaded: {(done.stderr or done.stdout).strip()[-300:]}")


def _define(cluster: ServerCluster, objects: Sequence[KubeObject]) -> None:
    """Define the custom kinds that an application has objects of."""
    wanted = {kind_named(obj["kind"], obj["apiVersion"]).qualified_plural for obj in objects}
    definitions = [each for each in custom_definitions() if each["metadata"]["name"] in wanted]
    for definition in definitions:
        with suppress(AlreadyExistsError):
            cluster.create(definition)
    deadline = time.monotonic() + _DEFINED_SECONDS
    for definition in definitions:
        while not is_served(cluster.get(ObjectRef.of(definition))):
            if time.monotonic() > deadline:
                raise ClusterError(f"the API server does not serve {name_of(definition)}")
            time.sleep(_LOOK)


def _wait_for_monitoring(cluster: ServerCluster) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while True:
        pods = cluster.list("Pod", NAMESPACE)
        late = [name_of(pod) for pod in pods if not is_ready(pod)]
        if pods and not late:
            return
        if time.monotonic() > deadline:
            raise ClusterError(f"monitoring is not ready after {_READY_SECONDS:.0f} s: {', '.join(late) or 'no pods'}")
        time.sleep(_LOOK)
