"""The Docker daemon, through its SDK, and its failures as our errors."""

from __future__ import annotations

import errno
import os
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from itbench.environments.kind.owners import LABEL
from itbench.model.errors import ClusterError, MissingExtraError

_SECONDS = 120
_ATTEMPTS, _PAUSE = 4, 2.0
_NO_ADDRESS = {"com.docker.network.bridge.inhibit_ipv4": "true"}


class Engine:
    """A Docker daemon that answers; a context manager that gives up its connection.

    Args:
        client: of the docker package.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    @classmethod
    def connect(cls) -> Engine:
        """The daemon that DOCKER_HOST names, or this machine's.

        Raises:
            MissingExtraError: the docker package is not installed.
            ClusterError: there is none, or it does not let us in.
        """
        try:
            import docker
            import requests
        except ImportError:
            raise MissingExtraError("docker", "container", "--env kind") from None
        address = os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock"
        try:
            _knock(address)
            client = docker.from_env(timeout=_SECONDS)
            client.ping()
        except PermissionError:
            raise ClusterError(
                f"the Docker daemon at {address} does not let this user in",
                hint="Join the group docker and log in again, or run as root.",
            ) from None
        except (docker.errors.DockerException, requests.RequestException, OSError) as error:
            why = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)[:200]
            raise ClusterError(
                f"no Docker daemon answers at {address} ({why})", hint="Start Docker: make docker, or see docs/kind.md."
            ) from None
        return cls(client)

    def close(self) -> None:
        """Give up the connection."""
        self._client.close()

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def version(self) -> str:
        """Of the daemon."""
        with _told():
            return str(self._client.version()["Version"])

    def has_image(self, name: str) -> bool:
        """Whether an image is at hand."""
        import docker

        with _told():
            try:
                self._client.images.get(name)
            except docker.errors.ImageNotFound:
                return False
            return True

    def image_label(self, image: str, label: str) -> str | None:
        """A label of an image that is at hand; None if it has none, or is not."""
        import docker

        with _told():
            try:
                found = self._client.images.get(image).labels.get(label)
            except docker.errors.ImageNotFound:
                return None
        return None if found is None else str(found)

    def nodes(self, cluster: str) -> list[str]:
        """The names of the containers that are a cluster's nodes."""
        with _told():
            found = self._containers({"label": f"{LABEL}={cluster}"})
            return sorted(str(container.name) for container in found)

    def clusters(self) -> list[str]:
        """The names of all kind clusters, whoever made them, and of those of which a network is left."""
        with _told():
            found = self._containers({"label": LABEL})
            networks = self._client.networks.list(filters={"label": LABEL})
            labels = [*(each.labels for each in found), *(each.attrs["Labels"] for each in networks)]
            return sorted({each[LABEL] for each in labels})

    def close_in(self, cluster: str, node: str) -> str:
        """Make a network from which a node is reached, and nothing else; gives its name.

        It has no way out, and the bridge has no address of this machine: what is on it reaches one another alone.
        """
        with _told():
            network = self._client.networks.create(
                cluster, driver="bridge", internal=True, options=dict(_NO_ADDRESS), labels={LABEL: cluster}
            )
            network.connect(node)
        return cluster

    def _containers(self, filters: dict[str, str]) -> list[Any]:
        """All that there are, running or not; others may go while they are listed."""
        return list(self._client.containers.list(all=True, filters=filters, ignore_removed=True))

    def port(self, node: str, inner: int) -> int:
        """The port of this machine behind which a node's port is.

        Raises:
            ClusterError: there is none.
        """
        with _told():
            found = self._client.containers.get(node).ports.get(f"{inner}/tcp")
        if not found:
            raise ClusterError(f"{node} does not publish its port {inner}")
        return int(found[0]["HostPort"])

    def execute(self, node: str, command: Sequence[str]) -> str:
        """What a command prints in a node.

        Raises:
            ClusterError: it fails.
        """
        with _told():
            code, output = self._client.containers.get(node).exec_run(list(command))
        text: str = output.decode(errors="replace")
        if code:
            raise ClusterError(f"`{' '.join(command[:6])} …` failed in {node}: {text.strip()[-300:]}")
        return text

    def remove(self, cluster: str) -> int:
        """Remove the nodes of a cluster, running or not, their volumes and network; gives how many nodes there were."""
        import docker

        with _told():
            found = self._containers({"label": f"{LABEL}={cluster}"})
            for container in found:
                _thaw(container.id)
                for attempt in range(_ATTEMPTS):
                    try:
                        container.remove(force=True, v=True)
                    except docker.errors.NotFound:  # somebody else was faster
                        break
                    except docker.errors.APIError:  # a busy machine takes longer than the daemon waits
                        if attempt == _ATTEMPTS - 1:
                            raise
                        _thaw(container.id)
                        time.sleep(_PAUSE)
                    else:
                        break
            for network in self._client.networks.list(filters={"label": f"{LABEL}={cluster}"}):
                with suppress(docker.errors.NotFound):  # somebody else was faster
                    network.reload()
                    for left in network.attrs["Containers"] or {}:
                        with suppress(docker.errors.APIError):  # it has ended just now
                            network.disconnect(left, force=True)
                    network.remove()
            return len(found)


def _thaw(container: str) -> None:
    """Let processes go that a runtime has frozen and then forgotten: they cannot be killed (cgroup v1)."""
    for state in Path("/sys/fs/cgroup/freezer/docker", container).rglob("freezer.state"):
        with suppress(OSError):  # it is going, or not ours
            if state.read_text(encoding="ascii").strip() != "THAWED":
                state.write_text("THAWED", encoding="ascii")


def _knock(address: str) -> None:
    """Raise OSError if nobody listens at a local address: the docker package would leave the socket open."""
    if address.startswith("unix://"):
        with socket.socket(socket.AF_UNIX) as attempt:
            attempt.connect(address.removeprefix("unix://"))


@contextmanager
def _told() -> Iterator[None]:
    """Failures of the daemon as our errors."""
    import docker
    import requests

    try:
        yield
    except (docker.errors.DockerException, requests.RequestException) as error:
        text = str(error)
        full = os.strerror(errno.ENOSPC).lower() in text.lower()
        hint = "Make room: docker system df shows what takes it." if full else None
        raise ClusterError(f"the Docker daemon failed: {text[:300]}", hint=hint) from None
