"""An application's objects for a real cluster: those of its file, with images that are at hand.

Names, labels, ports, probes, environment, resources, ConfigMaps and Secrets are as in the application file, so that faults
find what they find on the twin. Only the registry of images is another: every repository and tag is there under a registry
that nobody can reach, made by `itbench.environments.kind.archive`. So a wrong tag cannot be pulled, as it should be.
"""

from __future__ import annotations

from dataclasses import dataclass

from itbench.cluster.protocol import KubeObject
from itbench.cluster.tree import copied
from itbench.twin.app.application import Application
from itbench.twin.app.objects import manifests

REGISTRY = "registry.local"
"""Where the images of applications seem to come from. The name is reserved for local networks and resolves nowhere."""


@dataclass(frozen=True, slots=True)
class ServiceImage:
    """An image of the application.

    Attributes:
        name: with its tag.
        services: that run it; where there are several, the name of the pod decides which of them it plays.
        entrypoints: names of its program; the first is what the image runs.
    """

    name: str
    services: tuple[str, ...]
    entrypoints: tuple[str, ...]


def live_image(image: str) -> str:
    """The same repository and tag in the registry of the service images; what is there already stays.

    An image without a tag gets the one that it means, `latest`. A digest is left out: it is another image's.

    >>> live_image("ghcr.io/open-telemetry/demo:2.2.0-cart")
    'registry.local/open-telemetry/demo:2.2.0-cart'
    """
    tagged = image.partition("@")[0]
    if ":" not in tagged.rpartition("/")[2]:
        tagged += ":latest"
    first, slash, rest = tagged.partition("/")
    has_registry = bool(slash) and ("." in first or ":" in first or first == "localhost")
    return f"{REGISTRY}/{rest if has_registry else tagged}"


def live_manifests(application: Application) -> list[KubeObject]:
    """Everything to apply, in an order in which nothing waits for what comes later.

    Custom kinds (Gateway, HTTPRoute …) need their definitions first: `itbench.cluster.crds`.
    """
    known = {service.image for service in application.services.values()}
    objects: list[KubeObject] = []
    for manifest in manifests(application):
        obj: KubeObject = copied(manifest)
        template = (obj.get("spec") or {}).get("template") or {}
        for container in (template.get("spec") or {}).get("containers") or ():
            if container.get("image") in known:
                container["image"] = live_image(container["image"])
        objects.append(obj)
    return objects


def service_images(application: Application) -> list[ServiceImage]:
    """The images that an application's services run."""
    found: dict[str, ServiceImage] = {}
    for name, service in application.services.items():
        image = live_image(service.image)
        own = (*service.entrypoint, *service.command[:1]) or (name,)
        known = found.get(image, ServiceImage(name=image, services=(), entrypoints=()))
        entrypoints = tuple(dict.fromkeys((*known.entrypoints, *own)))
        found[image] = ServiceImage(name=image, services=(*known.services, name), entrypoints=entrypoints)
    return list(found.values())
