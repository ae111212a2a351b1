"""Images: which are on the node, and what pulling the others brings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from itbench.twin.kubelet.timing import PULL, PULL_FAILURE, PULL_FAILURE_JITTER
from itbench.twin.workload.behaviour import ImageBehaviour, repository_of

_NAME = re.compile(
    r"(?:[a-zA-Z0-9][a-zA-Z0-9.-]*(?::\d+)?/)?[a-z0-9]+(?:[._-]+[a-z0-9]+|/[a-z0-9]+)*(?::[\w][\w.-]{0,127})?(?:@[a-z0-9]+:[0-9a-f]{32,})?"
)


@dataclass(frozen=True, slots=True)
class Pull:
    """The outcome of a pull: how long it took, and the runtime's words where it failed."""

    seconds: float
    problem: str | None = None


class Registry(Protocol):
    """Where images come from."""

    def pull(self, image: str, luck: float, architecture: str) -> Pull:
        """Pull an image.

        Args:
            image: with its tag.
            luck: a number from [0, 1) that decides what varies.
            architecture: of the machine that pulls.
        """
        ...


class UnreachableRegistry:
    """A registry whose name cannot be resolved, as on a machine that has its images by hand only."""

    def pull(self, image: str, luck: float, architecture: str) -> Pull:  # noqa: ARG002  a Registry
        """Fails after the resolver gave up."""
        host, path, tag = split_image(image)
        text = f'failed to do request: Head "https://{host}/v2/{path}/manifests/{tag}": dial tcp: lookup {host}: '
        problem = unresolved(image) + text + "Temporary failure in name resolution"
        return Pull(PULL_FAILURE + PULL_FAILURE_JITTER * luck, problem)


class StockedRegistry:
    """A registry that has some images and says of the others that they are not found.

    Args:
        images: names with tags.
        described: what is known of images, by repository; it has those that are published with every tag.
    """

    def __init__(self, images: Iterable[str], described: Mapping[str, ImageBehaviour] | None = None) -> None:
        self.images = {tagged(image) for image in images}
        self._described = described or {}

    def pull(self, image: str, luck: float, architecture: str) -> Pull:
        """Gives what it has, unless it has it for other machines only."""
        known = self._described.get(repository_of(image))
        if known is not None and not known.published:
            known = None
        if known is not None and known.manifest_list and not known.runs_on(architecture):
            text = f'failed to pull and unpack image "{tagged(image)}": no match for platform in manifest: not found'
            return Pull(0.5 + 0.5 * luck, text)
        if known is not None or image in self.images:
            return Pull(PULL * (0.5 + luck))
        host, path, tag = split_image(image)
        return Pull(0.5 + 0.5 * luck, unresolved(image) + f"{host}/{path}:{tag}: not found")


class ImageStore:
    """The images of one node.

    Args:
        registry: where the others come from.
        present: those that are there.
        architecture: of the node.
    """

    def __init__(self, registry: Registry, present: Iterable[str], architecture: str = "amd64") -> None:
        self._registry = registry
        self.architecture = architecture
        self._present = {tagged(image) for image in present}

    def has(self, image: str) -> bool:
        """Whether an image is on the node."""
        return tagged(image) in self._present

    def pull(self, image: str, luck: float) -> Pull:
        """Pull an image for this node."""
        return self._registry.pull(tagged(image), luck, self.architecture)

    def add(self, image: str) -> None:
        """Keep an image that was pulled."""
        self._present.add(tagged(image))


def is_valid_name(image: str) -> bool:
    """Whether this can be the name of an image."""
    return _NAME.fullmatch(image) is not None


def tagged(image: str) -> str:
    """An image's name with its tag; without one it is `latest`."""
    if "@" in image or ":" in image.rpartition("/")[2]:
        return image
    return f"{image}:latest"


def split_image(image: str) -> tuple[str, str, str]:
    """Registry host, path, and tag or digest."""
    name, at, digest = tagged(image).partition("@")
    head, slash, last = name.rpartition("/")
    last, _, tag = last.partition(":")
    path = head + slash + last
    host, slash, rest = path.partition("/")
    if not slash or not ("." in host or ":" in host or host == "localhost"):
        host, rest = "docker.io", path if slash else f"library/{path}"
    return host, rest, digest if at else tag


def unresolved(image: str) -> str:
    """How containerd begins to say that it cannot pull."""
    return f'failed to pull and unpack image "{tagged(image)}": failed to resolve reference "{tagged(image)}": '
