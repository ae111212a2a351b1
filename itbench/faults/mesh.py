"""Faults of a service mesh: Istio in ambient mode, and its gateways."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from itbench.cluster.protocol import Cluster, KubeObject
from itbench.cluster.reference import ObjectRef
from itbench.faults.arguments import Arguments, KubernetesObject, NamespaceArguments, WorkloadArguments
from itbench.faults.fixes import Delete, Fix, Patch
from itbench.faults.lookup import find, find_namespace, must_be_free
from itbench.faults.nodes import labels_of
from itbench.faults.pacing import Pacer
from itbench.faults.protocol import Fault, Operation
from itbench.faults.workload import WorkloadFault, edit, roll_back, wait_for_rollout
from itbench.model.errors import FaultError

if TYPE_CHECKING:
    from numpy.random import Generator

_MODE = "istio.io/dataplane-mode"
_SECURITY = "security.istio.io/v1"


class DisabledMesh(Fault[NamespaceArguments]):
    """A namespace leaves the mesh."""

    id = "disabled-istio-ambient-mode-kubernetes-namespace"
    number = 3
    title = "Namespace taken out of the mesh"
    description = (
        "Sets the label istio.io/dataplane-mode of a namespace to none: traffic does not go through the mesh any more, "
        "which loses its policies and its telemetry."
    )
    alerts = ("NoRequestsReceived",)
    departure = "Refuses a namespace that is not in the mesh, where it would change nothing."
    model: ClassVar[type[Arguments]] = NamespaceArguments

    @property
    def ref(self) -> ObjectRef:
        """The namespace."""
        return self.args.kubernetesObject.ref

    def check(self, cluster: Cluster) -> None:
        """The namespace must be in the mesh."""
        if labels_of(find_namespace(cluster, self.ref.name)).get(_MODE) != "ambient":
            raise FaultError(
                f"namespace {self.ref.name} is not in Istio's ambient mode",
                key="kubernetesObject.metadata.name",
                hint=f"It needs the label {_MODE}=ambient.",
            )

    def change(self, operation: Operation, pacer: Pacer, rng: Generator) -> tuple[ObjectRef, ...]:  # noqa: ARG002
        """Change the label."""

        def leave(namespace: KubeObject) -> None:
            namespace["metadata"]["labels"][_MODE] = "none"

        return (operation.edit(self.ref, leave),)

    def fixes(self) -> tuple[Fix, ...]:
        """Change it back."""
        return (edit(self.ref, f"its label {_MODE}"),)


class StrictMutualTls(WorkloadFault[WorkloadArguments]):
    """Everybody must show a certificate, and one has none."""

    id = "strict-mutual-tls-istio-service-mesh-enforcement"
    number = 22
    title = "Mutual TLS demanded of a workload outside the mesh"
    description = (
        "Makes a PeerAuthentication `default` that demands mutual TLS in the namespace, and takes the workload's pods out "
        "of the mesh: what they send in plain text is refused by the others."
    )
    alerts = ("HighRequestErrorRate",)
    departure = (
        "The PeerAuthentication has Istio's customary name. Deleting it is no accepted fix: requests succeed again, but the "
        "workload stays outside the mesh, which sees none of them. Labelling the namespace is none either, as the label of "
        "the pod goes before it."
    )

    @property
    def policy(self) -> ObjectRef:
        """The PeerAuthentication that it makes."""
        return ObjectRef("PeerAuthentication", "default", self.ref.namespace, _SECURITY)

    def check(self, cluster: Cluster) -> None:
        """The workload must be in the mesh."""
        workload = self.found(cluster)
        namespace = find_namespace(cluster, str(self.ref.namespace))
        own = labels_of(workload["spec"]["template"]).get(_MODE, labels_of(namespace).get(_MODE))
        if own != "ambient":
            raise FaultError(f"{self.ref} is not in Istio's ambient mode", key="kubernetesObject.metadata.name")
        must_be_free(cluster, self.policy)

    def change(self, operation: Operation, pacer: Pacer, rng: Generator) -> tuple[ObjectRef, ...]:  # noqa: ARG002
        """Make the policy, and label the pods."""
        policy = operation.create(
            {
                "apiVersion": _SECURITY,
                "kind": "PeerAuthentication",
                "metadata": {"name": self.policy.name, "namespace": self.policy.namespace},
                "spec": {"mtls": {"mode": "STRICT"}},
            }
        )

        def leave(workload: KubeObject) -> None:
            workload["spec"]["template"]["metadata"].setdefault("labels", {})[_MODE] = "none"

        changed = operation.edit(self.ref, leave)
        wait_for_rollout(operation.cluster, pacer, self.ref)
        return changed, policy

    def fixes(self) -> tuple[Fix, ...]:
        """Bring the workload back into the mesh."""
        return edit(self.ref, f"the label {_MODE} of its pods"), roll_back(self.ref)


class GatewayObject(KubernetesObject):
    """A Gateway of the Gateway API."""

    apiVersion: Literal["gateway.networking.k8s.io/v1"]  # noqa: N815  the API's own word
    kind: Literal["Gateway"]


class GatewayArguments(Arguments):
    """A Gateway, and the methods that are denied."""

    kubernetesObject: GatewayObject  # noqa: N815
    httpMethods: Annotated[list[Literal["GET", "POST", "PUT", "DELETE"]], Field(min_length=1)]  # noqa: N815


class DeniedMethods(Fault[GatewayArguments]):
    """The door is shut to those who ask so."""

    id = "traffic-denying-istio-gateway-authorization-policy"
    number = 23
    title = "Gateway that denies methods"
    description = (
        "Makes an AuthorizationPolicy GATEWAY-methods that denies requests of some HTTP methods at a Gateway: they are "
        "answered with 403."
    )
    alerts = ("NoRequestsReceived",)
    departure = "The policy's name does not end in deny. An empty list of methods, which would deny nothing, is refused."
    model: ClassVar[type[Arguments]] = GatewayArguments

    @property
    def ref(self) -> ObjectRef:
        """The Gateway."""
        return self.args.kubernetesObject.ref

    @property
    def policy(self) -> ObjectRef:
        """The AuthorizationPolicy that it makes."""
        return ObjectRef("AuthorizationPolicy", f"{self.ref.name}-methods", self.ref.namespace, _SECURITY)

    def check(self, cluster: Cluster) -> None:
        """The Gateway must be there, and the policy's name free."""
        find(cluster, self.ref)
        must_be_free(cluster, self.policy)

    def change(self, operation: Operation, pacer: Pacer, rng: Generator) -> tuple[ObjectRef, ...]:  # noqa: ARG002
        """Make the policy."""
        target = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": self.ref.name}
        rule = {"to": [{"operation": {"methods": list(self.args.httpMethods)}}]}
        policy = operation.create(
            {
                "apiVersion": _SECURITY,
                "kind": "AuthorizationPolicy",
                "metadata": {"name": self.policy.name, "namespace": self.policy.namespace},
                "spec": {"action": "DENY", "targetRefs": [target], "rules": [rule]},
            }
        )
        return (policy,)

    def fixes(self) -> tuple[Fix, ...]:
        """Delete the policy, or let it deny something else."""
        rule = {"to": [{"operation": {"methods": ["TRACE"]}}]}
        other = Patch(object=self.policy, patch={"spec": {"rules": [rule]}}, type="merge")
        return (
            Fix(text=f"Delete {self.policy}.", steps=(Delete(object=self.policy),)),
            Fix(text=f"Edit {self.policy}: deny none of the methods that are needed.", steps=(other,)),
        )
