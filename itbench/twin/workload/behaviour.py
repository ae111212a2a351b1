"""What the program of an image does, as data: on which ports it serves, what its environment makes it do.

The data lies in environments/images.yaml and in application files; for an image that nobody describes it is learnt
from the manifests with which it is known to run well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

import yaml
from pydantic import Field

from itbench.bundled import bundled
from itbench.cluster.protocol import KubeObject
from itbench.model.base import Model

Effect = Literal["exit_after_seconds", "memory_mib", "unready_after_seconds"]


class EnvEffect(Model):
    """What a variable of the environment does to the program.

    Attributes:
        name: the variable.
        effect: what its value, a number, means: the program exits so many seconds after its start and never serves;
            it takes so many MiB of memory more once it serves; it answers 503 from so many seconds on.
        exit_code: with which code it exits.
    """

    name: str
    effect: Effect
    exit_code: int = 1


class ImageBehaviour(Model):
    """The program of an image.

    Attributes:
        image: its repository, without a tag.
        entrypoint: names by which a command may call the program itself.
        listens: its ports; none means those that manifests declared when it was known to run well.
        paths: what it answers with 200 over HTTP, likewise; it answers other paths with 404.
        startup_seconds: from its start until it serves.
        startup_cpu_seconds: CPU time that takes; with less than a whole core it takes longer.
        request_cpu_seconds: CPU time of one answer, likewise.
        memory_mib: what it takes from its start on.
        growth_seconds: from serving until it has taken what its environment makes it take besides.
        stops_on_term: whether it exits (with 0) on SIGTERM; else it is killed when its grace period is over.
        stop_seconds: how long it then takes.
        shell: whether the image has a shell and the usual tools.
        root: whether it runs as root unless told otherwise.
        cores: processor that its program uses all the time, if its limit and its node let it.
        published: whether registries have it, with every tag.
        architectures: of the machines that it is built for; none means all.
        manifest_list: whether a registry says so before it is pulled; otherwise its program cannot be executed.
        env: what its environment does.
    """

    image: str
    entrypoint: tuple[str, ...] = ()
    listens: tuple[int, ...] = ()
    paths: tuple[str, ...] = ()
    startup_seconds: float = Field(default=1.0, ge=0)
    startup_cpu_seconds: float = Field(default=0.3, ge=0)
    request_cpu_seconds: float = Field(default=0.002, ge=0)
    memory_mib: float = Field(default=20.0, ge=0)
    growth_seconds: float = Field(default=1.5, ge=0)
    stops_on_term: bool = True
    stop_seconds: float = Field(default=0.2, ge=0)
    shell: bool = True
    root: bool = True
    cores: float = Field(default=0.0, ge=0)
    published: bool = False
    architectures: tuple[str, ...] = ()
    manifest_list: bool = True
    env: tuple[EnvEffect, ...] = ()

    def runs_on(self, architecture: str) -> bool:
        """Whether its program can be executed on a machine of an architecture."""
        return not self.architectures or architecture in self.architectures


def repository_of(image: str) -> str:
    """An image's name without its tag or digest."""
    name = image.partition("@")[0]
    head, slash, last = name.rpartition("/")
    return head + slash + last.partition(":")[0]


def image_behaviours() -> dict[str, ImageBehaviour]:
    """What the bundled file says of images, by repository."""
    text = (bundled("environments") / "images.yaml").read_text(encoding="utf-8")
    return {item["image"]: ImageBehaviour.model_validate(item) for item in yaml.safe_load(text)}


def learnt(images: Mapping[str, ImageBehaviour], objects: Iterable[KubeObject]) -> dict[str, ImageBehaviour]:
    """Behaviour by repository: what is described, completed by what manifests that run well declare.

    Args:
        images: the descriptions by repository.
        objects: manifests; those with a pod template or a pod spec tell something.
    """
    known = dict(images)
    for container in (item for obj in objects for item in containers_in(obj)):
        if not isinstance(container.get("image"), str):
            continue
        repository = repository_of(container["image"])
        former = known.get(repository) or ImageBehaviour(image=repository)
        described = images.get(repository)
        ports = tuple(int(port["containerPort"]) for port in container.get("ports") or () if "containerPort" in port)
        probes = [container.get(name) or {} for name in ("livenessProbe", "readinessProbe", "startupProbe")]
        paths = tuple(str(probe["httpGet"].get("path") or "/") for probe in probes if "httpGet" in probe)
        numbers = tuple(
            port for probe in probes for port in (_port(probe.get("httpGet")), _port(probe.get("tcpSocket"))) if port
        )
        update: dict[str, tuple[object, ...]] = {}
        if described is None or not described.listens:
            update["listens"] = tuple(sorted({*former.listens, *ports, *numbers}))
        if described is None or not described.paths:
            update["paths"] = tuple(sorted({*former.paths, *paths}))
        known[repository] = former.model_copy(update=update)
    return known


def images_in(objects: Iterable[KubeObject]) -> set[str]:
    """The images that manifests use."""
    found = (container.get("image") for obj in objects for container in containers_in(obj))
    return {image for image in found if isinstance(image, str)}


def containers_in(obj: KubeObject) -> list[KubeObject]:
    """The containers of a manifest's pod template, or of a pod."""
    spec = obj.get("spec")
    for key in ("jobTemplate", "spec", "template", "spec"):
        if isinstance(spec, dict) and key in spec and "containers" not in spec:
            spec = spec[key]
    if not isinstance(spec, dict):
        return []
    lists = [spec.get("initContainers"), spec.get("containers")]
    return [item for part in lists if isinstance(part, list) for item in part if isinstance(item, dict)]


def _port(handler: object) -> int:
    port = handler.get("port") if isinstance(handler, dict) else None
    return port if isinstance(port, int) else 0
