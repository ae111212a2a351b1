"""An application on a twin: the control plane and the flow of requests, in step.

shop = RunningApplication(load_application("otel-demo"), seed=7)
flows = shop.advance(600)
shop.twin.cluster.scale(ObjectRef.parse("deployment/cart", "otel-demo"), 0)
flows += shop.advance(600)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from itbench.cluster.protocol import KubeObject, WatchEvent
from itbench.faults.images import IMAGES
from itbench.twin.app.application import Application
from itbench.twin.app.objects import manifests
from itbench.twin.app.programs import ApplicationPrograms, ServiceProcess
from itbench.twin.base import control_plane, node
from itbench.twin.clock import EPOCH, Clock
from itbench.twin.control.horizontal import PERIOD
from itbench.twin.flow.flow import Flow
from itbench.twin.flow.graph import compile_graph
from itbench.twin.flow.solver import Solver
from itbench.twin.flow.state import State
from itbench.twin.kubelet.images import Registry, StockedRegistry
from itbench.twin.metering import Meter
from itbench.twin.twin import Twin
from itbench.twin.wiring.addresses import find, is_address, split_address
from itbench.twin.wiring.view import View
from itbench.twin.wiring.wiring import Wiring
from itbench.twin.workload.behaviour import image_behaviours, images_in, learnt
from itbench.twin.workload.process import KILLED, KnownPrograms

SETTLE_SECONDS = 60.0
"""How long an application has to become healthy before second 0."""

# What else lives in the cluster: Chaos Mesh has its experiments in a namespace of its own.
_INSTALLED: tuple[KubeObject, ...] = ({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "chaos-mesh"}},)

# What happens to these bears on no traffic.
_BESIDE = frozenset({"Event", "Lease", "ReplicaSet", "Job", "CronJob", "PodDisruptionBudget", "HorizontalPodAutoscaler"})


class RunningApplication:
    """An application that runs; its clock stands at second 0 and everything is up.

    Args:
        application: what runs.
        seed: everything random follows from it.
        tick: seconds of the flow's ticks.
        nodes: Node objects; by default three of 4 cores each, and one for the control plane.
        registry: where images come from; by default there are those of the application, which the nodes have, and those of
            environments/images.yaml.
        epoch: the moment that second 0 stands for.
        daytime: seconds since midnight (UTC) at second 0, for the daily pattern of the load; by default the epoch's.

    Attributes:
        twin: the cluster, open to changes at any moment.
        graph: of the calls.
        tick: seconds of the flow's ticks.
        passing: lets the cluster's time pass to a second of its clock, tick by tick; by default at once. Who replaces it
            can wait meanwhile, and let others change the cluster; it must arrive.
    """

    def __init__(
        self,
        application: Application,
        *,
        seed: int = 0,
        tick: float = 5.0,
        nodes: Sequence[Mapping[str, object]] | None = None,
        registry: Registry | None = None,
        epoch: datetime = EPOCH,
        daytime: float | None = None,
    ) -> None:
        self.graph = compile_graph(application)
        clock = Clock(epoch, start=-SETTLE_SECONDS)
        self._meter = Meter(clock, lambda: self.twin.store, self._leaked)
        objects = manifests(application)
        system = [] if nodes else control_plane()
        workers = nodes or [node(f"node-{number}", cpu="4", memory="16Gi") for number in (1, 2, 3)]
        images = image_behaviours()
        others = KnownPrograms(learnt(images, objects))
        self.twin = Twin(
            seed=seed,
            clock=clock,
            programs=ApplicationPrograms(application, others, self._exists),
            registry=registry or StockedRegistry(images_in(objects) | IMAGES, images),
            present=images_in([*objects, *system]),
            metrics=self._meter,
            nodes=[*workers, *system[:1]],
        )
        for pod in system[1:]:
            self.twin.cluster.acting_as("kubelet").create(pod)
        self._apply([*_INSTALLED, *objects])
        self.twin.run_until(0.0)
        self.tick = tick
        self.passing: Callable[[float], None] = self.twin.run_until
        self._number = 0
        self._wiring = Wiring(self.graph, images)
        midnight = clock.epoch.replace(hour=0, minute=0, second=0, microsecond=0)
        daytime = (clock.epoch - midnight).total_seconds() if daytime is None else daytime
        self._solver = Solver(self.graph, tick, daytime)
        self._state: State | None = None
        self._lasts_until = 0.0
        self._leaking: set[str] = set()
        self.twin.cluster.subscribe(self._notice)
        self._now()

    def advance(self, seconds: float) -> list[Flow]:
        """Let time pass, in whole ticks, and solve the flow of requests meanwhile."""
        ticks = round(seconds / self.tick)
        # Autoscalers look at what pods use; without them nothing in the cluster waits for the flow.
        size = max(round(PERIOD / self.tick), 1) if self.twin.store.list("HorizontalPodAutoscaler") else max(ticks, 1)
        return [flow for done in range(0, ticks, size) for flow in self._advance(min(size, ticks - done))]

    def _advance(self, ticks: int) -> list[Flow]:
        stretches: list[_Stretch] = []
        for _ in range(ticks):
            state = self._now()
            if not stretches or stretches[-1].state != state:
                stretches.append(_Stretch(state, self._number, 0))
            stretches[-1].ticks += 1
            self._grow(state)
            self._number += 1
            self.passing(self._number * self.tick)
        flows = [flow for part in stretches for flow in self._solver.solve(part.state, part.first, part.ticks)]
        self._meter.observe(flows[-1])
        return flows

    def _leaked(self, pod: KubeObject) -> float:
        """Bytes that the programs of a pod have leaked."""
        worker = self.twin.kubelets.worker(pod)
        processes = [container.process for container in worker.state.apps] if worker is not None else []
        return sum(item.leaked(self.twin.clock.now) for item in processes if isinstance(item, ServiceProcess))

    def _grow(self, state: State) -> None:
        """Let programs leak as the state says; the kernel ends those that outgrow their limit."""
        leaks = {name: service.leak for name, service in zip(self.graph.services, state.services, strict=True)}
        leaking = {name for name, rate in leaks.items() if rate > 0}
        for worker in self.twin.kubelets.workers(self.graph.application.namespace) if leaking | self._leaking else ():
            for container in worker.state.apps:
                if container.name in leaks and isinstance(container.process, ServiceProcess):
                    container.process.leak(leaks[container.name], self.twin.clock.now)
                    if container.process.outgrown(self.twin.clock.now):
                        worker.end_container(container.name, KILLED, out_of_memory=True)
        self._leaking = leaking

    def _exists(self, address: str, names: bool) -> bool:
        """Whether an address leads to a port of a Service, ready or not; who lacks `names` has only numbers."""
        host, port = split_address(address, 0)
        if not (names or is_address(host)):
            return False
        view = View(self.twin.store, self.twin.clock.now)
        return find(view, {}, host, port, self.graph.application.namespace).trouble in (None, "no endpoints")

    def _now(self) -> State:
        """What traffic meets now; read anew if something may have changed it."""
        now = self.twin.clock.now
        if self._state is None or now >= self._lasts_until:
            if self._state is None or not self._wiring.holds(self.twin.store, now):
                self._state = self._wiring.state(self.twin.store, now)
            self._lasts_until = self._wiring.lasts_until(now)
        return self._state

    def _notice(self, event: WatchEvent) -> None:
        if event.object["kind"] not in _BESIDE:
            self._state = None

    def _apply(self, objects: Iterable[KubeObject]) -> None:
        kubectl = self.twin.cluster.acting_as("helm")
        for obj in objects:
            kubectl.apply(obj)
            if obj["kind"] == "Namespace":
                self.twin.advance(0.1)


@dataclass(slots=True)
class _Stretch:
    """Consecutive ticks under one state."""

    state: State
    first: int
    ticks: int
