"""Faults between pods: names that are not resolved, and packets that are dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from itbench.cluster.protocol import Cluster, KubeObject
from itbench.cluster.reference import ObjectRef
from itbench.faults.arguments import WorkloadArguments
from itbench.faults.fixes import Delete, Fix, Patch
from itbench.faults.lookup import must_be_free, pod_spec
from itbench.faults.pacing import Pacer
from itbench.faults.protocol import Operation
from itbench.faults.workload import WorkloadFault, edit, roll_back, wait_for_rollout
from itbench.model.errors import FaultError

if TYPE_CHECKING:
    from numpy.random import Generator


class NodeNames(WorkloadFault[WorkloadArguments]):
    """A workload that asks the wrong name server."""

    id = "failing-name-resolution-kubernetes-workload-dns-policy"
    number = 4
    title = "DNS policy without the cluster's names"
    description = (
        "Sets the DNS policy of a workload to Default, by which its pods ask the node's name server: it does not know the "
        "names of Services, and every call to one fails."
    )
    alerts = ("HighRequestErrorRate",)
    departure = "Their published fix is about an AuthorizationPolicy that does not exist; ours are to roll back or to edit."

    def check(self, cluster: Cluster) -> None:
        """The pods must ask the cluster's name server now."""
        policy = pod_spec(self.found(cluster)).get("dnsPolicy", "ClusterFirst")
        if policy in ("Default", "None"):
            raise FaultError(f"{self.ref} has the DNS policy {policy} already", key="kubernetesObject.metadata.name")

    def change(self, operation: Operation, pacer: Pacer, rng: Generator) -> tuple[ObjectRef, ...]:  # noqa: ARG002
        """Set the policy, and wait until all pods have it."""

        def ask_the_node(workload: KubeObject) -> None:
            pod_spec(workload)["dnsPolicy"] = "Default"

        changed = operation.edit(self.ref, ask_the_node)
        wait_for_rollout(operation.cluster, pacer, self.ref)
        return (changed,)

    def fixes(self) -> tuple[Fix, ...]:
        """Roll back, or edit."""
        return roll_back(self.ref), edit(self.ref, "its DNS policy")


class BlockedIngress(WorkloadFault[WorkloadArguments]):
    """Nobody gets through."""

    id = "ingress-port-blocking-network-policy"
    number = 6
    title = "Network policy that lets nothing in"
    description = (
        "Makes a NetworkPolicy NAME-ingress that selects the workload's pods and allows no ingress: connections to all of "
        "their ports are dropped without an answer."
    )
    alerts = ("NoRequestsReceived", "HighRequestErrorRate")
    departure = (
        "Theirs has one rule with an empty list of ports, which by the API's semantics allows everything; ours has no rule, "
        "which blocks. It takes a network plug-in that enforces policies, on their clusters and on ours. The policy is the "
        "root, and the workload is not: nothing about it was changed."
    )

    @property
    def policy(self) -> ObjectRef:
        """The NetworkPolicy that it makes."""
        return ObjectRef("NetworkPolicy", f"{self.ref.name}-ingress", self.ref.namespace, "networking.k8s.io/v1")

    def check(self, cluster: Cluster) -> None:
        """The policy's name must be free."""
        self.found(cluster)
        must_be_free(cluster, self.policy)

    def change(self, operation: Operation, pacer: Pacer, rng: Generator) -> tuple[ObjectRef, ...]:  # noqa: ARG002
        """Make the policy."""
        selector = operation.cluster.get(self.ref)["spec"]["selector"]
        policy = operation.create(
            {
                "apiVersion": "networking.k8s.io/v1",
                "kind": "NetworkPolicy",
                "metadata": {"name": self.policy.name, "namespace": self.policy.namespace},
                "spec": {"podSelector": selector, "policyTypes": ["Ingress"], "ingress": []},
            }
        )
        return (policy,)

    def fixes(self) -> tuple[Fix, ...]:
        """Delete the policy, or let it allow."""
        allow = Patch(object=self.policy, patch={"spec": {"ingress": [{}]}}, type="merge")
        return (
            Fix(text=f"Delete {self.policy}, if nobody needs it.", steps=(Delete(object=self.policy),)),
            Fix(text=f"Edit {self.policy}: allow ingress to the workload's ports.", steps=(allow,)),
        )
