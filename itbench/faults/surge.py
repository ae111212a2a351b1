"""The fault of somebody who asks the API server too much."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from itbench.cluster.protocol import Cluster, KubeObject
from itbench.cluster.reference import ObjectRef
from itbench.faults.arguments import Arguments, NamespaceObject
from itbench.faults.fixes import Delete, Fix, Patch
from itbench.faults.images import CURL
from itbench.faults.lookup import find_namespace, must_be_free
from itbench.faults.pacing import Pacer
from itbench.faults.protocol import Fault, Operation

if TYPE_CHECKING:
    from numpy.random import Generator

_NAME = "workload-scanner"
_REPLICAS = 5
_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
_SCAN = (
    f'while true; do curl -s --cacert {_ACCOUNT}/ca.crt -H "Authorization: Bearer $(cat {_ACCOUNT}/token)" '
    "https://kubernetes.default.svc/api/v1/pods -o /dev/null; sleep $SCAN_INTERVAL_SECONDS; done"
)
_LABELS = {"app.kubernetes.io/name": _NAME}


class SurgeOptions(Arguments):
    """How hard it asks."""

    requestsPerSecond: int = Field(ge=1, le=100_000)  # noqa: N815  the public library's word


class LoadGenerator(Arguments):
    """What asks."""

    options: SurgeOptions


class SurgeArguments(Arguments):
    """The namespace of what asks, and how hard it does."""

    kubernetesObject: NamespaceObject  # noqa: N815
    loadGenerator: LoadGenerator  # noqa: N815


class RequestSurge(Fault[SurgeArguments]):
    """Questions without end."""

    id = "kubernetes-api-server-request-surge"
    number = 10
    title = "Surge of requests to the API server"
    description = (
        f"Runs a Deployment {_NAME} of {_REPLICAS} pods in the namespace, with an account that may list all pods; each "
        "does so over and over, pausing 1/requestsPerSecond between two. The API server becomes slow for everybody."
    )
    alerts = ("HighRequestLatency",)
    departure = (
        "Asks with curl, where theirs installs a Python client from the internet at each start; and does not stop after an "
        "hour. The twin runs the pods but has no model of an overloaded API server: there it slows nothing."
    )
    model: ClassVar[type[Arguments]] = SurgeArguments

    @property
    def namespace(self) -> str:
        """Where it runs."""
        return self.args.kubernetesObject.metadata.name

    @property
    def ref(self) -> ObjectRef:
        """The Deployment that it makes."""
        return ObjectRef("Deployment", _NAME, self.namespace, "apps/v1")

    def check(self, cluster: Cluster) -> None:
        """The namespace must be there, and all names free."""
        find_namespace(cluster, self.namespace)
        for obj in (*self._account(), self._deployment()):
            must_be_free(cluster, ObjectRef.of(obj))

    def change(self, operation: Operation, pacer: Pacer, rng: Generator) -> tuple[ObjectRef, ...]:  # noqa: ARG002
        """Make the account and the Deployment."""
        for obj in self._account():
            operation.create(obj)
        return (operation.create(self._deployment()),)

    def fixes(self) -> tuple[Fix, ...]:
        """Delete the Deployment, or let it ask less."""
        env = [{"name": "SCAN_INTERVAL_SECONDS", "value": "300"}]
        slower = {"spec": {"template": {"spec": {"containers": [{"name": "scanner", "env": env}]}}}}
        return (
            Fix(text=f"Delete {self.ref}.", steps=(Delete(object=self.ref),)),
            Fix(text=f"Edit {self.ref}: let it ask less often.", steps=(Patch(object=self.ref, patch=slower),)),
        )

    def _account(self) -> list[KubeObject]:
        """An account that may list all pods."""
        group = "rbac.authorization.k8s.io"
        subject = {"kind": "ServiceAccount", "name": _NAME, "namespace": self.namespace}
        rule = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]}
        return [
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": _NAME, "namespace": self.namespace}},
            {"apiVersion": f"{group}/v1", "kind": "ClusterRole", "metadata": {"name": _NAME}, "rules": [rule]},
            {
                "apiVersion": f"{group}/v1",
                "kind": "ClusterRoleBinding",
                "metadata": {"name": _NAME},
                "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": _NAME},
                "subjects": [subject],
            },
        ]

    def _deployment(self) -> KubeObject:
        pause = f"{1 / self.args.loadGenerator.options.requestsPerSecond:.6f}"
        container = {
            "name": "scanner",
            "image": CURL,
            "command": ["sh", "-c", _SCAN],
            "env": [{"name": "SCAN_INTERVAL_SECONDS", "value": pause}],
            "resources": {"limits": {"cpu": "200m", "memory": "64Mi"}},
        }
        pod = {"serviceAccountName": _NAME, "containers": [container]}
        return {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": _NAME, "namespace": self.namespace, "labels": _LABELS},
            "spec": {
                "replicas": _REPLICAS,
                "selector": {"matchLabels": _LABELS},
                "template": {"metadata": {"labels": _LABELS}, "spec": pod},
            },
        }
