"""Faults before a pod begins: init containers that fail, or never end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from itbench.cluster.protocol import Cluster, KubeObject
from itbench.cluster.reference import ObjectRef
from itbench.faults.arguments import WorkloadArguments
from itbench.faults.fixes import Fix, Patch
from itbench.faults.images import BUSYBOX
from itbench.faults.lookup import must_be_free, pod_spec
from itbench.faults.pacing import Pacer
from itbench.faults.protocol import Operation
from itbench.faults.workload import WorkloadFault, edit, roll_back
from itbench.model.errors import FaultError

if TYPE_CHECKING:
    from numpy.random import Generator

_LOADER, _MODE = "config-loader", "mode"
_WAIT = "wait-for-migrations"
_LOAD = 'echo "loading settings, mode=$LOAD_MODE"; [ -n "$LOAD_MODE" ] && exit 0; echo "settings: mode is empty"; exit 1'
_UNTIL = "until [ -f /tmp/migrated ]; do sleep 2; done"


class CrashingInitContainer(WorkloadFault[WorkloadArguments]):
    """The pod's first step fails."""

    id = "crashing-kubernetes-workload-init-container"
    number = 2
    title = "Init container crashes"
    description = (
        "Adds an init container that reads its mode from a new ConfigMap NAME-config, where it is empty, and exits with 1. "
        "New pods do not get beyond it; old ones go on where the roll-out keeps them."
    )
    alerts = ("KubeContainerWaiting",)
    departure = (
        "Theirs is a Python program that stumbles over broken JSON, in an image that not every cluster can pull; ours is "
        "a line of shell. A new value in the ConfigMap repairs it, as there. `configMapName`, which two of their "
        "scenarios give, means nothing to either."
    )

    @property
    def config(self) -> ObjectRef:
        """The ConfigMap that it makes."""
        return ObjectRef("ConfigMap", f"{self.ref.name}-config", self.ref.namespace, "v1")

    def check(self, cluster: Cluster) -> None:
        """The name of the ConfigMap must be free."""
        _no_init_container(self.found(cluster), _LOADER)
        must_be_free(cluster, self.config)

    def change(self, operation: Operation, pacer: Pacer, rng: Generator) -> tuple[ObjectRef, ...]:  # noqa: ARG002
        """Make the ConfigMap, add the container."""
        metadata = {"name": self.config.name, "namespace": self.config.namespace}
        config = operation.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {_MODE: ""}})
        source = {"configMapKeyRef": {"name": self.config.name, "key": _MODE}}
        container = {
            "name": _LOADER,
            "image": BUSYBOX,
            "command": ["sh", "-c", _LOAD],
            "env": [{"name": "LOAD_MODE", "valueFrom": source}],
        }
        return operation.edit(self.ref, lambda workload: _add(workload, container)), config

    def fixes(self) -> tuple[Fix, ...]:
        """Roll back, give the mode a value, or remove the container."""
        value = Patch(object=self.config, patch={"data": {_MODE: "full"}})
        return (
            roll_back(self.ref),
            Fix(text=f"Give the key {_MODE!r} of {self.config} a value.", steps=(value,)),
            edit(self.ref, f"init containers (remove {_LOADER})"),
        )


class HangingInitContainer(WorkloadFault[WorkloadArguments]):
    """The pod's first step never ends."""

    id = "hanging-kubernetes-workload-init-container"
    number = 5
    title = "Init container hangs"
    description = "Adds an init container that waits for a file which nobody makes; new pods stay in Init."
    alerts = ("KubeContainerWaiting",)
    departure = "Theirs sleeps for ever in a container called worker; ours waits for something, as such containers do."

    def check(self, cluster: Cluster) -> None:
        """The name must be free."""
        _no_init_container(self.found(cluster), _WAIT)

    def change(self, operation: Operation, pacer: Pacer, rng: Generator) -> tuple[ObjectRef, ...]:  # noqa: ARG002
        """Add the container."""
        container = {"name": _WAIT, "image": BUSYBOX, "command": ["sh", "-c", _UNTIL]}
        return (operation.edit(self.ref, lambda workload: _add(workload, container)),)

    def fixes(self) -> tuple[Fix, ...]:
        """Roll back, remove the container, or let it end."""
        containers = [{"name": _WAIT, "command": ["sh", "-c", "true"]}]
        ends = Patch(object=self.ref, patch={"spec": {"template": {"spec": {"initContainers": containers}}}})
        return (
            roll_back(self.ref),
            edit(self.ref, f"init containers (remove {_WAIT})"),
            Fix(text=f"Give init container {_WAIT} of {self.ref} a command that ends.", steps=(ends,)),
        )


def _no_init_container(workload: KubeObject, name: str) -> None:
    if any(item["name"] == name for item in pod_spec(workload).get("initContainers") or ()):
        kind, subject = workload["kind"], workload["metadata"]["name"]
        raise FaultError(f"{kind} {subject} has an init container {name!r} already", key="kubernetesObject.metadata.name")


def _add(workload: KubeObject, container: KubeObject) -> None:
    pod_spec(workload).setdefault("initContainers", []).append(container)
