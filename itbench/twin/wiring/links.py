"""What becomes of connections between two services, from the objects between them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from itbench.cluster.protocol import KubeObject
from itbench.cluster.reference import ObjectRef
from itbench.twin.app.application import Application
from itbench.twin.app.objects import service_name
from itbench.twin.chaos.terms import percent_of, seconds_of
from itbench.twin.flow.graph import Link
from itbench.twin.flow.state import Cause, Failure, Kind, LinkState, Loss, Slowness
from itbench.twin.kubelet.environment import expanded
from itbench.twin.wiring.addresses import Destination, Endpoint, find, split_address
from itbench.twin.wiring.chaos import Experiment
from itbench.twin.wiring.flags import Unreachable
from itbench.twin.wiring.mesh import demands_tls, in_mesh
from itbench.twin.wiring.peers import Peers
from itbench.twin.wiring.policies import blocking, blocking_names
from itbench.twin.wiring.view import Peer, View

# A connection within a node: until a reset, or a message of the node, is back.
_ROUND_TRIP = 0.001
_FOREVER = 3600.0
# The C library asks each name server twice for five seconds; a node's resolver denies a cluster name at once.
_RESOLVER_PATIENCE = 10.0
_NODE_RESOLVER = 0.02


@dataclass(slots=True)
class _Tally:
    """What is found for one link, summed over callers and endpoints.

    Attributes:
        reached: share of all connections that belong to this link.
        failed: share, and seconds × share, of each way to fail.
        rejected: share of each cause of there being no endpoint.
        slowed: share × seconds and share × seconds² of each cause.
        lost: share × packet loss of each cause.
    """

    reached: float = 0.0
    failed: dict[tuple[Kind, Cause, bool], list[float]] = field(default_factory=lambda: defaultdict(lambda: [0.0, 0.0]))
    rejected: dict[Cause, float] = field(default_factory=lambda: defaultdict(float))
    slowed: dict[Cause, list[float]] = field(default_factory=lambda: defaultdict(lambda: [0.0, 0.0]))
    lost: dict[Cause, float] = field(default_factory=lambda: defaultdict(float))

    def fail(self, share: float, failure: Failure) -> None:
        """Add a failure, its own share relative to `share`."""
        entry = self.failed[failure.kind, failure.cause, failure.bounded]
        entry[0] += share * failure.share
        entry[1] += share * failure.share * failure.seconds

    def state(self, address: tuple[str, int], balance: float) -> LinkState:
        """The link's state; shares become relative to the connections of this link.

        Args:
            address: that callers look for.
            balance: of a link on which nothing was found.
        """
        if self.reached <= 0:
            return LinkState(address, balance)
        whole = self.reached
        failures = tuple(
            Failure(kind, share / whole, seconds / share, cause, bounded)
            for (kind, cause, bounded), (share, seconds) in self.failed.items()
            if share > 0
        )
        rejected = None
        if self.rejected:
            cause = max(self.rejected, key=lambda known: self.rejected[known])
            rejected = Failure(Kind.REFUSED, sum(self.rejected.values()) / whole, _ROUND_TRIP, cause)
        delays = tuple(
            Slowness(mean / whole, cause, max(square / whole - (mean / whole) ** 2, 0.0) ** 0.5)
            for cause, (mean, square) in self.slowed.items()
        )
        loss = None
        if self.lost:
            cause = max(self.lost, key=lambda known: self.lost[known])
            loss = Loss(min(sum(self.lost.values()) / whole, 1.0), cause)
        return LinkState(address, whole, failures, rejected, delays, loss)


@dataclass(frozen=True, slots=True)
class Links:
    """Everything that lies between services.

    Attributes:
        view: of the cluster.
        peers: its pods.
        chaos: the experiments that act.
        unreachable: calls that a feature flag misdirects.
    """

    application: Application
    view: View
    peers: Peers
    chaos: Sequence[Experiment]
    unreachable: Sequence[Unreachable]

    def state(self, link: Link) -> LinkState:
        """What becomes of the connections of a link."""
        callers = [peer for peer in self.peers.values() if peer.service == link.caller and peer.running]
        callers = [peer for peer in callers if peer.ready] or callers
        tally = _Tally()
        for caller in callers:
            self._add(tally, link, caller, 1 / len(callers))
        address = self._address(link, callers[0].env if callers else {})
        return tally.state(address, 1 / len(link.alternatives) if not callers else 0.0)

    def _add(self, tally: _Tally, link: Link, caller: Peer, share: float) -> None:
        part = share / len(link.alternatives)
        misled = [item for item in self.unreachable if (item.caller, item.callee) == (link.caller, link.callee)]
        for item in misled:
            tally.reached += part * item.share
            tally.fail(part * item.share, Failure(Kind.NAME, 1.0, self._searching, item.cause, bounded=False))
        left = 1 - min(sum(item.share for item in misled), 1.0)
        share, part = share * left, part * left
        host, port = self._address(link, caller.env)
        unnamed = self._names(link, caller, host)
        if unnamed is not None:
            tally.reached += part
            tally.fail(part, unnamed)
            return
        found = find(self.view, self.peers, host, port, caller.namespace)
        if found.trouble is not None:
            tally.reached += part
            self._trouble(tally, link, caller, found, part)
            return
        for endpoint in found.endpoints:
            self._endpoint(tally, link, caller, endpoint, found, share / len(found.endpoints))

    def _address(self, link: Link, env: Mapping[str, str]) -> tuple[str, int]:
        callee = self.application.services[link.callee]
        port = callee.service_port or 0
        address = link.address or service_name(link.callee, callee)
        return split_address(expanded(address, env), port)

    @property
    def _searching(self) -> float:
        return self.application.network.resolver.seconds

    def _names(self, link: Link, caller: Peer, host: str) -> Failure | None:
        """Why a caller cannot resolve names, if it cannot."""
        if caller.pod["spec"].get("dnsPolicy") == "Default":
            cause = Cause("node's DNS", link.caller, None, _refs(self.view.workload(caller.pod)))
            return Failure(Kind.NAME, 1.0, _NODE_RESOLVER, cause, bounded=False)
        policies = blocking_names(self.view, caller)
        if policies:
            cause = Cause("network policy", link.caller, None, _objects(*policies))
            return Failure(Kind.NAME, 1.0, _RESOLVER_PATIENCE, cause, bounded=False)
        for experiment in self.chaos:
            patterns = experiment.spec.get("patterns") or ["*"]
            fits = any(host == pattern or (pattern.endswith("*") and host.startswith(pattern[:-1])) for pattern in patterns)
            if experiment.kind == "DNSChaos" and experiment.takes(caller) and fits:
                cause = Cause("DNS chaos", link.caller, None, experiment.refs)
                return Failure(Kind.NAME, 1.0, _NODE_RESOLVER, cause, bounded=False)
        return None

    def _trouble(self, tally: _Tally, link: Link, caller: Peer, found: Destination, share: float) -> None:
        caller_refs = _refs(self.view.workload(caller.pod))
        match found.trouble:
            case "no such name":
                callee = service_name(link.callee, self.application.services[link.callee])
                missing = ObjectRef("Service", callee, self.application.namespace)
                there = self.view.get("Service", self.application.namespace, callee) is not None
                refs = found.objects or (caller_refs if there else (missing,))
                cause = Cause("name not found", link.caller, link.callee, refs)
                tally.fail(share, Failure(Kind.NAME, 1.0, self._searching, cause, bounded=False))
            case "no endpoints":
                tally.rejected[Cause("no endpoints", link.caller, link.callee, found.objects)] += share
            case "no such port":
                cause = Cause("no such port", link.caller, link.callee, caller_refs)
                tally.fail(share, Failure(Kind.TIMEOUT, 1.0, _FOREVER, cause))
            case _:
                cause = Cause("port 0", link.caller, link.callee, caller_refs)
                tally.fail(share, Failure(Kind.REFUSED, 1.0, 0.0002, cause))

    def _endpoint(
        self, tally: _Tally, link: Link, caller: Peer, endpoint: Endpoint, found: Destination, share: float
    ) -> None:
        callee = endpoint.peer
        if callee.service != link.callee and callee.service in link.alternatives:
            return
        if callee.service != link.callee:
            share /= len(link.alternatives)
        tally.reached += share
        for failure in self._failures(link, caller, endpoint, found):
            tally.fail(share, failure)
            share *= 1 - failure.share
            if share <= 0:
                return
        self._slow_down(tally, link, caller, callee, share)

    def _failures(self, link: Link, caller: Peer, endpoint: Endpoint, found: Destination) -> Iterator[Failure]:
        """What keeps a connection to an endpoint from being answered well, in the order in which it would meet it."""
        callee = endpoint.peer

        def why(mechanism: str, objects: tuple[ObjectRef, ...]) -> Cause:
            return Cause(mechanism, link.caller, link.callee, objects)

        workload = _refs(self.view.workload(callee.pod))
        blocked = blocking(self.view, caller, callee, endpoint.port)
        if blocked is not None:
            direction, policies = blocked
            mechanism = "egress policy" if direction == "Egress" else "network policy"
            yield Failure(Kind.TIMEOUT, 1.0, _FOREVER, why(mechanism, _objects(*policies)))
        for experiment in self.chaos:
            if experiment.kind == "NetworkChaos" and _cuts(experiment) and experiment.directions(caller, callee):
                yield Failure(Kind.TIMEOUT, 1.0, _FOREVER, why("partition", experiment.refs))
        if not callee.reachable:
            node = ObjectRef("Node", callee.pod["spec"].get("nodeName") or "")
            yield Failure(Kind.TIMEOUT, 1.0, _FOREVER, why("node down", (node,)))
        for experiment in self.chaos:
            if experiment.kind == "PodChaos" and experiment.action == "pod-failure" and experiment.takes(callee):
                yield Failure(Kind.REFUSED, 1.0, _ROUND_TRIP, why("pod failure", experiment.refs))
        if not callee.running:
            yield Failure(Kind.REFUSED, 1.0, _ROUND_TRIP, why("not running", workload))
        if callee.ports is not None and endpoint.port not in callee.ports:
            yield Failure(Kind.REFUSED, 1.0, _ROUND_TRIP, why("port closed", found.objects))
        if callee.service != link.callee:
            cause = replace(why("wrong pods", found.objects), text="HTTP 404", status=404)
            yield Failure(Kind.STATUS, 1.0, _ROUND_TRIP, cause)
        strict = demands_tls(self.view, callee)
        if strict is not None and not in_mesh(self.view, caller):
            yield Failure(Kind.RESET, 1.0, _ROUND_TRIP, why("mutual TLS", _objects(strict)))
        yield from self._credentials(link, caller, callee)

    def _credentials(self, link: Link, caller: Peer, callee: Peer) -> Iterator[Failure]:
        if link.credential is None:
            return
        expected = callee.env.get(link.credential.expects)
        sent = caller.env.get(link.credential.sends or "")
        if expected and sent != expected:
            refs = _secrets(callee.pod, link.credential.expects) or _refs(self.view.workload(callee.pod))
            cause = Cause(
                "credentials", link.caller, link.callee, refs, text=link.credential.refusal, status=link.credential.status
            )
            yield Failure(Kind.STATUS, 1.0, 2 * _ROUND_TRIP, cause)

    def _slow_down(self, tally: _Tally, link: Link, caller: Peer, callee: Peer, share: float) -> None:
        """Delay and loss on the way. A new connection of HTTP waits for an answer twice, a kept one once."""
        trips = 2 if self.application.services[link.callee].protocol == "http" else 1
        for experiment in self.chaos:
            directions = experiment.directions(caller, callee) if experiment.kind == "NetworkChaos" else 0
            if not directions:
                continue
            cause = Cause("network chaos", link.caller, link.callee, experiment.refs)
            delay = experiment.spec.get("delay") or {}
            seconds = directions * trips * seconds_of(delay.get("latency"))
            if seconds > 0:
                entry = tally.slowed[cause]
                entry[0] += share * seconds
                entry[1] += share * (seconds**2 + directions * trips * seconds_of(delay.get("jitter")) ** 2)
            lost = percent_of((experiment.spec.get("loss") or {}).get("loss"))
            if 0 < lost < 1:
                tally.lost[cause] += share * (1 - (1 - lost) ** directions)


def _cuts(experiment: Experiment) -> bool:
    lost = percent_of((experiment.spec.get("loss") or {}).get("loss"))
    return experiment.action == "partition" or lost >= 1


def _refs(ref: ObjectRef | None) -> tuple[ObjectRef, ...]:
    return () if ref is None else (ref,)


def _objects(*objects: KubeObject) -> tuple[ObjectRef, ...]:
    return tuple(ObjectRef.of(obj) for obj in objects)


def _secrets(pod: KubeObject, variable: str) -> tuple[ObjectRef, ...]:
    """The Secret that a pod takes a variable from."""
    for item in pod["spec"]["containers"][0].get("env") or ():
        reference = (item.get("valueFrom") or {}).get("secretKeyRef")
        if item["name"] == variable and reference:
            return (ObjectRef("Secret", reference["name"], pod["metadata"].get("namespace")),)
    return ()
