"""What faults of one workload share."""

from __future__ import annotations

from typing import Any, ClassVar, TypeVar

from itbench.cluster.protocol import Cluster, KubeObject
from itbench.cluster.reference import ObjectRef
from itbench.faults.arguments import Arguments, PerhapsContainerArguments, WorkloadArguments
from itbench.faults.fixes import Fix, RollBack, SetBack
from itbench.faults.lookup import container_of, find
from itbench.faults.pacing import Pacer
from itbench.faults.protocol import Fault
from itbench.model.errors import NotFoundError

W = TypeVar("W", bound=WorkloadArguments)
_ROLLOUT_SECONDS = 300.0


class WorkloadFault(Fault[W]):
    """A fault of a Deployment or StatefulSet."""

    model: ClassVar[type[Arguments]] = WorkloadArguments

    @property
    def ref(self) -> ObjectRef:
        """The workload."""
        return self.args.kubernetesObject.ref

    def found(self, cluster: Cluster) -> KubeObject:
        """The workload, which must be there."""
        return find(cluster, self.ref)

    def check(self, cluster: Cluster) -> None:
        """The workload must be there."""
        self.found(cluster)

    def fixes(self) -> tuple[Fix, ...]:
        """Roll back, or edit."""
        return (roll_back(self.ref), edit(self.ref))


def roll_back(ref: ObjectRef) -> Fix:
    """The fix of going back to the previous revision."""
    return Fix(text=f"Roll {ref} back to its previous revision.", steps=(RollBack(object=ref),))


def edit(ref: ObjectRef, what: str = "what was changed", *fields: str) -> Fix:
    """The fix of editing an object so that it is as before."""
    return Fix(text=f"Edit {ref}: set {what} back.", steps=(SetBack(object=ref, fields=fields),))


def chosen_container(args: PerhapsContainerArguments, workload: KubeObject) -> dict[str, Any]:
    """The container that the arguments name, or the only one."""
    return container_of(workload, args.container.name if args.container is not None else None)


def wait_for_rollout(cluster: Cluster, pacer: Pacer, ref: ObjectRef, seconds: float = _ROLLOUT_SECONDS) -> bool:
    """Let time pass until all pods of a workload are new and available, but no more than `seconds`."""
    return pacer.until(lambda: is_rolled_out(cluster, ref), seconds)


def is_rolled_out(cluster: Cluster, ref: ObjectRef) -> bool:
    """Whether a workload runs its newest revision only, and all of it, as `kubectl rollout status` judges."""
    try:
        workload = cluster.get(ref)
    except NotFoundError:
        return False
    status = workload.get("status") or {}
    if status.get("observedGeneration", 0) < workload["metadata"].get("generation", 0):
        return False
    wanted = workload["spec"].get("replicas", 1)
    counts = [status.get("replicas", 0), status.get("updatedReplicas", 0), _available(workload)]
    if workload["kind"] == "StatefulSet":
        return counts[2] >= wanted and status.get("updateRevision") == status.get("currentRevision")
    return all(count == wanted for count in counts)


def _available(workload: KubeObject) -> int:
    status = workload.get("status") or {}
    return int(status.get("availableReplicas", status.get("readyReplicas", 0)) or 0)
