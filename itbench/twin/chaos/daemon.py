"""What the controller and the daemon on each node do to pods, as far as Kubernetes notices it.

What happens to traffic, processor time and requests follows from the experiments themselves (`itbench.twin.wiring`).
"""

from __future__ import annotations

from itbench.cluster.protocol import KubeObject
from itbench.cluster.quantity import quantity
from itbench.cluster.reference import ObjectRef
from itbench.model.errors import NotFoundError
from itbench.twin.chaos.terms import SELF, action_of, memory_stress, number_of, seconds_of, spec_of, stressor_of
from itbench.twin.control.controller import World
from itbench.twin.control.store import Store
from itbench.twin.kubelet.containers import Container
from itbench.twin.kubelet.kubelet import Kubelets
from itbench.twin.objects import annotations_of, is_finished, name_of, node_of
from itbench.twin.quantities import container_limit
from itbench.twin.workload.process import KILLED

PAUSE_IMAGE = "gcr.io/google-containers/pause:latest"
_LONGEST_KEY = 63
# Of a node that does not say.
_NODE_BYTES = 16.0 * 2**30
# A worker starts in half a second and then fills a GiB a second.
_START_SECONDS, _BYTES_A_SECOND = 0.5, 2.0**30
_IN_POD_NETWORK = frozenset({"NetworkChaos", "HTTPChaos"})


class Daemon:
    """Acts on pods for experiments.

    Args:
        world: where the pods are.
        kubelets: run them.
    """

    def __init__(self, world: World, kubelets: Kubelets) -> None:
        self._store = world.store
        self._clock = world.clock
        self._cluster = world.cluster.acting_as("chaos-controller-manager")
        self._kubelets = kubelets

    def apply(self, experiment: KubeObject, selector: str, target: str) -> bool:
        """Put an experiment on a target, `namespace/pod` or `namespace/pod/container`.

        Returns:
            Whether that could be done; a container that does not run, or a pod without a network, takes nothing.
        """
        pod, container = self._find(target)
        if pod is None:
            return False
        kind, action = experiment["kind"], action_of(experiment)
        if kind in _IN_POD_NETWORK:
            return selector != SELF or bool((pod.get("status") or {}).get("podIP"))
        if (kind, action) == ("PodChaos", "pod-failure"):
            self._replace_images(experiment, pod)
            return True
        if (kind, action) == ("PodChaos", "pod-kill"):
            grace = int(number_of(spec_of(experiment).get("gracePeriod")))
            self._cluster.delete(ObjectRef.of(pod), grace)
            return True
        if container is None or not container.running:
            return False
        if (kind, action) == ("PodChaos", "container-kill"):
            self._end(pod, container, out_of_memory=False)
        elif kind == "StressChaos":
            self._fill_memory(experiment, pod, container)
        return True

    def recover(self, experiment: KubeObject, target: str) -> None:
        """Take an experiment off a target; from one that is gone there is nothing to take."""
        pod, _ = self._find(target)
        if pod is not None and (experiment["kind"], action_of(experiment)) == ("PodChaos", "pod-failure"):
            self._restore_images(experiment, pod)

    def _find(self, target: str) -> tuple[KubeObject | None, Container | None]:
        namespace, name, *container = target.split("/")
        pod = self._store.get("Pod", (namespace, name))
        if pod is None or is_finished(pod):
            return None, None
        worker = self._kubelets.worker(pod)
        if worker is None or not container:
            return pod, None
        return pod, next((item for item in worker.state if item.name == container[0]), None)

    def _replace_images(self, experiment: KubeObject, pod: KubeObject) -> None:
        """Every container gets the image of a program that only waits; its own is noted in an annotation."""
        notes: dict[str, str] = {}
        parts: dict[str, list[KubeObject]] = {}
        for field, kind in (("containers", "normal"), ("initContainers", "init")):
            for container in pod["spec"].get(field) or ():
                key = _note(experiment, f"{container['name']}-{kind}")
                if key not in annotations_of(pod):
                    notes[key] = container["image"]
                    parts.setdefault(field, []).append({"name": container["name"], "image": PAUSE_IMAGE})
        if notes:
            self._cluster.patch(ObjectRef.of(pod), {"metadata": {"annotations": notes}, "spec": parts}, "strategic")

    def _restore_images(self, experiment: KubeObject, pod: KubeObject) -> None:
        notes: dict[str, None] = {}
        parts: dict[str, list[KubeObject]] = {}
        for field, kind in (("containers", "normal"), ("initContainers", "init")):
            for container in pod["spec"].get(field) or ():
                key = _note(experiment, f"{container['name']}-{kind}")
                image = annotations_of(pod).get(key)
                if image is not None:
                    notes[key] = None
                    parts.setdefault(field, []).append({"name": container["name"], "image": image})
        if notes:
            try:
                self._cluster.patch(ObjectRef.of(pod), {"metadata": {"annotations": notes}, "spec": parts}, "strategic")
            except NotFoundError:
                return

    def _fill_memory(self, experiment: KubeObject, pod: KubeObject, container: Container) -> None:
        """Let workers take memory beside a container's program; what is too much ends them all.

        The kernel kills the whole group of processes of a container (memory.oom.group), so that the kubelet sees an OOM
        kill. A container without a limit shares the memory of its node.
        """
        stressor, process = stressor_of(experiment, "memory"), container.process
        if not stressor or process is None:
            return
        total = memory_of_node(self._store, node_of(pod))
        wanted = memory_stress(experiment, total)
        limit = container_limit(container.spec, "memory")
        room = total - self._kubelets.memory_of_others(pod) if limit is None else limit
        over = process.memory(self._clock.now) + wanted - room
        if over <= 0:
            return
        workers = max(number_of(stressor.get("workers", 1)), 1.0)
        speed = _BYTES_A_SECOND * workers
        growth = seconds_of(stressor.get("time"))
        if growth:
            speed = min(speed, wanted / growth)
        due = self._clock.now + _START_SECONDS + max(wanted - over, 0.0) / speed

        def kill() -> None:
            current = self._store.get(experiment["kind"], (experiment["metadata"]["namespace"], name_of(experiment)))
            if current is not None and _still_runs(current) and container.process is process:
                self._end(pod, container, out_of_memory=True)

        self._clock.at(due, kill)

    def _end(self, pod: KubeObject, container: Container, *, out_of_memory: bool) -> None:
        worker = self._kubelets.worker(pod)
        if worker is not None:
            worker.end_container(container.name, KILLED, out_of_memory=out_of_memory)


def memory_of_node(store: Store, name: str | None) -> float:
    """Bytes of a node's memory."""
    node = store.get("Node", ("", name or ""))
    capacity = ((node or {}).get("status") or {}).get("capacity") or {}
    return float(quantity(capacity["memory"])) if "memory" in capacity else _NODE_BYTES


def _still_runs(experiment: KubeObject) -> bool:
    return ((experiment.get("status") or {}).get("experiment") or {}).get("desiredPhase") == "Run"


def _note(experiment: KubeObject, container: str) -> str:
    """The annotation that keeps a container's own image."""
    key = f"chaos-mesh-{name_of(experiment)}-{action_of(experiment)}-{container}-image"
    return key if len(key) <= _LONGEST_KEY else container
