"""Faults in the description of a container: its image, command, environment, probe and resources."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from itbench.cluster.protocol import Cluster, KubeObject
from itbench.cluster.reference import ObjectRef
from itbench.cluster.tree import copied, same
from itbench.faults.arguments import (
    Arguments,
    Container,
    ContainerArguments,
    PerhapsContainerArguments,
    Text,
    WorkloadArguments,
)
from itbench.faults.fixes import Fix, SetBack
from itbench.faults.images import ONLY_FOR
from itbench.faults.lookup import container_of, pod_spec, variable_of
from itbench.faults.nodes import ARCHITECTURE, choose, labels_of, pin, workers
from itbench.faults.pacing import Pacer
from itbench.faults.protocol import Operation
from itbench.faults.workload import WorkloadFault, chosen_container, edit, roll_back
from itbench.model.errors import FaultError

if TYPE_CHECKING:
    from numpy.random import Generator

C = TypeVar("C", bound=WorkloadArguments)
_TEMPLATE = "spec.template.spec"


class ContainerFault(WorkloadFault[C]):
    """A fault of one container: subclasses say what becomes of it."""

    what: ClassVar[str]

    @abstractmethod
    def container(self, workload: KubeObject) -> dict[str, Any]:
        """The container in a workload."""

    @abstractmethod
    def spoil(self, container: dict[str, Any], rng: Generator | None) -> None:
        """Change the container; without `rng`, to see whether that is possible and makes a difference."""

    def check(self, cluster: Cluster) -> None:
        """The container must be there, and become another."""
        container = self.container(self.found(cluster))
        before = copied(container)
        self.spoil(container, None)
        if same(container, before):
            raise FaultError(f"{self.what} of container {container['name']} of {self.ref} is like that already")

    def change(self, operation: Operation, pacer: Pacer, rng: Generator) -> tuple[ObjectRef, ...]:  # noqa: ARG002
        """Change the container."""
        return (operation.edit(self.ref, lambda workload: self.spoil(self.container(workload), rng)),)

    def fixes(self) -> tuple[Fix, ...]:
        """Roll back, or edit."""
        return roll_back(self.ref), edit(self.ref, self.what)


class _Named(ContainerFault[ContainerArguments]):
    """The container is named."""

    model: ClassVar[type[Arguments]] = ContainerArguments

    def container(self, workload: KubeObject) -> dict[str, Any]:
        """The container in a workload."""
        return container_of(workload, self.args.container.name)


class _PerhapsNamed(ContainerFault[PerhapsContainerArguments]):
    """The container is named where there are several."""

    model: ClassVar[type[Arguments]] = PerhapsContainerArguments

    def container(self, workload: KubeObject) -> dict[str, Any]:
        """The container in a workload."""
        return chosen_container(self.args, workload)


class InsufficientResources(_Named):
    """Too little to live."""

    id = "insufficient-kubernetes-workload-container-resources"
    number = 8
    title = "Container with too few resources"
    description = "Sets requests and limits of a container to 5m CPU and 5Mi memory: it is killed for lack of memory."
    alerts = ("KubePodCrashLooping",)
    what = "the resources"

    def spoil(self, container: dict[str, Any], rng: Generator | None) -> None:  # noqa: ARG002
        """Set the resources."""
        little = {"cpu": "5m", "memory": "5Mi"}
        container["resources"] = {"requests": little, "limits": dict(little)}


class InvalidCommand(_Named):
    """Nothing to start."""

    id = "invalid-kubernetes-workload-container-command"
    number = 9
    title = "Command that the image lacks"
    description = "Replaces the command of a container by a path that the image does not have: it cannot be started."
    alerts = ("KubePodCrashLooping",)
    departure = "The command is a plausible path; theirs says that it is invalid."
    what = "the command"

    def spoil(self, container: dict[str, Any], rng: Generator | None) -> None:  # noqa: ARG002
        """Set the command."""
        container["command"] = [f"/usr/local/lib/{container['name']}/bin/{container['name']}-main"]


class WrongReadinessProbe(_PerhapsNamed):
    """Alive, and never asked."""

    id = "misconfigured-kubernetes-workload-container-readiness-probe"
    number = 12
    title = "Readiness probe on a wrong port"
    description = (
        "Gives a container a readiness probe on a port on which it does not listen: new pods never become Ready, and the "
        "roll-out stops with the old ones serving."
    )
    alerts = ("KubePodNotReady",)
    departure = (
        "The container need not be told where there is only one: their schema leaves it out, their code needs it. The port "
        "is a plausible one on which the container does not listen; theirs is 40."
    )
    what = "the readiness probe"

    def spoil(self, container: dict[str, Any], rng: Generator | None) -> None:  # noqa: ARG002
        """Set the probe."""
        taken = {port["containerPort"] for port in container.get("ports") or ()}
        port = next(port for port in (8086, 8089, 8098, 9097) if port not in taken)
        probe = {"httpGet": {"path": "/ready", "port": port}, "periodSeconds": 5, "failureThreshold": 3}
        container["readinessProbe"] = probe


class Variable(Arguments):
    """A variable of an environment, and the value that it shall have."""

    name: Text
    value: str


class ContainerWithVariable(Container):
    """A container, and a variable of its environment."""

    env: Variable


class EnvironmentArguments(WorkloadArguments):
    """A workload, one of its containers, and a variable of that one's environment."""

    container: ContainerWithVariable


class ModifiedVariable(ContainerFault[EnvironmentArguments]):
    """Told something wrong."""

    id = "modified-kubernetes-workload-container-environment-variable"
    number = 13
    title = "Environment variable with another value"
    description = "Overwrites the value of a variable in the environment of a container; what follows depends on both."
    model = EnvironmentArguments
    what = "the variable"

    def container(self, workload: KubeObject) -> dict[str, Any]:
        """The container in a workload."""
        return container_of(workload, self.args.container.name)

    def spoil(self, container: dict[str, Any], rng: Generator | None) -> None:  # noqa: ARG002
        """Set the value."""
        variable_of(container, self.args.container.env.name)["value"] = self.args.container.env.value


class NonexistentImage(_Named):
    """Nothing to pull."""

    id = "nonexistent-kubernetes-workload-container-image"
    number = 15
    title = "Image that does not exist"
    description = "Gives a container an image tag that its repository does not have: new pods cannot pull it."
    alerts = ("KubePodNotReady",)
    departure = "The repository stays, the tag is a plausible one; theirs is another repository whose name says invalid."
    what = "the image"

    def spoil(self, container: dict[str, Any], rng: Generator | None) -> None:
        """Set the image."""
        name = str(container["image"]).partition("@")[0]
        head, slash, last = name.rpartition("/")
        repository, _, tag = last.partition(":")
        number = 1000 if rng is None else int(rng.integers(1000, 10000))
        container["image"] = f"{head}{slash}{repository}:{tag or '1.0'}-build.{number}"


class NoLimits(_PerhapsNamed):
    """No bounds."""

    id = "unassigned-kubernetes-workload-container-resource-limits"
    number = 24
    title = "Container without limits"
    description = (
        "Removes the resource limits of a container. Alone it breaks nothing: together with load or stress, what the limit "
        "stopped spreads to the node."
    )
    departure = "The container need not be told where there is only one: their schema leaves it out, their code needs it."
    what = "the resource limits"

    def spoil(self, container: dict[str, Any], rng: Generator | None) -> None:  # noqa: ARG002
        """Remove the limits."""
        limits = (container.get("resources") or {}).pop("limits", None)
        if not limits:
            key = "container.name"
            raise FaultError(f"container {container['name']} of {self.ref} has no resource limits to remove", key=key)


class UnsupportedArchitecture(_Named):
    """Built for another machine."""

    id = "unsupported-architecture-kubernetes-workload-container-image"
    number = 26
    title = "Image for another architecture"
    description = (
        "Gives a container an image that is published for another processor architecture than that of a worker node, and "
        "pins the workload to nodes of that architecture."
    )
    alerts = ("KubePodNotReady",)
    departure = (
        "The workload is pinned to an architecture rather than to one node; the image is public. What a node says depends "
        "on how the image is published: no match for the platform when pulling, or exec format error when starting."
    )
    what = "the image"

    def check(self, cluster: Cluster) -> None:
        """There must be a node to choose."""
        super().check(cluster)
        workers(cluster)

    def spoil(self, container: dict[str, Any], rng: Generator | None) -> None:  # noqa: ARG002
        """As `change` does for a node of the usual architecture."""
        container["image"] = ONLY_FOR["arm64"]

    def change(self, operation: Operation, pacer: Pacer, rng: Generator) -> tuple[ObjectRef, ...]:  # noqa: ARG002
        """Set the image, and pin the workload."""
        here = labels_of(choose(workers(operation.cluster), rng)).get(ARCHITECTURE, "amd64")
        image = ONLY_FOR["amd64" if here != "amd64" else "arm64"]

        def change(workload: KubeObject) -> None:
            self.container(workload)["image"] = image
            if ARCHITECTURE not in (pod_spec(workload).get("nodeSelector") or {}):
                pin(workload, ARCHITECTURE, here)

        return (operation.edit(self.ref, change),)

    def fixes(self) -> tuple[Fix, ...]:
        """Roll back, or edit the image; that is enough."""
        field = f"{_TEMPLATE}.containers"
        image = Fix(text=f"Edit {self.ref}: set the image back.", steps=(SetBack(object=self.ref, fields=(field,)),))
        return roll_back(self.ref), image
