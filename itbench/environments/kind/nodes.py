"""Several nodes: connecting the pods of one with those of another, where the node image does not do so itself, and waiting.

The image that is built here brings a plugin for the pods of one node. Each node gets its own range of addresses, and a
route to those of the others: nodes of kind share a network, so that nothing more is needed.
"""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Callable, Sequence

from itbench.bundled import bundled
from itbench.cluster.protocol import KubeObject
from itbench.cluster.server import ServerCluster
from itbench.environments.kind.engine import Engine
from itbench.model.errors import ClusterError
from itbench.twin.objects import name_of

PLUGINS = "/etc/cni/net.d"
"""Where container runtimes of nodes find how pods are connected. A node is not ready before something is there."""

_FILE = "10-pods.conflist"
_ALL_PODS = "10.244.0.0/16"  # kind's
_LOOK = 0.5


def connect_pods(engine: Engine, cluster: ServerCluster, seconds: float) -> None:
    """Connect the pods of all nodes.

    Args:
        engine: has the nodes as containers of the same names.
        cluster: that they are in.
        seconds: to wait at most until each has its range of addresses.

    Raises:
        ClusterError: a node gets no range, or a command fails in one.
    """
    nodes = _waited(cluster, seconds, "gets no addresses for pods", lambda node: bool(node["spec"].get("podCIDR")))
    for node in nodes:
        plugin = json.dumps(_plugin(node["spec"]["podCIDR"]))
        routes = [f"ip route replace {each['spec']['podCIDR']} via {_address(each)}" for each in nodes if each is not node]
        # Pods of other nodes are spoken to by one's own address, which network policies ask for; only the world is not.
        rule = f"POSTROUTING -s {_ALL_PODS} ! -d {_ALL_PODS} -j MASQUERADE"
        script = [
            f"printf %s {shlex.quote(plugin)} > {PLUGINS}/.new && mv {PLUGINS}/.new {PLUGINS}/{_FILE}",
            *routes,
            f"iptables -t nat -C {rule} 2>/dev/null || iptables -t nat -A {rule}",
        ]
        engine.execute(name_of(node), ["sh", "-ec", "\n".join(script)])


def wait_for_nodes(cluster: ServerCluster, seconds: float) -> None:
    """Wait until all nodes are ready.

    Raises:
        ClusterError: one is not; says which.
    """
    _waited(cluster, seconds, "is not ready", _is_ready)


def _waited(cluster: ServerCluster, seconds: float, lack: str, holds: Callable[[KubeObject], bool]) -> Sequence[KubeObject]:
    end = time.monotonic() + seconds
    while True:
        nodes = cluster.list("Node")
        late = [name_of(node) for node in nodes if not holds(node)]
        if not late:
            return nodes
        if time.monotonic() > end:
            raise ClusterError(f"node {late[0]} {lack} within {seconds:.0f} s")
        time.sleep(_LOOK)


def _plugin(addresses: str) -> KubeObject:
    """How the pods of a node are connected: as the image has it, with the node's own range."""
    path = bundled("environments") / "kind" / "node" / "files" / _FILE
    config: KubeObject = json.loads(path.read_text(encoding="utf-8"))
    first = config["plugins"][0]
    first["ipMasq"] = False
    first["ipam"]["ranges"] = [[{"subnet": addresses}]]
    return config


def _address(node: KubeObject) -> str:
    return next(str(each["address"]) for each in node["status"]["addresses"] if each["type"] == "InternalIP")


def _is_ready(node: KubeObject) -> bool:
    conditions = (node.get("status") or {}).get("conditions") or ()
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
