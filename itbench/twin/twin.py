"""The twin: a cluster in memory whose controllers, scheduler and kubelets run in simulated time.

    twin = Twin(seed=7)
    twin.cluster.apply(manifest)
    twin.advance(30)
    twin.cluster.get(ObjectRef.parse("deployment/web", "shop"))

Changes go through `twin.cluster` at any moment, as to any cluster; what follows from them happens as time advances.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from itbench.cluster.identities import HashedIdentities
from itbench.cluster.memory import MemoryCluster
from itbench.cluster.protocol import KubeObject, WatchEvent
from itbench.twin.admission import gatekeepers
from itbench.twin.base import base_objects, node
from itbench.twin.chaos.daemon import Daemon
from itbench.twin.chaos.experiments import ExperimentController
from itbench.twin.chaos.schedules import ScheduleController
from itbench.twin.clock import Clock
from itbench.twin.control.controller import Controller, World
from itbench.twin.control.cronjobs import CronJobController
from itbench.twin.control.daemonsets import DaemonSetController
from itbench.twin.control.deployments import DeploymentController
from itbench.twin.control.disruption import DisruptionController
from itbench.twin.control.endpoints import EndpointSliceController
from itbench.twin.control.garbage import GarbageCollector
from itbench.twin.control.horizontal import HorizontalController, MetricsSource, NoMetrics
from itbench.twin.control.jobs import JobController
from itbench.twin.control.namespaces import NamespaceController, ServiceAccountController
from itbench.twin.control.nodes import NodeController, TaintEvictionController
from itbench.twin.control.quotas import QuotaController
from itbench.twin.control.replicasets import ReplicaSetController
from itbench.twin.control.statefulsets import StatefulSetController
from itbench.twin.control.store import Store
from itbench.twin.control.volumes import VolumeController
from itbench.twin.kubelet.images import Registry, StockedRegistry
from itbench.twin.kubelet.kubelet import Kubelets
from itbench.twin.randomness import Streams
from itbench.twin.scheduling.scheduler import Scheduler
from itbench.twin.workload.process import KnownPrograms, Programs

_CONTROLLERS: tuple[Callable[[World], Controller], ...] = (
    ServiceAccountController,
    NamespaceController,
    GarbageCollector,
    DeploymentController,
    ReplicaSetController,
    StatefulSetController,
    DaemonSetController,
    JobController,
    CronJobController,
    EndpointSliceController,
    QuotaController,
    DisruptionController,
    VolumeController,
    NodeController,
    TaintEvictionController,
    Scheduler,
    ScheduleController,
)


class Twin:
    """A simulated cluster.

    Args:
        seed: everything random follows from it; equal seeds give equal worlds.
        clock: the time; a new one begins at its epoch.
        programs: what containers run; by default servers that only exist.
        registry: where images come from; by default it has the images that are present.
        present: the images that nodes have from the start.
        metrics: what autoscalers see; by default there is no metrics server.
        nodes: Node objects.
        objects: what else the cluster has from the start.

    Attributes:
        cluster: the API.
        clock: the simulated time.
        store: the same objects to be read without copying.
        kubelets: what runs the pods.
    """

    def __init__(
        self,
        *,
        seed: int = 0,
        clock: Clock | None = None,
        programs: Programs | None = None,
        registry: Registry | None = None,
        present: Iterable[str] = (),
        metrics: MetricsSource | None = None,
        nodes: Iterable[Mapping[str, object]] | None = None,
        objects: Iterable[Mapping[str, object]] | None = None,
    ) -> None:
        self.clock = clock or Clock()
        self.store = Store()
        images = tuple(present)
        self.cluster = MemoryCluster(self.clock.moment, HashedIdentities(seed), self._logs, "kubectl")
        world = World(self.cluster, self.store, self.clock, Streams(seed))
        self.kubelets = Kubelets(world, programs or KnownPrograms({}), registry or StockedRegistry(images), images)
        self._listeners: list[Callable[[WatchEvent], None]] = [
            controller.notice
            for controller in (
                *(make(world) for make in _CONTROLLERS),
                HorizontalController(world, metrics or NoMetrics()),
                ExperimentController(world, Daemon(world, self.kubelets)),
            )
        ]
        self.cluster.subscribe(self._notice)
        for gatekeeper in gatekeepers(self.store):
            self.cluster.admit_by(gatekeeper)
        for obj in (*base_objects(), *(nodes if nodes is not None else [node("node-1")]), *(objects or ())):
            self.cluster.create(obj)
        self.advance(0.1)

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.run_until(self.clock.now + seconds)

    def run_until(self, time: float) -> None:
        """Let time pass until second `time` of the clock."""
        self.clock.run_until(time)

    def _notice(self, event: WatchEvent) -> None:
        if event.type == "DELETED":
            self.store.drop(event.object)
        else:
            self.store.put(event.object)
        self.kubelets.notice(event)
        for listener in self._listeners:
            listener(event)

    def _logs(self, pod: KubeObject, container: str, *, tail: int | None, previous: bool) -> str:
        return self.kubelets.logs(pod, container, tail=tail, previous=previous)
