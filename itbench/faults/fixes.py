"""Fixes: what repairs a fault, in words for people and as changes that can be applied and tested."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from itbench.cluster.protocol import Cluster, KubeObject, PatchType
from itbench.cluster.reference import ObjectRef
from itbench.faults.fields import own_part, set_back, written
from itbench.faults.injection import Injection, ObjectChange
from itbench.faults.operation import edited
from itbench.model.base import Model
from itbench.model.errors import FaultError


class _Step(Model):
    """One thing to do."""

    object: ObjectRef

    @property
    def _kubectl(self) -> str:
        return f"kubectl -n {self.object.namespace}" if self.object.namespace else "kubectl"

    @property
    def _target(self) -> str:
        return f"{self.object.kind.lower()} {self.object.name}"


class RollBack(_Step):
    """Go back to the previous revision of a workload."""

    do: Literal["roll back"] = "roll back"

    @property
    def command(self) -> str:
        """As people would type it."""
        return f"{self._kubectl} rollout undo {self.object}"

    def apply(self, cluster: Cluster, injection: Injection) -> None:  # noqa: ARG002  as the others
        """Do it."""
        cluster.rollout_undo(self.object)


class SetBack(_Step):
    """Edit an object so that what the fault changed is as it was; with `fields`, only what lies under these."""

    do: Literal["set back"] = "set back"
    fields: tuple[str, ...] = ()

    @property
    def command(self) -> str:
        """As people would type it."""
        return f"{self._kubectl} edit {self._target}"

    def apply(self, cluster: Cluster, injection: Injection) -> None:
        """Do it."""
        found = _changed(injection, self.object)
        before = found.before
        paths = [
            change.path
            for change in found.fields
            if not self.fields or any(written(change.path).startswith(field) for field in self.fields)
        ]
        if before is None or not paths:
            raise FaultError(f"{injection.fault} changed no such field of {self.object}")

        def change(obj: KubeObject) -> None:
            for path in paths:
                set_back(obj, before, path)

        edited(cluster, self.object, change)


class Delete(_Step):
    """Delete an object that the fault made."""

    do: Literal["delete"] = "delete"

    @property
    def command(self) -> str:
        """As people would type it."""
        return f"{self._kubectl} delete {self._target}"

    def apply(self, cluster: Cluster, injection: Injection) -> None:  # noqa: ARG002
        """Do it."""
        cluster.delete(self.object)


class DeleteMade(Model):
    """Delete the objects of a kind that the fault made, whatever they are called."""

    do: Literal["delete made"] = "delete made"
    kind: str

    @property
    def command(self) -> str:
        """As people would type it."""
        return f"kubectl delete {self.kind.lower()} NAME"

    def apply(self, cluster: Cluster, injection: Injection) -> None:
        """Do it."""
        for item in injection.objects:
            if item.deed == "created" and item.object.kind == self.kind:
                cluster.delete(item.object)


class SetBackKind(Model):
    """Edit the objects of a kind that the fault changed, whatever they are called: such as a node that it chose."""

    do: Literal["set back kind"] = "set back kind"
    kind: str

    @property
    def command(self) -> str:
        """As people would type it."""
        return "kubectl uncordon NODE" if self.kind == "Node" else f"kubectl edit {self.kind.lower()} NAME"

    def apply(self, cluster: Cluster, injection: Injection) -> None:
        """Do it."""
        for item in injection.objects:
            if item.deed == "changed" and item.object.kind == self.kind:
                SetBack(object=item.object).apply(cluster, injection)


class Recreate(_Step):
    """Bring back an object that the fault deleted."""

    do: Literal["recreate"] = "recreate"

    @property
    def command(self) -> str:
        """As people would type it."""
        return f"{self._kubectl} apply -f {self.object.name}.yaml"

    def apply(self, cluster: Cluster, injection: Injection) -> None:
        """Do it."""
        before = _changed(injection, self.object).before
        if before is None:
            raise FaultError(f"{injection.fault} did not delete {self.object}")
        manifest = own_part(before)
        for key in ("clusterIP", "clusterIPs"):
            # A manifest does not tell the address that the server gave; only that there shall be none.
            if manifest.get("spec", {}).get("clusterIP") != "None":
                manifest.get("spec", {}).pop(key, None)
        cluster.create(manifest)


class Patch(_Step):
    """Change an object to something that works, though it is not what it was."""

    do: Literal["patch"] = "patch"
    patch: dict[str, Any]
    type: PatchType = "strategic"

    @property
    def command(self) -> str:
        """As people would type it."""
        return f"{self._kubectl} patch {self._target} --type {self.type} -p '{json.dumps(self.patch)}'"

    def apply(self, cluster: Cluster, injection: Injection) -> None:  # noqa: ARG002
        """Do it."""
        cluster.patch(self.object, self.patch, self.type)


class ScaleBack(_Step):
    """Scale a workload to as many replicas as it had, and at least one."""

    do: Literal["scale back"] = "scale back"

    @property
    def command(self) -> str:
        """As people would type it."""
        return f"{self._kubectl} scale {self.object} --replicas N"

    def apply(self, cluster: Cluster, injection: Injection) -> None:
        """Do it."""
        before = _changed(injection, self.object).before or {}
        cluster.scale(self.object, max(int((before.get("spec") or {}).get("replicas", 1)), 1))


class Restart(_Step):
    """Restart a workload's pods."""

    do: Literal["restart"] = "restart"

    @property
    def command(self) -> str:
        """As people would type it."""
        return f"{self._kubectl} rollout restart {self.object}"

    def apply(self, cluster: Cluster, injection: Injection) -> None:  # noqa: ARG002
        """Do it."""
        cluster.restart(self.object)


class RestartUsers(_Step):
    """Restart the workloads whose environment takes something from a Secret or a ConfigMap."""

    do: Literal["restart users"] = "restart users"

    @property
    def command(self) -> str:
        """As people would type it."""
        return f"{self._kubectl} rollout restart deployment NAME"

    def apply(self, cluster: Cluster, injection: Injection) -> None:  # noqa: ARG002
        """Do it."""
        for kind in ("Deployment", "StatefulSet", "DaemonSet"):
            for workload in cluster.list(kind, self.object.namespace):
                if self.object.name in _sources(workload, self.object.kind):
                    cluster.restart(ObjectRef.of(workload))


Step: TypeAlias = Annotated[
    RollBack | SetBack | Delete | DeleteMade | SetBackKind | Recreate | Patch | ScaleBack | Restart | RestartUsers,
    Field(discriminator="do"),
]


class Fix(Model):
    """One way to repair a fault; any of a fault's fixes is accepted.

    Attributes:
        text: for people.
        steps: to be done in this order.
    """

    text: str
    steps: tuple[Step, ...]

    @property
    def commands(self) -> tuple[str, ...]:
        """The steps as people would type them."""
        return tuple(step.command for step in self.steps)

    def apply(self, cluster: Cluster, injection: Injection) -> None:
        """Repair what an injection broke.

        Raises:
            ClusterError: a step is refused; the message is the server's.
        """
        operator = cluster.acting_as("kubectl")
        for step in self.steps:
            step.apply(operator, injection)


def _changed(injection: Injection, ref: ObjectRef) -> ObjectChange:
    for item in injection.objects:
        if item.object == ref:
            return item
    raise FaultError(f"{injection.fault} did not touch {ref}")


def _sources(workload: KubeObject, kind: str) -> set[str]:
    """The names of the Secrets or ConfigMaps from which the environment of a workload's containers comes."""
    word = "secret" if kind == "Secret" else "configMap"
    found = set()
    for container in workload["spec"]["template"]["spec"]["containers"]:
        taken = [(item.get("valueFrom") or {}).get(f"{word}KeyRef") for item in container.get("env") or ()]
        taken += [item.get(f"{word}Ref") for item in container.get("envFrom") or ()]
        found |= {str(item["name"]) for item in taken if item}
    return found
