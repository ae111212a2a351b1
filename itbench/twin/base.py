"""What a cluster has before anybody uses it: a node, classes, priorities."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from itbench.cluster.protocol import KubeObject
from itbench.twin.control.volumes import DEFAULT_CLASS

_PRESSURES = (
    ("MemoryPressure", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
)


def node(name: str, *, cpu: str = "2", memory: str = "24Gi", labels: Mapping[str, str] | None = None) -> KubeObject:
    """A node of a kind cluster: ready, empty, for 110 pods.

    Args:
        name: also its host name.
        cpu: cores.
        memory: as a quantity.
        labels: besides the usual ones.
    """
    conditions: list[dict[str, Any]] = [
        {"type": kind, "status": "False", "reason": reason, "message": message} for kind, reason, message in _PRESSURES
    ]
    conditions.append(
        {"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "kubelet is posting ready status"}
    )
    capacity = {"cpu": cpu, "memory": memory, "pods": "110", "ephemeral-storage": "250Gi"}
    common = {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": {**common, **(labels or {})}},
        "spec": {},
        "status": {
            "capacity": capacity,
            "allocatable": dict(capacity),
            "conditions": conditions,
            "addresses": [{"type": "Hostname", "address": name}],
            "nodeInfo": {"kubeletVersion": "v1.34.2", "operatingSystem": "linux", "architecture": "amd64"},
        },
    }


def control_plane(name: str = "control-plane") -> list[KubeObject]:
    """A node on which nothing else is scheduled, and the programs of the control plane in its pods, as in a kind cluster.

    The twin's own controllers do the work; the pods are there to be seen, and to be acted on.
    """
    role = "node-role.kubernetes.io/control-plane"
    machine = node(name, cpu="4", memory="16Gi", labels={role: ""})
    machine["spec"]["taints"] = [{"key": role, "effect": "NoSchedule"}]
    return [machine, *(_static_pod(program, image, cpu, name) for program, image, cpu in _PROGRAMS)]


_PROGRAMS = (
    ("etcd", "registry.k8s.io/etcd:3.6.5-0", "100m"),
    ("kube-apiserver", "registry.k8s.io/kube-apiserver:v1.34.2", "250m"),
    ("kube-controller-manager", "registry.k8s.io/kube-controller-manager:v1.34.2", "200m"),
    ("kube-scheduler", "registry.k8s.io/kube-scheduler:v1.34.2", "100m"),
)


def _static_pod(program: str, image: str, cpu: str, machine: str) -> KubeObject:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"{program}-{machine}",
            "namespace": "kube-system",
            "labels": {"component": program, "tier": "control-plane"},
            "annotations": {"kubernetes.io/config.source": "file"},
        },
        "spec": {
            "nodeName": machine,
            "hostNetwork": True,
            "priorityClassName": "system-node-critical",
            "containers": [{"name": program, "image": image, "resources": {"requests": {"cpu": cpu}}}],
            "tolerations": [{"operator": "Exists", "effect": "NoExecute"}],
        },
    }


def base_objects() -> list[KubeObject]:
    """Classes of priority and storage as in a kind cluster without a provisioner of volumes."""
    priorities = (("system-cluster-critical", 2_000_000_000), ("system-node-critical", 2_000_001_000))
    classes: list[KubeObject] = [
        {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": name}, "value": value}
        for name, value in priorities
    ]
    storage: KubeObject = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": "standard", "annotations": {DEFAULT_CLASS: "true"}},
        "provisioner": "kubernetes.io/no-provisioner",
        "volumeBindingMode": "WaitForFirstConsumer",
    }
    return [*classes, storage]
