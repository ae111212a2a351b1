"""The fault of an autoscaler that is satisfied by nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from itbench.cluster.protocol import Cluster, KubeObject
from itbench.cluster.reference import ObjectRef
from itbench.faults.arguments import Arguments, KubernetesObject, Workload, near
from itbench.faults.fixes import Fix, SetBackKind
from itbench.faults.lookup import find
from itbench.faults.pacing import Pacer
from itbench.faults.protocol import Fault, Operation
from itbench.model.errors import FaultError

if TYPE_CHECKING:
    from numpy.random import Generator

_KIND = "HorizontalPodAutoscaler"
_LOW = {"cpu": 20, "memory": 30}


class Autoscaler(KubernetesObject):
    """A HorizontalPodAutoscaler."""

    apiVersion: Literal["autoscaling/v2"]  # noqa: N815  the API's own word
    kind: Literal["HorizontalPodAutoscaler"]


class AutoscalerArguments(Arguments):
    """An autoscaler, or the workload that one scales."""

    kubernetesObject: Workload | Autoscaler = Field(discriminator="kind")  # noqa: N815


class MisconfiguredAutoscaler(Fault[AutoscalerArguments]):
    """More, and more."""

    id = "misconfigured-kubernetes-horizontal-pod-autoscaler"
    number = 11
    title = "Autoscaler with targets too low"
    description = (
        "Sets the targets of an autoscaler to 20 % of CPU and 30 % of memory, which any load exceeds: it scales to its "
        "maximum."
    )
    alerts = ("KubeHpaMaxedOut",)
    departure = (
        "Theirs patches the workload that is given, where the field does not exist, and changes nothing; ours finds the "
        "autoscaler of that workload and patches it. An autoscaler may be given, too."
    )
    model: ClassVar[type[Arguments]] = AutoscalerArguments

    def check(self, cluster: Cluster) -> None:
        """There must be an autoscaler with other targets."""
        found = self._find(cluster)
        before = {name: _target(found, name) for name in _LOW}
        if before == _LOW:
            raise FaultError(f"{ObjectRef.of(found)} has these targets already", key="kubernetesObject.metadata.name")

    def change(self, operation: Operation, pacer: Pacer, rng: Generator) -> tuple[ObjectRef, ...]:  # noqa: ARG002
        """Set the targets."""
        return (operation.edit(ObjectRef.of(self._find(operation.cluster)), _lower),)

    def fixes(self) -> tuple[Fix, ...]:
        """Set them back."""
        return (Fix(text="Edit the autoscaler: set its targets back.", steps=(SetBackKind(kind=_KIND),)),)

    def _find(self, cluster: Cluster) -> KubeObject:
        """The autoscaler that is meant."""
        ref = self.args.kubernetesObject.ref
        given = find(cluster, ref)
        if ref.kind == _KIND:
            return given
        there = cluster.list(_KIND, ref.namespace)
        for item in there:
            target = item["spec"]["scaleTargetRef"]
            if (target["kind"], target["name"]) == (ref.kind, ref.name):
                return item
        names = [item["spec"]["scaleTargetRef"]["name"] for item in there]
        hint = near(ref.name, names, "Scaled are") + " An application has them with the argument autoscaling.kubernetes.hpa."
        raise FaultError(f"no autoscaler scales {ref}", key="kubernetesObject.metadata.name", hint=hint)


def _metric(autoscaler: KubeObject, resource: str) -> dict[str, Any] | None:
    metrics: list[dict[str, Any]] = autoscaler["spec"].get("metrics") or []
    return next((item for item in metrics if (item.get("resource") or {}).get("name") == resource), None)


def _target(autoscaler: KubeObject, resource: str) -> int | None:
    metric = _metric(autoscaler, resource)
    return None if metric is None else metric["resource"]["target"].get("averageUtilization")


def _lower(autoscaler: KubeObject) -> None:
    for name, percent in _LOW.items():
        metric = _metric(autoscaler, name)
        if metric is None:
            metric = {"type": "Resource", "resource": {"name": name}}
            autoscaler["spec"].setdefault("metrics", []).append(metric)
        metric["resource"]["target"] = {"type": "Utilization", "averageUtilization": percent}
