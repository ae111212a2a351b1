"""Faults of Services: a wrong port, a selector that selects nothing, a Service that is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from itbench.cluster.protocol import Cluster, KubeObject
from itbench.cluster.reference import ObjectRef
from itbench.cluster.selectors import Selector
from itbench.faults.arguments import Arguments, ServiceArguments, ServiceObject
from itbench.faults.fixes import Fix, Recreate
from itbench.faults.lookup import find
from itbench.faults.names import first_free, free_port
from itbench.faults.pacing import Pacer
from itbench.faults.protocol import Fault, Operation
from itbench.faults.workload import edit
from itbench.model.errors import FaultError

if TYPE_CHECKING:
    from numpy.random import Generator

_EMPTY_SECONDS = 60.0


class TargetPortArguments(Arguments):
    """A Service, and the target port that it has now, which is changed."""

    kubernetesObject: ServiceObject  # noqa: N815  the public library's word
    targetPort: int = Field(ge=1, le=65535)  # noqa: N815


class ModifiedTargetPort(Fault[TargetPortArguments]):
    """The right pods, the wrong door."""

    id = "modified-target-port-kubernetes-service"
    number = 14
    title = "Service with a wrong target port"
    description = (
        "Sets a target port of a Service to one on which its pods do not listen: connections are refused. targetPort says "
        "which of its ports: the number that it has now."
    )
    alerts = ("HighRequestErrorRate",)
    departure = "The new port is one near the old that no pod declares; theirs is always 9999."
    model: ClassVar[type[Arguments]] = TargetPortArguments

    @property
    def ref(self) -> ObjectRef:
        """The Service."""
        return self.args.kubernetesObject.ref

    def check(self, cluster: Cluster) -> None:
        """The Service must have such a port."""
        self._port(find(cluster, self.ref))

    def change(self, operation: Operation, pacer: Pacer, rng: Generator) -> tuple[ObjectRef, ...]:  # noqa: ARG002
        """Change the port."""
        cluster = operation.cluster
        selector = cluster.get(self.ref)["spec"].get("selector")
        pods = cluster.list("Pod", self.ref.namespace, Selector.equal_to(selector)) if selector else ()
        declared = {
            port["containerPort"]
            for pod in pods
            for container in pod["spec"]["containers"]
            for port in container.get("ports") or ()
        }
        number = free_port(self.args.targetPort, declared)

        def change(service: KubeObject) -> None:
            self._port(service)["targetPort"] = number

        return (operation.edit(self.ref, change),)

    def fixes(self) -> tuple[Fix, ...]:
        """Edit the Service."""
        return (edit(self.ref, f"its target port (to {self.args.targetPort})"),)

    def _port(self, service: KubeObject) -> KubeObject:
        ports: list[KubeObject] = service["spec"].get("ports") or []
        for port in ports:
            if port.get("targetPort", port["port"]) == self.args.targetPort:
                return port
        there = ", ".join(str(port.get("targetPort", port["port"])) for port in ports) or "none"
        raise FaultError(
            f"Service {self.ref.name} has no target port {self.args.targetPort}",
            key="targetPort",
            hint=f"It has: {there}.",
        )


class _ServiceFault(Fault[ServiceArguments]):
    """A fault of a Service."""

    model: ClassVar[type[Arguments]] = ServiceArguments

    @property
    def ref(self) -> ObjectRef:
        """The Service."""
        return self.args.kubernetesObject.ref


class WrongSelector(_ServiceFault):
    """Looking for others."""

    id = "invalid-kubernetes-service-selector"
    number = 29
    title = "Service that selects nothing"
    description = "Changes the selector of a Service so that no pod fits: it has no endpoints, and callers are refused."
    alerts = ("HighRequestErrorRate",)
    departure = "Changes the value of a label that is selected by; theirs adds a label whose value says that it is invalid."

    def check(self, cluster: Cluster) -> None:
        """The Service must have a selector."""
        if not find(cluster, self.ref)["spec"].get("selector"):
            raise FaultError(f"Service {self.ref.name} has no selector", key="kubernetesObject.metadata.name")

    def change(self, operation: Operation, pacer: Pacer, rng: Generator) -> tuple[ObjectRef, ...]:  # noqa: ARG002
        """Change the selector, and wait until there are no endpoints."""
        cluster = operation.cluster
        selector = cluster.get(self.ref)["spec"]["selector"]
        label = min(selector)
        taken = {(pod["metadata"].get("labels") or {}).get(label) for pod in cluster.list("Pod", self.ref.namespace)}
        # A value of a label has at most 63 characters.
        value = first_free([f"{selector[label][:50]}-v2"], {value for value in taken if value})

        def change(service: KubeObject) -> None:
            service["spec"]["selector"][label] = value

        changed = operation.edit(self.ref, change)
        pacer.until(lambda: not _has_endpoints(cluster, self.ref), _EMPTY_SECONDS)
        return (changed,)

    def fixes(self) -> tuple[Fix, ...]:
        """Edit the Service."""
        return (edit(self.ref, "its selector"),)


class DeletedService(_ServiceFault):
    """Gone."""

    id = "deleted-kubernetes-service"
    number = 30
    title = "Service deleted"
    description = "Deletes a Service: its name is not resolved any more, and calls to it fail."
    alerts = ("HighRequestErrorRate",)

    def check(self, cluster: Cluster) -> None:
        """The Service must be there."""
        find(cluster, self.ref)

    def change(self, operation: Operation, pacer: Pacer, rng: Generator) -> tuple[ObjectRef, ...]:  # noqa: ARG002
        """Delete it."""
        return (operation.delete(self.ref),)

    def fixes(self) -> tuple[Fix, ...]:
        """Make it anew."""
        text = f"Create Service {self.ref.name} again, with the selector and the ports that it had."
        return (Fix(text=text, steps=(Recreate(object=self.ref),)),)


def _has_endpoints(cluster: Cluster, service: ObjectRef) -> bool:
    slices = cluster.list("EndpointSlice", service.namespace, f"kubernetes.io/service-name={service.name}")
    return any(item.get("endpoints") for item in slices)
