"""NetworkPolicies: which packets are dropped.

A pod that any policy selects for a direction gets through only what some of these policies allow. Semantics:
https://kubernetes.io/docs/concepts/services-networking/network-policies/
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import ip_address, ip_network
from typing import Any, Literal

from itbench.cluster.protocol import KubeObject
from itbench.cluster.selectors import Selector
from itbench.twin.objects import labels_of, namespace_of
from itbench.twin.wiring.view import Peer, View

Direction = Literal["Ingress", "Egress"]
DNS_PORT = 53


def blocking(view: View, caller: Peer, callee: Peer, port: int) -> tuple[Direction, tuple[KubeObject, ...]] | None:
    """The policies that together drop a connection to a port, at its caller or at its callee; None if it gets through."""
    out = _isolating(view, caller, "Egress")
    if out and not any(_allows(view, policy, "Egress", callee, port) for policy in out):
        return "Egress", tuple(out)
    into = _isolating(view, callee, "Ingress")
    if into and not any(_allows(view, policy, "Ingress", caller, port) for policy in into):
        return "Ingress", tuple(into)
    return None


def blocking_names(view: View, caller: Peer) -> tuple[KubeObject, ...]:
    """The policies that together keep a pod from asking the cluster's DNS; none if it may."""
    out = _isolating(view, caller, "Egress")
    servers = [pod for pod in view.all("Pod") if labels_of(pod).get("k8s-app") == "kube-dns"]
    dns = Peer(servers[0] if servers else _DNS_POD, None, running=True, ready=True, reachable=True, env={}, ports=None)
    allowed = any(_allows(view, policy, "Egress", dns, DNS_PORT, protocol="UDP") for policy in out)
    return () if allowed or not out else tuple(out)


_DNS_POD: KubeObject = {
    "kind": "Pod",
    "metadata": {"name": "coredns", "namespace": "kube-system", "labels": {"k8s-app": "kube-dns"}},
    "spec": {"containers": [{"name": "coredns"}]},
}


def _isolating(view: View, peer: Peer, direction: Direction) -> list[KubeObject]:
    found = []
    for policy in view.all("NetworkPolicy"):
        spec = policy.get("spec") or {}
        types = spec.get("policyTypes") or (["Ingress", "Egress"] if "egress" in spec else ["Ingress"])
        if namespace_of(policy) != peer.namespace or direction not in types:
            continue
        if Selector.of(spec.get("podSelector") or {}).matches(peer.labels):
            found.append(policy)
    return found


def _allows(view: View, policy: KubeObject, direction: Direction, other: Peer, port: int, protocol: str = "TCP") -> bool:
    spec = policy["spec"]
    rules = spec.get("ingress" if direction == "Ingress" else "egress") or ()
    peers = "from" if direction == "Ingress" else "to"
    return any(
        _fits_port(rule.get("ports") or (), port, protocol, other)
        and (not rule.get(peers) or any(_fits_peer(view, policy, peer, other) for peer in rule[peers]))
        for rule in rules
    )


def _fits_port(ports: Sequence[Mapping[str, Any]], port: int, protocol: str, other: Peer) -> bool:
    if not ports:
        return True
    for entry in ports:
        if (entry.get("protocol") or "TCP") != protocol:
            continue
        wanted = entry.get("port")
        if wanted is None:
            return True
        if isinstance(wanted, str):
            declared = other.pod["spec"]["containers"][0].get("ports") or ()
            wanted = next((item["containerPort"] for item in declared if item.get("name") == wanted), None)
        if wanted is not None and int(wanted) <= port <= int(entry.get("endPort") or wanted):
            return True
    return False


def _fits_peer(view: View, policy: KubeObject, peer: Mapping[str, Any], other: Peer) -> bool:
    if "ipBlock" in peer:
        return _fits_block(peer["ipBlock"], (other.pod.get("status") or {}).get("podIP"))
    if "namespaceSelector" in peer:
        namespace = view.get("Namespace", "", other.namespace)
        labels = {"kubernetes.io/metadata.name": other.namespace, **(labels_of(namespace) if namespace else {})}
        if not Selector.of(peer["namespaceSelector"] or {}).matches(labels):
            return False
    elif other.namespace != namespace_of(policy):
        return False
    return "podSelector" not in peer or Selector.of(peer["podSelector"] or {}).matches(other.labels)


def _fits_block(block: Mapping[str, Any], address: str | None) -> bool:
    if address is None:
        return False
    try:
        inside = ip_address(address) in ip_network(block["cidr"], strict=False)
        return inside and not any(
            ip_address(address) in ip_network(part, strict=False) for part in block.get("except") or ()
        )
    except ValueError:
        return False
