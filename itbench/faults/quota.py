"""The fault of a namespace that may not use what it needs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from itbench.cluster.protocol import Cluster
from itbench.cluster.reference import ObjectRef
from itbench.cluster.selectors import Selector
from itbench.faults.arguments import WorkloadArguments
from itbench.faults.fixes import Delete, Fix, Patch
from itbench.faults.lookup import must_be_free, pod_spec
from itbench.faults.nodes import requested
from itbench.faults.operation import EDITOR
from itbench.faults.pacing import Pacer
from itbench.faults.protocol import Operation
from itbench.faults.workload import WorkloadFault
from itbench.model.errors import FaultError

if TYPE_CHECKING:
    from numpy.random import Generator

_USUAL = 2**30
_STOP_SECONDS = 120.0


class InsufficientQuota(WorkloadFault[WorkloadArguments]):
    """The pods of a workload are not admitted any more."""

    id = "insufficient-kubernetes-resource-quota"
    number = 7
    crowds = True
    title = "Resource quota too small"
    description = (
        "Makes a ResourceQuota `memory` of 1Gi in the namespace, or less where 1Gi would do, and scales the workload to "
        "zero and back: its pods are refused, and none of them exists."
    )
    alerts = ("HighRequestErrorRate", "NoRequestsReceived")
    departure = (
        "Theirs is always 1Gi, which is no limit to a small namespace. They expect KubePodNotReady, which needs a Pod: "
        "none is made, so that we expect what callers see."
    )

    @property
    def quota(self) -> ObjectRef:
        """The ResourceQuota that it makes."""
        return ObjectRef("ResourceQuota", "memory", self.ref.namespace, "v1")

    def check(self, cluster: Cluster) -> None:
        """The workload must have pods to lose."""
        if self.found(cluster)["spec"].get("replicas", 1) == 0:
            raise FaultError(f"{self.ref} has no replicas", key="kubernetesObject.metadata.name")
        must_be_free(cluster, self.quota)

    def change(self, operation: Operation, pacer: Pacer, rng: Generator) -> tuple[ObjectRef, ...]:  # noqa: ARG002
        """Make the quota, and let the pods come anew."""
        cluster = operation.cluster
        workload = cluster.get(self.ref)
        replicas = workload["spec"].get("replicas", 1)
        own = requested(pod_spec(workload), "memory")
        chosen = Selector.of(workload["spec"]["selector"])
        others = sum(
            requested(pod["spec"], "memory") for pod in cluster.list("Pod", self.ref.namespace) if not chosen.selects(pod)
        )
        hard = _USUAL if own == 0 or others + own > _USUAL else others + own / 2
        quota = operation.create(
            {
                "apiVersion": "v1",
                "kind": "ResourceQuota",
                "metadata": {"name": self.quota.name, "namespace": self.quota.namespace},
                "spec": {"hard": {"memory": _written(hard)}},
            }
        )
        editor = cluster.acting_as(EDITOR)
        editor.scale(self.ref, 0)
        try:
            pacer.until(lambda: not (cluster.get(self.ref).get("status") or {}).get("replicas"), _STOP_SECONDS)
        finally:
            editor.scale(self.ref, replicas)
        return (quota,)

    def fixes(self) -> tuple[Fix, ...]:
        """Raise the quota, or delete it."""
        more = Patch(object=self.quota, patch={"spec": {"hard": {"memory": "64Gi"}}})
        return (
            Fix(text=f"Delete {self.quota}, if nobody needs it.", steps=(Delete(object=self.quota),)),
            Fix(text=f"Raise the memory of {self.quota} above what the namespace needs.", steps=(more,)),
        )


def _written(amount: float) -> str:
    if amount == _USUAL:
        return "1Gi"
    return f"{math.floor(amount / 2**20)}Mi" if amount >= 2**20 else str(math.floor(amount))
