"""The fault that is an experiment of Chaos Mesh, fired again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import ConfigDict

from itbench.cluster.protocol import Cluster
from itbench.cluster.reference import ObjectRef
from itbench.faults.arguments import Arguments, KubernetesObject, Text, near
from itbench.faults.fixes import Delete, Fix, Patch
from itbench.faults.lookup import find_namespace, must_be_free
from itbench.faults.pacing import Pacer
from itbench.faults.protocol import Fault, Operation
from itbench.model.errors import FaultError, NotFoundError

if TYPE_CHECKING:
    from numpy.random import Generator

# kind: the field of a Schedule's spec that describes it.
BODIES = {
    "NetworkChaos": "networkChaos",
    "PodChaos": "podChaos",
    "StressChaos": "stressChaos",
    "HTTPChaos": "httpChaos",
    "JVMChaos": "jvmChaos",
    "IOChaos": "ioChaos",
    "DNSChaos": "dnsChaos",
    "TimeChaos": "timeChaos",
}
_DEFAULTS = {"schedule": "* * * * *", "concurrencyPolicy": "Forbid", "historyLimit": 1}
_START_SECONDS = 120.0


class ScheduleObject(KubernetesObject):
    """A Schedule of Chaos Mesh, as it shall be called."""

    apiVersion: Literal["chaos-mesh.org/v1alpha1"]  # noqa: N815  the API's own word
    kind: Literal["Schedule"]


class ScheduleSpec(Arguments):
    """The spec of a Schedule: any fields that Chaos Mesh knows."""

    model_config = ConfigDict(frozen=True, extra="allow", strict=True)

    type: Text


class ScheduleArguments(Arguments):
    """What the Schedule is called, and what it does."""

    kubernetesObject: ScheduleObject  # noqa: N815
    scheduleSpec: ScheduleSpec  # noqa: N815


class ChaosSchedule(Fault[ScheduleArguments]):
    """Chaos by the minute."""

    id = "scheduled-chaos-mesh-experiment"
    number = 21
    title = "Scheduled Chaos Mesh experiment"
    description = (
        "Creates a Schedule of Chaos Mesh that starts an experiment every minute unless told otherwise, and waits until the "
        "first one is there; what follows depends on the experiment."
    )
    departure = "The namespace must be there, and so must the part of the spec that `type` names. Undo deletes the Schedule."
    model: ClassVar[type[Arguments]] = ScheduleArguments

    @property
    def ref(self) -> ObjectRef:
        """The Schedule."""
        return self.args.kubernetesObject.ref

    def check(self, cluster: Cluster) -> None:
        """The Schedule must be new, and say what it does."""
        spec = self.args.scheduleSpec
        if spec.type not in BODIES:
            key = "scheduleSpec.type"
            raise FaultError(f"there is no experiment {spec.type!r}", key=key, hint=near(spec.type, BODIES))
        body = BODIES[spec.type]
        told = spec.model_extra or {}
        if not isinstance(told.get(body), dict):
            hint = near(body, told, "There are")
            raise FaultError(f"{spec.type} needs {body!r} beside its type", key=f"scheduleSpec.{body}", hint=hint)
        find_namespace(cluster, str(self.ref.namespace))
        must_be_free(cluster, self.ref)

    def change(self, operation: Operation, pacer: Pacer, rng: Generator) -> tuple[ObjectRef, ...]:  # noqa: ARG002
        """Create the Schedule, and wait for its first experiment."""
        metadata = {"name": self.ref.name, "namespace": self.ref.namespace}
        spec = {**_DEFAULTS, **self.args.scheduleSpec.model_dump(mode="json")}
        head = {"apiVersion": self.ref.api_version, "kind": self.ref.kind}
        schedule = operation.create({**head, "metadata": metadata, "spec": spec})
        owner = operation.cluster.get(schedule)["metadata"]["uid"]
        pacer.until(lambda: self._has_begun(operation.cluster, owner), _START_SECONDS)
        return (schedule,)

    def fixes(self) -> tuple[Fix, ...]:
        """Delete the Schedule, or pause it."""
        pause = {"metadata": {"annotations": {"experiment.chaos-mesh.org/pause": "true"}}}
        return (
            Fix(text=f"Delete {self.ref}; its experiments go with it.", steps=(Delete(object=self.ref),)),
            Fix(
                text=f"Pause {self.ref}, and delete the experiment that is running and then the Schedule.",
                steps=(Patch(object=self.ref, patch=pause, type="merge"), Delete(object=self.ref)),
            ),
        )

    def _has_begun(self, cluster: Cluster, owner: str) -> bool:
        """Whether an experiment of the Schedule is there."""
        try:
            found = cluster.list(self.args.scheduleSpec.type, self.ref.namespace)
        except NotFoundError:
            return False
        owners = (each for item in found for each in item["metadata"].get("ownerReferences") or ())
        return any(each.get("uid") == owner for each in owners)
