"""Faults of a Valkey server: a password that nobody told the others, and a writer that fills its memory."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, ClassVar

from itbench.cluster.protocol import Cluster, KubeObject
from itbench.cluster.reference import ObjectRef
from itbench.faults.arguments import Arguments, ContainerArguments
from itbench.faults.fixes import Fix, Patch, Restart
from itbench.faults.lookup import container_of, must_be_free, pod_spec
from itbench.faults.names import secret_text
from itbench.faults.pacing import Pacer
from itbench.faults.protocol import Operation
from itbench.faults.workload import WorkloadFault, edit, roll_back
from itbench.model.errors import FaultError

if TYPE_CHECKING:
    from numpy.random import Generator

_SECRET, _SECRET_KEY, _PASSWORD = "valkey-credentials", "valkey-password", "VALKEY_PASSWORD"
_SCRIPT, _SCRIPT_KEY, _RATE_KEY, _RATE = "valkey-storage-script", "fill.sh", "bytes-per-second", "STORAGE_BYTES_PER_SECOND"
_FILL = """while [ "${STORAGE_BYTES_PER_SECOND:-0}" -gt 0 ]; do
  head -c "$STORAGE_BYTES_PER_SECOND" /dev/urandom | valkey-cli -x set "entry:$(date +%s%N)" >/dev/null
  sleep 1
done
"""
_FOLDER = "/opt/storage"


class ValkeyFault(WorkloadFault[ContainerArguments]):
    """A fault of a container that runs a Valkey server."""

    model: ClassVar[type[Arguments]] = ContainerArguments

    def server(self, workload: KubeObject) -> dict[str, Any]:
        """The container, which must run Valkey."""
        container = container_of(workload, self.args.container.name)
        words = [str(container["image"]), *(container.get("command") or ())]
        if not any("valkey" in word for word in words):
            raise FaultError(f"container {container['name']} of {self.ref} does not run Valkey", key="container.name")
        return container

    def variable_is_free(self, container: dict[str, Any], name: str) -> None:
        """Refuse to overwrite a variable."""
        if any(item["name"] == name for item in container.get("env") or ()):
            raise FaultError(f"container {container['name']} of {self.ref} has {name} already", key="container.name")


class ChangedPassword(ValkeyFault):
    """A lock, and one key."""

    id = "valkey-workload-changed-password"
    number = 27
    title = "Valkey with another password"
    description = (
        "Makes a Secret valkey-credentials with a random password and starts the server with it: those who do not send it "
        "are refused."
    )
    alerts = ("HighRequestErrorRate",)
    departure = (
        "Clients are refused at once, so that we expect HighRequestErrorRate, where theirs expects HighRequestLatency. "
        "Rolling back is accepted as a fix. An empty password counts as none."
    )

    @property
    def secret(self) -> ObjectRef:
        """The Secret that it makes."""
        return ObjectRef("Secret", _SECRET, self.ref.namespace, "v1")

    def check(self, cluster: Cluster) -> None:
        """The server must have no password, and the Secret's name be free."""
        self.variable_is_free(self.server(self.found(cluster)), _PASSWORD)
        must_be_free(cluster, self.secret)

    def change(self, operation: Operation, pacer: Pacer, rng: Generator) -> tuple[ObjectRef, ...]:  # noqa: ARG002
        """Make the Secret, and start the server with it."""
        secret = operation.create(
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": _SECRET, "namespace": self.ref.namespace},
                "type": "Opaque",
                "data": {_SECRET_KEY: base64.b64encode(secret_text(rng).encode()).decode()},
            }
        )
        source = {"secretKeyRef": {"name": _SECRET, "key": _SECRET_KEY}}

        def lock(workload: KubeObject) -> None:
            container = self.server(workload)
            container["command"] = ["valkey-server", "--requirepass", f"$({_PASSWORD})"]
            container.setdefault("env", []).append({"name": _PASSWORD, "valueFrom": source})

        return operation.edit(self.ref, lock), secret

    def fixes(self) -> tuple[Fix, ...]:
        """Roll back, edit, or ask for no password."""
        empty = Patch(object=self.secret, patch={"data": {_SECRET_KEY: ""}})
        text = f"Empty the password in {self.secret}, and restart {self.ref}."
        return (
            roll_back(self.ref),
            edit(self.ref, "its command and environment"),
            Fix(text=text, steps=(empty, Restart(object=self.ref))),
        )


class OutOfMemory(ValkeyFault):
    """Filled to the brim."""

    id = "valkey-workload-out-of-memory"
    number = 28
    title = "Valkey that is filled until it is killed"
    description = (
        "Adds a ConfigMap valkey-storage-script with a script that writes 1 MiB of random values into the server each "
        "second, started by a postStart hook: the container outgrows its memory limit and is killed, again and again."
    )
    alerts = ("KubePodCrashLooping",)
    departure = (
        "The script is started by a hook beside the server, where theirs takes the place of its command, and its rate is a "
        "key of the ConfigMap. A container without a memory limit is refused: it would fill the node."
    )

    @property
    def script(self) -> ObjectRef:
        """The ConfigMap that it makes."""
        return ObjectRef("ConfigMap", _SCRIPT, self.ref.namespace, "v1")

    def check(self, cluster: Cluster) -> None:
        """The server must have a memory limit and no hook, and the ConfigMap's name be free."""
        workload = self.found(cluster)
        container = self.server(workload)
        self.variable_is_free(container, _RATE)
        if "memory" not in ((container.get("resources") or {}).get("limits") or {}):
            raise FaultError(f"container {container['name']} of {self.ref} has no memory limit", key="container.name")
        if "postStart" in (container.get("lifecycle") or {}):
            raise FaultError(f"container {container['name']} of {self.ref} has a postStart hook", key="container.name")
        if any(item["name"] == "storage" for item in pod_spec(workload).get("volumes") or ()):
            raise FaultError(f"{self.ref} has a volume 'storage' already", key="kubernetesObject.metadata.name")
        must_be_free(cluster, self.script)

    def change(self, operation: Operation, pacer: Pacer, rng: Generator) -> tuple[ObjectRef, ...]:  # noqa: ARG002
        """Make the ConfigMap, and start its script with the server."""
        metadata = {"name": _SCRIPT, "namespace": self.ref.namespace}
        data = {_SCRIPT_KEY: _FILL, _RATE_KEY: str(2**20)}
        script = operation.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data})
        source = {"configMapKeyRef": {"name": _SCRIPT, "key": _RATE_KEY}}
        start = f"nohup sh {_FOLDER}/{_SCRIPT_KEY} >/dev/null 2>&1 &"

        def fill(workload: KubeObject) -> None:
            container = self.server(workload)
            container.setdefault("env", []).append({"name": _RATE, "valueFrom": source})
            container.setdefault("lifecycle", {})["postStart"] = {"exec": {"command": ["sh", "-c", start]}}
            container.setdefault("volumeMounts", []).append({"name": "storage", "mountPath": _FOLDER})
            pod_spec(workload).setdefault("volumes", []).append({"name": "storage", "configMap": {"name": _SCRIPT}})

        return operation.edit(self.ref, fill), script

    def fixes(self) -> tuple[Fix, ...]:
        """Roll back, edit, or let the script write nothing."""
        still = Patch(object=self.script, patch={"data": {_RATE_KEY: "0"}})
        text = f"Set {_RATE_KEY} of {self.script} to 0, and restart {self.ref}."
        return (
            roll_back(self.ref),
            edit(self.ref, "its hook, environment and volumes"),
            Fix(text=text, steps=(still, Restart(object=self.ref))),
        )
