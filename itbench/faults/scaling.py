"""Faults of how many pods there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from itbench.cluster.protocol import Cluster, KubeObject
from itbench.cluster.reference import ObjectRef
from itbench.faults.arguments import WorkloadArguments
from itbench.faults.fixes import Fix, ScaleBack
from itbench.faults.pacing import Pacer
from itbench.faults.protocol import Operation
from itbench.faults.workload import WorkloadFault, edit
from itbench.model.errors import FaultError

if TYPE_CHECKING:
    from numpy.random import Generator


class ScaledToZero(WorkloadFault[WorkloadArguments]):
    """Nobody is left to answer."""

    id = "scaled-to-zero-kubernetes-workload"
    number = 20
    title = "Workload scaled to zero"
    description = "Sets the replicas of a workload to 0: its Service has no endpoints, and callers are refused."
    alerts = ("NoRequestsReceived", "HighRequestErrorRate")
    departure = (
        "A roll-back is no accepted fix: it restores pod templates, never the number of replicas. The accepted scale is "
        "the former number, not always 1."
    )

    def check(self, cluster: Cluster) -> None:
        """There must be something to scale down."""
        if self.found(cluster)["spec"].get("replicas", 1) == 0:
            raise FaultError(f"{self.ref} has no replicas already", key="kubernetesObject.metadata.name")

    def change(self, operation: Operation, pacer: Pacer, rng: Generator) -> tuple[ObjectRef, ...]:  # noqa: ARG002
        """Scale to zero."""

        def none(workload: KubeObject) -> None:
            workload["spec"]["replicas"] = 0

        return (operation.edit(self.ref, none),)

    def fixes(self) -> tuple[Fix, ...]:
        """Scale back."""
        return (
            Fix(text=f"Scale {self.ref} to the replicas that it had.", steps=(ScaleBack(object=self.ref),)),
            edit(self.ref, "its replicas"),
        )
