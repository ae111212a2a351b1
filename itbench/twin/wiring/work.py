"""What services can do: processors and memory, settings, feature flags and chaos inside their pods."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from itbench.cluster.quantity import quantity
from itbench.cluster.reference import ObjectRef
from itbench.twin.app.application import Application
from itbench.twin.app.programs import setting
from itbench.twin.app.routes import Route, RouteName
from itbench.twin.app.services import Service
from itbench.twin.chaos.terms import memory_stress, number_of, percent_of, seconds_of, stressor_of
from itbench.twin.flow.state import Cause, Failure, Kind, RouteState, ServiceState, Slowness
from itbench.twin.wiring.chaos import Experiment
from itbench.twin.wiring.flags import Active
from itbench.twin.wiring.mesh import MODE, denying, in_mesh
from itbench.twin.wiring.peers import Peers
from itbench.twin.wiring.processors import Processors, shared
from itbench.twin.wiring.view import Peer, View
from itbench.twin.workload.behaviour import ImageBehaviour

# Of a service without pods.
_NODE_CORES = 4.0
# A JVM whose heap is full collects all the time: so many cores, so long until a request gets on, so many of which fail.
_COLLECTING, _HEAP_PAUSE, _HEAP_FAILURES = 3.0, 0.8, 0.5
# The kernel lets a thread run so long before it is another one's turn (base slice of its scheduler).
_SLICE = 0.003
_HEAP_TEXT = "java.lang.OutOfMemoryError: Java heap space"
_METHOD = re.compile(r"(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS)\b")


@dataclass(frozen=True)
class Work:
    """The inside of the services.

    Attributes:
        view: of the cluster.
        peers: its pods.
        chaos: the experiments that act.
        effects: of feature flags that are on.
        images: what is known of the programs in other pods.
    """

    application: Application
    view: View
    peers: Peers
    chaos: Sequence[Experiment]
    effects: Sequence[Active]
    images: Mapping[str, ImageBehaviour] = field(default_factory=dict)

    def service(self, name: str) -> ServiceState:
        """What a service has to work with."""
        body = self.application.services[name]
        pods = self._pods(name)
        running = [peer for peer in pods if peer.running]
        serving = running if body.port is None else [peer for peer in running if peer.ready]
        some = serving or running
        shares = [self._share(peer, body) for peer in some]
        effects = [item for item in self.effects if item.effect.service == name]
        return ServiceState(
            running=len(running),
            serving=len(serving),
            cores=_mean([cores for cores, _ in shares], _NODE_CORES),
            base_memory=_mean([self._memory(peer, body) for peer in some], body.memory.base),
            busy=_mean([busy for _, busy in shares], 0.0),
            leak=sum(item.value * (item.effect.leak or 0.0) for item in effects)
            + _mean([_setting(peer, body, "leak", body.memory.leak) + peer.growth for peer in some], body.memory.leak),
            observed=self._observed(some),
        )

    def route(self, name: RouteName) -> RouteState:
        """How a route differs from its description."""
        body = self.application.services[name.service]
        route = body.routes[name.route]
        pods = [peer for peer in self._pods(name.service) if peer.running]
        pods = [peer for peer in pods if peer.ready] or pods
        effects = [
            item for item in self.effects if item.effect.service == name.service and item.effect.route in (None, name.route)
        ]
        traffic = 1.0 + sum(item.value * (item.effect.traffic or 0.0) for item in effects)
        return RouteState(
            failures=_merged((*self._failures(name, body, pods), *_flag_failures(effects))),
            delays=(*self._delays(name, body, route, pods), *_flag_delays(effects)),
            cpu=_mean([_setting(peer, body, "cpu", route.cpu) for peer in pods], route.cpu)
            - route.cpu
            + sum(item.value * (item.effect.cpu or 0.0) for item in effects),
            traffic=traffic,
        )

    def _pods(self, service: str) -> list[Peer]:
        return [peer for peer in self.peers.values() if peer.service == service]

    def _memory(self, peer: Peer, body: Service) -> float:
        """Bytes after the start, with those that a stressor takes."""
        total = _setting(peer, body, "memory", body.memory.base)
        node = self.view.get("Node", "", peer.pod["spec"].get("nodeName") or "")
        capacity = ((node or {}).get("status") or {}).get("capacity") or {}
        machine = float(quantity(capacity.get("memory", 0)))
        return total + sum(memory_stress(item.obj, machine) for item in self._acting("StressChaos", peer))

    @cached_property
    def _processors(self) -> Processors:
        taken = {key: self._taken(peer) for key, peer in self.peers.items() if peer.service is not None}
        return Processors(self.view, self.peers.values(), taken, self.images)

    def _taken(self, peer: Peer) -> float:
        """Processor that feature flags and stressors want in a pod, beside its requests."""
        cores = sum(item.value * (item.effect.cores or 0.0) for item in self.effects if item.effect.service == peer.service)
        for experiment in self._acting("StressChaos", peer):
            stressor = stressor_of(experiment.obj, "cpu")
            cores += number_of(stressor.get("workers")) * number_of(stressor.get("load", 100)) / 100
        for experiment in self._acting("JVMChaos", peer):
            cores += number_of(experiment.spec.get("cpuCount")) + (_COLLECTING if fills_heap(experiment) else 0.0)
        return cores

    def _share(self, peer: Peer, body: Service) -> tuple[float, float]:
        """Processor that a pod can use, and how much of that goes to what runs beside its program."""
        cores, taken = self._processors.cores(peer), self._taken(peer)
        own = shared(cores, taken)
        return min(own, body.threads or own) + cores - own, cores - own

    def _queueing(self, peer: Peer) -> Iterator[Slowness]:
        """How long a thread that wakes up waits for its turn, if others want all processors all the time."""
        cores, taken = self._processors.cores(peer), self._taken(peer)
        if taken <= cores:
            return
        for experiment in self._acting("StressChaos", peer):
            seconds = _SLICE * taken / cores
            yield Slowness(seconds, Cause("CPU stress", peer.service or "", None, experiment.refs), seconds / 2)

    def _acting(self, kind: str, peer: Peer) -> Iterator[Experiment]:
        return (experiment for experiment in self.chaos if experiment.kind == kind and experiment.takes(peer))

    def _observed(self, pods: Sequence[Peer]) -> bool:
        """An application of a mesh is seen through it; others tell of themselves."""
        if MODE not in self.application.namespace_labels:
            return True
        return any(in_mesh(self.view, peer) for peer in pods)

    def _failures(self, name: RouteName, body: Service, pods: Sequence[Peer]) -> Iterator[Failure]:
        found = _METHOD.match(name.route)
        method = found[1] if found else None
        for peer in pods:
            part = 1 / len(pods)
            policy = denying(self.view, peer, method)
            if policy is not None:
                cause = Cause(
                    "authorization policy", name.service, None, (ObjectRef.of(policy),), "RBAC: access denied", status=403
                )
                yield Failure(Kind.STATUS, part, 0.0, cause)
            for experiment in self._acting("HTTPChaos", peer):
                yield from _http_failure(experiment, name, part)
            for experiment in self._acting("JVMChaos", peer):
                if fills_heap(experiment):
                    cause = Cause("JVM chaos", name.service, None, experiment.refs, text=_HEAP_TEXT)
                    yield Failure(Kind.STATUS, part * _HEAP_FAILURES, 0.0, cause)
                if experiment.action in ("return", "exception") or _rule_breaks(experiment):
                    cause = Cause("JVM chaos", name.service, None, experiment.refs, text="java.lang.NullPointerException")
                    yield Failure(Kind.STATUS, part, 0.0, cause)
            for experiment in self._acting("IOChaos", peer):
                if experiment.action == "fault":
                    share = part * _percent(experiment)
                    cause = Cause("IO chaos", name.service, None, experiment.refs, text="Input/output error")
                    yield Failure(Kind.STATUS, share, 0.0, cause)
            yield from self._setting_failures(name, body, peer, part)

    def _setting_failures(self, name: RouteName, body: Service, peer: Peer, part: float) -> Iterator[Failure]:
        share = min(_setting(peer, body, "failures", 0.0), 1.0)
        if share > 0:
            text = next((known.text for known in body.settings.values() if known.sets == "failures"), None)
            yield Failure(Kind.STATUS, part * share, 0.0, self._setting_cause(name.service, peer, text))

    def _delays(self, name: RouteName, body: Service, route: Route, pods: Sequence[Peer]) -> Iterator[Slowness]:
        for peer in pods:
            part = 1 / len(pods)
            extra = _setting(peer, body, "latency", route.latency.p50) - route.latency.p50
            if extra:
                yield Slowness(part * extra, self._setting_cause(name.service, peer), part * abs(extra) * 0.05)
            for wait in self._queueing(peer):
                yield Slowness(part * wait.seconds, wait.cause, part * wait.jitter)
            for experiment in self._acting("HTTPChaos", peer):
                seconds = seconds_of(experiment.spec.get("delay"))
                if seconds and _takes_route(experiment, name):
                    yield Slowness(part * seconds, Cause("HTTP chaos", name.service, None, experiment.refs))
            for experiment in self._acting("JVMChaos", peer):
                seconds = number_of(experiment.spec.get("latency")) / 1000 if experiment.action == "latency" else 0.0
                seconds += _HEAP_PAUSE if fills_heap(experiment) else 0.0
                if seconds:
                    yield Slowness(part * seconds, Cause("JVM chaos", name.service, None, experiment.refs))
            for experiment in self._acting("IOChaos", peer):
                seconds = seconds_of(experiment.spec.get("delay")) if experiment.action == "latency" else 0.0
                if seconds:
                    share = part * _percent(experiment)
                    cause = Cause("IO chaos", name.service, None, experiment.refs)
                    yield Slowness(share * seconds, cause, share**0.5 * seconds)

    def _setting_cause(self, service: str, peer: Peer, text: str | None = None) -> Cause:
        workload = self.view.workload(peer.pod)
        return Cause("setting", service, None, () if workload is None else (workload,), text)


def _merged(failures: Iterable[Failure]) -> tuple[Failure, ...]:
    """Failures of the single pods as failures of the service."""
    shares: dict[tuple[Kind, Cause], float] = defaultdict(float)
    for failure in failures:
        shares[failure.kind, failure.cause] += failure.share
    return tuple(Failure(kind, min(share, 1.0), 0.0, cause) for (kind, cause), share in shares.items())


def _http_failure(experiment: Experiment, name: RouteName, part: float) -> Iterator[Failure]:
    """What an HTTPChaos does to requests: breaks them off, or changes what is asked or answered."""
    if not _takes_route(experiment, name):
        return
    if experiment.spec.get("abort"):
        yield Failure(Kind.RESET, part, 0.0, Cause("HTTP chaos", name.service, None, experiment.refs))
    changes = [experiment.spec.get("replace") or {}, experiment.spec.get("patch") or {}]
    code = changes[0].get("code")
    if code is not None or any("body" in change for change in changes):
        status = int(number_of(code)) if code is not None else 400
        text = f"HTTP {status}"
        yield Failure(Kind.STATUS, part, 0.0, Cause("HTTP chaos", name.service, None, experiment.refs, text, status))


def _takes_route(experiment: Experiment, name: RouteName) -> bool:
    found = _METHOD.match(name.route)
    wanted = experiment.spec.get("method")
    path = str(experiment.spec.get("path") or "*").rstrip("*")
    own = name.route.partition(" ")[2] if found else "/" + name.route
    return (not wanted or found is None or wanted == found[1]) and own.startswith(path)


def fills_heap(experiment: Experiment) -> bool:
    """Whether a JVMChaos fills the heap of its process."""
    return experiment.action == "stress" and experiment.spec.get("memType") == "heap"


def _rule_breaks(experiment: Experiment) -> bool:
    """Whether a Byteman rule makes a method return something else or throw."""
    rule = str(experiment.spec.get("ruleData") or "")
    return experiment.action == "ruleData" and re.search(r"\b(return|throw)\b", rule) is not None


def _percent(experiment: Experiment) -> float:
    return percent_of(experiment.spec.get("percent", 100))


def _flag_failures(effects: Sequence[Active]) -> Iterator[Failure]:
    for item in effects:
        if item.effect.failures:
            yield Failure(Kind.STATUS, min(item.value * item.effect.failures, 1.0), 0.0, item.cause)


def _flag_delays(effects: Sequence[Active]) -> Iterator[Slowness]:
    for item in effects:
        if item.effect.latency:
            yield Slowness(item.value * item.effect.latency, item.cause)


def _setting(peer: Peer, body: Service, sets: str, default: float) -> float:
    """What the environment of a pod sets, or the default."""
    value = setting(body, peer.env, sets)
    return default if value is None else value


def _mean(values: Sequence[float], default: float) -> float:
    return sum(values) / len(values) if values else default
