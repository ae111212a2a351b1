"""What pods use, from the flow of requests through them: what a metrics server would tell autoscalers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from itbench.cluster.protocol import KubeObject
from itbench.cluster.reference import ObjectRef
from itbench.twin.clock import Clock
from itbench.twin.control.store import Store
from itbench.twin.flow.flow import Flow
from itbench.twin.objects import uid_of
from itbench.twin.wiring.view import View


class Meter:
    """Usage of pods as of the last solved tick; a MetricsSource.

    Args:
        clock: of the twin.
        store: gives the objects of the cluster, once there is one.
        leaked: bytes that the programs of a pod have leaked.
    """

    def __init__(self, clock: Clock, store: Callable[[], Store], leaked: Callable[[KubeObject], float]) -> None:
        self._clock = clock
        self._store = store
        self._leaked = leaked
        self._flow: Flow | None = None

    def observe(self, flow: Flow) -> None:
        """Take notice of a flow; its last tick is what counts."""
        self._flow = flow

    def usage(self, pods: Sequence[KubeObject], resource: str, container: str | None) -> Mapping[str, float]:  # noqa: ARG002  a MetricsSource
        """Cores or bytes by uid of the pod; those of other applications, and before the first tick all, are left out."""
        view = View(self._store(), self._clock.now)
        found = {uid_of(pod): self._of(pod, view.workload(pod), resource) for pod in pods}
        return {uid: value for uid, value in found.items() if value is not None}

    def _of(self, pod: KubeObject, workload: ObjectRef | None, resource: str) -> float | None:
        flow = self._flow
        if flow is None or workload is None or workload.name not in flow.graph.services:
            return None
        index = flow.graph.service_index(workload.name)
        if resource == "cpu":
            return cores_of(flow, -1, index)
        return memory_of(flow, -1, index) + self._leaked(pod)


def cores_of(flow: Flow, tick: int, service: int) -> float:
    """Processor that each pod of a service uses."""
    return float(flow.cores[tick, service]) + flow.state.services[service].busy


def memory_of(flow: Flow, tick: int, service: int) -> float:
    """Bytes that a pod of a service holds, besides what it has leaked: base, and requests in service."""
    state = flow.state.services[service]
    routes = flow.graph.application.services[flow.graph.services[service]].routes.values()
    each = sum(route.memory for route in routes) / len(routes)
    return state.base_memory + each * float(flow.in_service[tick, service])
