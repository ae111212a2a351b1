"""Where a connection ends up: from the address in a program's environment to the pods behind it.

The rules are those of cluster DNS and of kube-proxy in iptables mode:
a Service without endpoints is rejected by the node, a port that the Service does not have leads nowhere, a port on
which nobody listens is refused by the pod itself, and what nobody routes is never answered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Literal

from itbench.cluster.protocol import KubeObject
from itbench.cluster.reference import ObjectRef
from itbench.twin.objects import namespace_of
from itbench.twin.wiring.view import Peer, View

Trouble = Literal["no such name", "no endpoints", "no such port", "bad port"]
_CLUSTER = ("svc", "cluster", "local")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A pod and the port at which it is asked."""

    peer: Peer
    port: int


@dataclass(frozen=True, slots=True)
class Destination:
    """What an address leads to: endpoints, or trouble on the way, and the objects that decide it."""

    endpoints: tuple[Endpoint, ...] = ()
    trouble: Trouble | None = None
    objects: tuple[ObjectRef, ...] = ()


def split_address(address: str, default_port: int) -> tuple[str, int]:
    """Host and port of `cart:8080`, `http://cart:8080/path` or `cart`; a port that is no number counts as 0."""
    host_port = address.rpartition("://")[2].partition("/")[0]
    host, colon, port = host_port.rpartition(":")
    if not colon:
        return host_port, default_port
    return host, int(port) if port.isdecimal() and len(port) < 6 else 0


def find(view: View, peers: Mapping[tuple[str, str], Peer], host: str, port: int, namespace: str) -> Destination:
    """What `host:port` leads to for a pod of `namespace`.

    Args:
        view: of the cluster.
        peers: all pods by namespace and name.
        host: a name of the cluster's DNS or an address.
        port: 0 for one that cannot be connected to.
        namespace: of the pod that asks.
    """
    service = _service(view, host, namespace)
    if service is None:
        known = is_address(host)
        return Destination(trouble="no such port" if known else "no such name")
    refs = (ObjectRef.of(service),)
    if port == 0:
        return Destination(trouble="bad port", objects=refs)
    spec = service["spec"]
    if spec.get("clusterIP") == "None":
        endpoints = tuple(Endpoint(endpoint.peer, port) for endpoint in _endpoints(view, peers, service, None))
        return Destination(endpoints, None if endpoints else "no such name", refs)
    entry = next((item for item in spec.get("ports") or () if item["port"] == port), None)
    if entry is None:
        return Destination(trouble="no such port", objects=refs)
    found = tuple(_endpoints(view, peers, service, entry))
    return Destination(found, None if found else "no endpoints", refs)


def _service(view: View, host: str, namespace: str) -> KubeObject | None:
    if is_address(host):
        return next((item for item in view.all("Service") if item["spec"].get("clusterIP") == host), None)
    parts = host.rstrip(".").lower().split(".")
    if len(parts) > 2 and tuple(parts[2:]) != _CLUSTER[: len(parts) - 2]:
        return None
    return view.get("Service", parts[1] if len(parts) > 1 else namespace, parts[0])


def is_address(host: str) -> bool:
    """Whether a host is named by its address, which nobody needs to resolve."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _endpoints(
    view: View, peers: Mapping[tuple[str, str], Peer], service: KubeObject, port: Mapping[str, Any] | None
) -> list[Endpoint]:
    """The pods that a Service's slices list as ready, with their numbers of one of its ports (None: of any)."""
    namespace = namespace_of(service)
    found: dict[tuple[str, str], Endpoint] = {}
    for item in view.slices(namespace, service["metadata"]["name"]):
        numbers = [
            int(entry["port"])
            for entry in item.get("ports") or ()
            if port is None or (entry.get("name") or "") == (port.get("name") or "")
        ]
        for endpoint in item.get("endpoints") or () if numbers else ():
            peer = peers.get((namespace, (endpoint.get("targetRef") or {}).get("name", "")))
            if peer is not None and (endpoint.get("conditions") or {}).get("ready"):
                found[peer.namespace, peer.name] = Endpoint(peer, numbers[0])
    return list(found.values())
