"""The fault of a volume that nobody provides."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from itbench.cluster.protocol import Cluster, KubeObject
from itbench.cluster.reference import ObjectRef
from itbench.faults.arguments import Arguments, ContainerArguments
from itbench.faults.fixes import Fix
from itbench.faults.lookup import container_of, must_be_free, pod_spec
from itbench.faults.names import first_free
from itbench.faults.pacing import Pacer
from itbench.faults.protocol import Operation
from itbench.faults.workload import WorkloadFault, edit, roll_back

if TYPE_CHECKING:
    from numpy.random import Generator

_CLASSES = ("fast-ssd", "premium-rwo", "gp3-encrypted", "block-storage")
_PATHS = ("/data", "/var/lib/data", "/srv/data")


class NonexistentVolume(WorkloadFault[ContainerArguments]):
    """Waiting for a disk."""

    id = "nonexistent-kubernetes-workload-persistent-volume-claim"
    number = 17
    title = "Volume of a storage class that does not exist"
    description = (
        "Makes a PersistentVolumeClaim NAME-data of a storage class that the cluster lacks and mounts it into a container: "
        "the claim stays Pending, and new pods with it."
    )
    alerts = ("KubePodNotReady",)
    departure = (
        "The storage class has a usual name; theirs says that it is invalid. Editing the claim is no accepted fix: its "
        "storage class cannot be changed. The claim counts among the roots."
    )
    model: ClassVar[type[Arguments]] = ContainerArguments

    @property
    def claim(self) -> ObjectRef:
        """The claim that it makes."""
        return ObjectRef("PersistentVolumeClaim", f"{self.ref.name}-data", self.ref.namespace, "v1")

    def check(self, cluster: Cluster) -> None:
        """The container must be there, and the claim's name free."""
        container_of(self.found(cluster), self.args.container.name)
        must_be_free(cluster, self.claim)

    def change(self, operation: Operation, pacer: Pacer, rng: Generator) -> tuple[ObjectRef, ...]:  # noqa: ARG002
        """Make the claim, and mount it."""
        classes = [item["metadata"]["name"] for item in operation.cluster.list("StorageClass")]
        spec = {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "25Mi"}},
            "storageClassName": first_free(_CLASSES, classes),
        }
        metadata = {"name": self.claim.name, "namespace": self.claim.namespace}
        claim = operation.create({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": spec})

        def mount(workload: KubeObject) -> None:
            pod = pod_spec(workload)
            container = container_of(workload, self.args.container.name)
            name = first_free(("data",), {item["name"] for item in pod.get("volumes") or ()})
            path = first_free(_PATHS, {item["mountPath"] for item in container.get("volumeMounts") or ()})
            pod.setdefault("volumes", []).append({"name": name, "persistentVolumeClaim": {"claimName": self.claim.name}})
            container.setdefault("volumeMounts", []).append({"name": name, "mountPath": path})

        return operation.edit(self.ref, mount), claim

    def fixes(self) -> tuple[Fix, ...]:
        """Roll back, or edit."""
        return roll_back(self.ref), edit(self.ref, "its volumes")
