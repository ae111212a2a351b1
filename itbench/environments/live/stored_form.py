"""What a control plane's store holds of objects that somebody else made, and in which form."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

from itbench.cluster.kinds import Kind
from itbench.cluster.protocol import KubeObject
from itbench.cluster.registry_keys import ROOT

# Of the API server's own affairs, or of its clients' rights: others have no use for them.
_NOT_MIRRORED = frozenset(("CustomResourceDefinition", "Lease", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"))
# The API server makes these itself, and would be surprised by others of the same name.
_OWN_NAMESPACES = frozenset(("default", "kube-node-lease", "kube-public", "kube-system"))
ALLOCATOR = "ipallocator-repair-controller"
"""Of the API server; it complains in events about a Service that it saw before the record of its address."""
_KUBELET_ADDRESS = {"type": "InternalIP", "address": "127.0.0.1"}


def is_mirrored(kind: Kind, namespace: str, name: str) -> bool:
    """Whether an object of somebody else's goes into the store."""
    if kind.name in _NOT_MIRRORED:
        return False
    if kind.name == "Namespace":
        return name not in _OWN_NAMESPACES
    return not (namespace == "default" and name == "kubernetes")


def served(kind: Kind, obj: Mapping[str, Any], kubelet_port: int) -> KubeObject:
    """An object as the store has it: without its version, which the store counts itself.

    Args:
        kind: of the object.
        obj: is not changed.
        kubelet_port: where, on this machine, logs of a node's containers are served.
    """
    found = {**obj, "metadata": {key: value for key, value in obj["metadata"].items() if key != "resourceVersion"}}
    if kind.name != "Node":
        return found
    status = dict(found.get("status") or {})
    others = [item for item in status.get("addresses") or () if item["type"] != _KUBELET_ADDRESS["type"]]
    status["addresses"] = [_KUBELET_ADDRESS, *others]
    status["daemonEndpoints"] = {"kubeletEndpoint": {"Port": kubelet_port}}
    return {**found, "status": status}


def has_address(obj: KubeObject) -> bool:
    """Whether this is a Service with an address of the cluster's."""
    return obj["kind"] == "Service" and (obj.get("spec") or {}).get("clusterIP") not in (None, "", "None")


def address_of(service: KubeObject) -> tuple[str, KubeObject]:
    """Key and object of the record that a Service's address is taken."""
    metadata, address = service["metadata"], str(service["spec"]["clusterIP"])
    labels = {"ipaddress.kubernetes.io/ip-family": "IPv4", "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io"}
    parent = {"group": "", "resource": "services", "namespace": metadata["namespace"], "name": metadata["name"]}
    record = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "IPAddress",
        "metadata": {
            "name": address,
            "uid": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{metadata['uid']}/{address}")),
            "creationTimestamp": metadata["creationTimestamp"],
            "labels": labels,
        },
        "spec": {"parentRef": parent},
    }
    return f"{ROOT}ipaddresses/{address}", record


def encoded(obj: Mapping[str, Any]) -> bytes:
    """An object's bytes in the store."""
    return json.dumps(obj, separators=(",", ":")).encode()
