"""The fault of credentials that are not those."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, ClassVar, Literal

from itbench.cluster.protocol import Cluster, KubeObject
from itbench.cluster.reference import ObjectRef
from itbench.faults.arguments import Arguments, KubernetesObject
from itbench.faults.fixes import Fix, RestartUsers, SetBack
from itbench.faults.lookup import find
from itbench.faults.names import secret_text
from itbench.faults.pacing import Pacer
from itbench.faults.protocol import Fault, Operation
from itbench.model.errors import FaultError

if TYPE_CHECKING:
    from numpy.random import Generator


class SecretObject(KubernetesObject):
    """A Secret."""

    apiVersion: Literal["v1"]  # noqa: N815  the API's own word
    kind: Literal["Secret"]


class SecretArguments(Arguments):
    """A Secret."""

    kubernetesObject: SecretObject  # noqa: N815


class CorruptedSecret(Fault[SecretArguments]):
    """Rotated on one side only."""

    id = "corrupted-kubernetes-secret-credentials"
    number = 36
    title = "Secret with other credentials"
    description = (
        "Replaces every value of a Secret by 24 random letters and digits. Who reads it from the environment notices with "
        "the next start."
    )
    alerts = ("HighRequestErrorRate",)
    departure = "A Secret that does not exist is an error; their only scenario with this fault names one."
    model: ClassVar[type[Arguments]] = SecretArguments

    @property
    def ref(self) -> ObjectRef:
        """The Secret."""
        return self.args.kubernetesObject.ref

    def check(self, cluster: Cluster) -> None:
        """The Secret must have something in it."""
        secret = find(cluster, self.ref)
        if not secret.get("data"):
            raise FaultError(f"Secret {self.ref.name} is empty", key="kubernetesObject.metadata.name")
        if secret.get("immutable"):
            raise FaultError(f"Secret {self.ref.name} is immutable", key="kubernetesObject.metadata.name")

    def change(self, operation: Operation, pacer: Pacer, rng: Generator) -> tuple[ObjectRef, ...]:  # noqa: ARG002
        """Replace the values."""
        keys = sorted(operation.cluster.get(self.ref)["data"])
        values = {key: base64.b64encode(secret_text(rng).encode()).decode() for key in keys}

        def corrupt(secret: KubeObject) -> None:
            secret["data"].update(values)

        return (operation.edit(self.ref, corrupt),)

    def fixes(self) -> tuple[Fix, ...]:
        """Restore the values, and let those read them who read them only when they start."""
        text = f"Set the values of {self.ref} back, and restart the workloads that take them from the environment."
        return (Fix(text=text, steps=(SetBack(object=self.ref), RestartUsers(object=self.ref))),)
