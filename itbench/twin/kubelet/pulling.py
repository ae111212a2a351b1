"""Making sure that a container's image is there (pkg/kubelet/images/image_manager.go)."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

from itbench.twin.kubelet.backoff import Backoff
from itbench.twin.kubelet.containers import Container, Waiting
from itbench.twin.kubelet.images import is_valid_name
from itbench.twin.objects import name_of, namespace_of

if TYPE_CHECKING:
    from itbench.twin.kubelet.host import Host
    from itbench.twin.kubelet.worker import PodWorker

_SIZE = 125_000_000


class ImagePuller:
    """Pulls the images of one pod, with a back-off of its own.

    Args:
        host: the node.
        worker: whose pod.
    """

    def __init__(self, host: Host, worker: PodWorker) -> None:
        self._host = host
        self._worker = worker
        self._backoff = Backoff()
        self._failures: dict[str, tuple[float, str]] = {}
        self._attempts = 0

    def warn_of_missing_secrets(self) -> None:
        """Say which of the pod's pull secrets are not there; pulling is tried without them."""
        pod = self._worker.pod
        names = [item["name"] for item in pod["spec"].get("imagePullSecrets") or ()]
        missing = [name for name in names if self._host.store.get("Secret", (namespace_of(pod), name)) is None]
        if missing:
            text = f"Unable to retrieve some image pull secrets ({', '.join(missing)}); "
            text += "attempting to pull the image may not succeed."
            self._host.recorder.warning(pod, "FailedToRetrieveImagePullSecret", text)

    def ensure(self, container: Container) -> Generator[float, None, bool]:
        """Bring the image to the node if the pull policy asks for it; gives whether the container can be made."""
        image, policy = str(container.spec["image"]), container.spec.get("imagePullPolicy", "IfNotPresent")
        if not is_valid_name(image):
            problem = f'couldn\'t parse image name "{image}": invalid reference format'
            self._warn(container, "InspectFailed", f'Failed to apply default image tag "{image}": {problem}')
            return self._fail(container, "InvalidImageName", f'Failed to apply default image tag "{image}": {problem}')
        present = self._host.images.has(image)
        if policy == "Never" and not present:
            text = f'Container image "{image}" is not present with pull policy of Never'
            self._warn(container, "ErrImageNeverPull", text)
            return self._fail(container, "ErrImageNeverPull", text)
        if present and policy != "Always":
            self._tell(container, "Pulled", f'Container image "{image}" already present on machine')
            return True
        failed = self._failures.get(image)
        if failed is not None and self._backoff.holds(image, failed[0], self._host.clock.now):
            self._tell(container, "BackOff", f'Back-off pulling image "{image}"')
            text = f'Back-off pulling image "{image}": ErrImagePull: {failed[1]}'
            return self._fail(container, "ImagePullBackOff", text)
        return (yield from self._pull(container, image))

    def _pull(self, container: Container, image: str) -> Generator[float, None, bool]:
        self._tell(container, "Pulling", f'Pulling image "{image}"')
        self._attempts += 1
        pod = self._worker.pod
        subject = f"{namespace_of(pod)}/{name_of(pod)}/{container.name}"
        pull = self._host.images.pull(image, self._host.streams.uniform(subject, "pull", self._attempts))
        yield pull.seconds
        if self._worker.is_stopping():
            return False
        now = self._host.clock.now
        if pull.problem is None:
            self._failures.pop(image, None)
            self._host.images.add(image)
            took = f"{pull.seconds:.3f}s"
            text = f'Successfully pulled image "{image}" in {took} ({took} including waiting). Image size: {_SIZE} bytes.'
            self._tell(container, "Pulled", text)
            return True
        self._warn(container, "Failed", f'Failed to pull image "{image}": {pull.problem}')
        self._backoff.next(image, now, now)
        self._failures[image] = (now, pull.problem)
        return self._fail(container, "ErrImagePull", pull.problem)

    def _fail(self, container: Container, reason: str, message: str) -> bool:
        self._warn(container, "Failed", f"Error: {reason}")
        container.waiting = Waiting(reason, message)
        return False

    def _tell(self, container: Container, reason: str, text: str) -> None:
        self._host.recorder.normal(self._worker.pod, reason, text, container.field_path)

    def _warn(self, container: Container, reason: str, text: str) -> None:
        self._host.recorder.warning(self._worker.pod, reason, text, container.field_path)
