"""What services can do: processors and memory, settings, feature flags and chaos inside their pods."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from itbench.cluster.quantity import quantity
from itbench.cluster.reference import ObjectRef
from itbench.twin.app.application import Application
from itbench.twin.app.programs import setting
from itbench.twin.app.routes import Route, RouteName
from itbench.twin.app.services import Service
from itbench.twin.chaos.terms import memory_stress, number_of, percent_of, seconds_of
from itbench.twin.flow.state import Cause, Failure, Kind, RouteState, ServiceState, Slowness
from itbench.twin.wiring.chaos import Experiment
from itbench.twin.wiring.flags import Active
from itbench.twin.wiring.mesh import MODE, denying, in_mesh
from itbench.twin.wiring.peers import Peers
from itbench.twin.wiring.view import Peer, View, limit_of

# Cores of a node that nobody lists.
_NODE_CORES = 4.0
_METHOD = re.compile(r"(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS)\b")


@dataclass(frozen=True, slots=True)
class Work:
    """The inside of the services."""

    application: Application
    view: View
    peers: Peers
    chaos: Sequence[Experiment]
    effects: Sequence[Active]

    def service(self, name: str) -> ServiceState:
        """What a service has to work with."""
        body = self.application.services[name]
        pods = self._pods(name)
        running = [peer for peer in pods if peer.running]
        serving = running if body.port is None else [peer for peer in running if peer.ready]
        some = serving or running
        effects = [item for item in self.effects if item.effect.service == name]
        return ServiceState(
            running=len(running),
            serving=len(serving),
            cores=_mean([self._cores(peer) for peer in some], _NODE_CORES),
            base_memory=_mean([self._memory(peer, body) for peer in some], body.memory.base),
            busy=sum(item.value * (item.effect.cores or 0.0) for item in effects) + self._jvm_stress(some),
            leak=sum(item.value * (item.effect.leak or 0.0) for item in effects)
            + _mean([_setting(peer, body, "leak", body.memory.leak) for peer in some], body.memory.leak),
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

    def _cores(self, peer: Peer) -> float:
        """Processor that a pod's program can use, beside those who stress it.

        Threads of a container share its limit evenly: against w busy stressors a program gets one part of 1 + w.
        """
        cores = limit_of(peer.pod, "cpu") or self._node_cores(peer)
        stress = 0.0
        for experiment in self._acting("StressChaos", peer):
            stressor = (experiment.spec.get("stressors") or {}).get("cpu") or {}
            stress += number_of(stressor.get("workers")) * number_of(stressor.get("load", 100)) / 100
        return cores / (1 + stress)

    def _node_cores(self, peer: Peer) -> float:
        node = self.view.get("Node", "", peer.pod["spec"].get("nodeName") or "")
        allocatable = ((node or {}).get("status") or {}).get("allocatable") or {}
        return float(quantity(allocatable["cpu"])) if "cpu" in allocatable else _NODE_CORES

    def _memory(self, peer: Peer, body: Service) -> float:
        """Bytes after the start, with those that a stressor takes."""
        total = _setting(peer, body, "memory", body.memory.base)
        node = self.view.get("Node", "", peer.pod["spec"].get("nodeName") or "")
        capacity = ((node or {}).get("status") or {}).get("capacity") or {}
        machine = float(quantity(capacity.get("memory", 0)))
        return total + sum(memory_stress(item.obj, machine) for item in self._acting("StressChaos", peer))

    def _jvm_stress(self, pods: Sequence[Peer]) -> float:
        cores = [number_of(e.spec.get("cpuCount")) for peer in pods for e in self._acting("JVMChaos", peer)]
        return sum(cores) / max(len(pods), 1)

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
            for experiment in self._acting("HTTPChaos", peer):
                seconds = seconds_of(experiment.spec.get("delay"))
                if seconds and _takes_route(experiment, name):
                    yield Slowness(part * seconds, Cause("HTTP chaos", name.service, None, experiment.refs))
            for experiment in self._acting("JVMChaos", peer):
                seconds = number_of(experiment.spec.get("latency")) / 1000 if experiment.action == "latency" else 0.0
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
