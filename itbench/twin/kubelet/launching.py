"""What a container is started with, and what forbids it to be made."""

from __future__ import annotations

import math
from collections.abc import Callable

from itbench.cluster.protocol import KubeObject
from itbench.cluster.quantity import quantity
from itbench.twin.kubelet.containers import Container, PodState
from itbench.twin.kubelet.environment import ConfigurationError, environment, expanded
from itbench.twin.kubelet.host import Host
from itbench.twin.kubelet.mounts import mounted_files
from itbench.twin.objects import name_of, namespace_of, uid_of
from itbench.twin.workload.process import Launch

RUNTIME_ERROR = (
    "failed to create containerd task: failed to create shim task: OCI runtime create failed: "
    "runc create failed: unable to start container process: {}: unknown"
)
"""How containerd says that a process could not be started."""


def launch_of(host: Host, pod: KubeObject, state: PodState, container: Container) -> Callable[[float], Launch]:
    """What will be started, once the second of the start is known.

    Raises:
        ConfigurationError: something that the container refers to is missing, or forbids it to run.
    """
    spec = container.spec
    env = environment(pod, spec, host.store)
    _require_non_root(host, pod, spec)
    limits = {name: float(quantity(value)) for name, value in ((spec.get("resources") or {}).get("limits") or {}).items()}
    command = [expanded(word, env) for word in spec.get("command") or ()]
    args = [expanded(word, env) for word in spec.get("args") or ()]
    memory, cpu = limits.get("memory") or math.inf, limits.get("cpu") or math.inf
    subject = f"{namespace_of(pod)}/{name_of(pod)}/{container.name}"
    files = mounted_files(pod, spec, host.store)
    return lambda now: Launch(
        spec["image"],
        command,
        args,
        env,
        memory,
        cpu,
        subject,
        now,
        state.ports,
        files,
        host.images.architecture,
        spec.get("lifecycle") or {},
        pod["spec"].get("dnsPolicy") != "Default",
    )


def _require_non_root(host: Host, pod: KubeObject, spec: KubeObject) -> None:
    """`runAsNonRoot` forbids what would run as root."""
    context = {**(pod["spec"].get("securityContext") or {}), **(spec.get("securityContext") or {})}
    if not context.get("runAsNonRoot"):
        return
    user = context.get("runAsUser")
    who = f'(pod: "{name_of(pod)}_{namespace_of(pod)}({uid_of(pod)})", container: {spec["name"]})'
    if user == 0:
        raise ConfigurationError(f"container's runAsUser breaks non-root policy {who}")
    if user is None and host.programs.runs_as_root(spec["image"]):
        raise ConfigurationError(f"container has runAsNonRoot and image will run as root {who}")
