"""The addresses that an API server gives to services."""

from __future__ import annotations

import zlib
from ipaddress import IPv4Network

from itbench.cluster.kinds import Kind, kind_named
from itbench.cluster.problems import invalid, raise_if_any
from itbench.cluster.protocol import KubeObject
from itbench.cluster.store import Store

_NETWORK = IPv4Network("10.96.0.0/16")  # kubeadm's default, less its upper part
_ON_NODES = frozenset({"NodePort", "LoadBalancer"})
_NODE_PORTS = range(30000, 32768)


def assign_addresses(kind: Kind, obj: KubeObject, store: Store, old: KubeObject | None = None) -> None:
    """Give a Service the cluster IP and the node ports that it needs and has not; in place.

    They follow from its name, so that they do not depend on which services came before, unless two names collide.

    Args:
        kind: nothing happens for other kinds than Service.
        obj: the service as it would be stored.
        store: where the other services are.
        old: the service before a change; it keeps its address.

    Raises:
        InvalidError: a new service asks for an address that another has.
    """
    if kind.name != "Service":
        return
    if old is not None:
        _drop_needless(old["spec"], obj["spec"])
    if obj["spec"]["type"] == "ExternalName":
        return
    spec, name = obj["spec"], f"{obj['metadata']['namespace']}/{obj['metadata']['name']}"
    asked = spec.get("clusterIP")
    if old is None and asked not in (None, "", "None") and asked in _taken(store):
        detail = f"failed to allocate IP {asked}: provided IP is already allocated"
        raise_if_any(kind, obj, [invalid("spec.clusterIPs", [asked], detail)])
    if not asked:
        kept = (old or {}).get("spec", {}).get("clusterIP")
        spec["clusterIP"] = kept or _free_address(name, store)
    spec.setdefault("clusterIPs", [spec["clusterIP"]])
    if spec.get("type") in _ON_NODES:
        for port in spec.get("ports", ()):
            if not port.get("nodePort"):
                port["nodePort"] = _free_port(f"{name}:{port.get('port')}", store, spec)


def _drop_needless(old: KubeObject, new: KubeObject) -> None:
    """Take back what a service of another type has no use for, unless the change asks for it."""
    if old["type"] in _ON_NODES and new["type"] not in _ON_NODES:
        _drop(old, new, "externalTrafficPolicy", "allocateLoadBalancerNodePorts")
        before = {port.get("nodePort") for port in old.get("ports", ())}
        for port in new.get("ports", ()):
            if port.get("nodePort") in before:
                port.pop("nodePort", None)
    if old["type"] != "ExternalName" == new["type"]:
        _drop(old, new, "clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy")


def _drop(old: KubeObject, new: KubeObject, *fields: str) -> None:
    for field in fields:
        if new.get(field) == old.get(field):
            new.pop(field, None)


def _taken(store: Store) -> set[str | None]:
    return {service["spec"].get("clusterIP") for service in store.all(kind_named("Service"))}


def _free_address(name: str, store: Store) -> str:
    taken = _taken(store)
    count = _NETWORK.num_addresses - 12  # the network's own, the API's, DNS and the broadcast are never given
    first = zlib.crc32(name.encode())
    places = ((first + step) % count for step in range(count))
    return next(address for place in places if (address := str(_NETWORK[place + 11])) not in taken)


def _free_port(name: str, store: Store, own: KubeObject) -> int:
    specs = [own, *(service["spec"] for service in store.all(kind_named("Service")))]
    taken = {port.get("nodePort") for spec in specs for port in spec.get("ports", ())}
    first = zlib.crc32(name.encode())
    places = ((first + step) % len(_NODE_PORTS) for step in range(len(_NODE_PORTS)))
    return next(_NODE_PORTS[place] for place in places if _NODE_PORTS[place] not in taken)
