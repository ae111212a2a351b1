"""The kubelets of all nodes: each pod that has a node gets a worker there."""

from __future__ import annotations

from collections.abc import Iterable

from itbench.cluster.protocol import KubeObject, WatchEvent
from itbench.twin.control.controller import World
from itbench.twin.control.events import Recorder
from itbench.twin.kubelet.host import Host
from itbench.twin.kubelet.images import ImageStore, Registry
from itbench.twin.kubelet.worker import PodWorker
from itbench.twin.objects import name_of, namespace_of, node_of, uid_of
from itbench.twin.workload.process import Programs


class Kubelets:
    """Runs the pods of every node.

    Args:
        world: where they act.
        programs: what containers run.
        registry: where images come from.
        present: the images that every node has.
    """

    def __init__(self, world: World, programs: Programs, registry: Registry, present: Iterable[str]) -> None:
        self._world = world
        self._programs = programs
        self._registry = registry
        self._present = frozenset(present)
        self._hosts: dict[str, Host] = {}
        self._cordoned: dict[str, bool] = {}
        self._workers: dict[str, PodWorker] = {}

    def notice(self, event: WatchEvent) -> None:
        """Take note of a change of a pod."""
        pod = event.object
        if pod["kind"] == "Node":
            self._notice_node(pod)
            return
        if pod["kind"] != "Pod":
            return
        worker = self._workers.get(uid_of(pod))
        if event.type == "DELETED":
            if worker is not None:
                worker.close()
                worker.host.release(pod)
                del self._workers[uid_of(pod)]
        elif worker is not None:
            worker.update(pod)
        else:
            host = self._hosts.get(node_of(pod) or "")
            if host is not None:
                self._workers[uid_of(pod)] = PodWorker(host, pod)

    def worker(self, pod: KubeObject) -> PodWorker | None:
        """What runs a pod; None where nothing does."""
        return self._workers.get(uid_of(pod))

    def workers(self, namespace: str) -> list[PodWorker]:
        """What runs the pods of a namespace."""
        return [worker for worker in self._workers.values() if namespace_of(worker.pod) == namespace]

    def memory_of_others(self, pod: KubeObject) -> float:
        """Bytes that the other pods of a pod's node hold by themselves."""
        now = self._world.clock.now
        return sum(
            worker.memory(now)
            for uid, worker in self._workers.items()
            if uid != uid_of(pod) and node_of(worker.pod) == node_of(pod)
        )

    def logs(self, pod: KubeObject, container: str, *, tail: int | None, previous: bool) -> str:
        """What a container printed."""
        worker = self.worker(pod)
        lines = [] if worker is None else worker.lines(container, previous=previous)
        shown = lines if tail is None else lines[max(0, len(lines) - tail) :]
        return "".join(f"{line}\n" for line in shown)

    def _notice_node(self, node: KubeObject) -> None:
        name = name_of(node)
        cordoned = bool(node["spec"].get("unschedulable"))
        if name in self._hosts:
            if cordoned != self._cordoned[name]:
                reason = "NodeNotSchedulable" if cordoned else "NodeSchedulable"
                self._hosts[name].recorder.normal(node, reason, f"Node {name} status is now: {reason}")
            self._cordoned[name] = cordoned
            return
        self._cordoned[name] = cordoned
        world = self._world
        addresses = (node.get("status") or {}).get("addresses") or ()
        index = len(self._hosts)
        ip = next((item["address"] for item in addresses if item["type"] == "InternalIP"), f"172.18.0.{index + 2}")
        self._hosts[name] = Host(
            cluster=world.cluster.acting_as("kubelet"),
            store=world.store,
            clock=world.clock,
            streams=world.streams,
            recorder=Recorder(world.cluster, world.clock, "kubelet", name),
            images=ImageStore(self._registry, self._present | _images(node), _architecture(node)),
            programs=self._programs,
            index=index,
            ip=str(ip),
        )


def _images(node: KubeObject) -> frozenset[str]:
    """The images that a node says it has."""
    return frozenset(name for item in (node.get("status") or {}).get("images") or () for name in item.get("names") or ())


def _architecture(node: KubeObject) -> str:
    """What a node says of its processor."""
    return str(((node.get("status") or {}).get("nodeInfo") or {}).get("architecture") or "amd64")
