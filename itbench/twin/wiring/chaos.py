"""Chaos Mesh experiments as traffic meets them: on which pods they act now.

Their controller (`itbench.twin.chaos`) chooses the pods and says in the status on which of them an experiment acts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from itbench.cluster.protocol import KubeObject
from itbench.cluster.reference import ObjectRef
from itbench.twin.chaos.terms import KINDS, TARGET, injected
from itbench.twin.objects import controller_of, namespace_of
from itbench.twin.wiring.view import Peer, View, main_status

# What these do lives in a container's processes or files and goes with them; the others act on the pod's network.
_OF_A_RUN = frozenset({"StressChaos", "JVMChaos", "IOChaos", "DNSChaos"})


@dataclass(frozen=True)
class Experiment:
    """An experiment that is running.

    Attributes:
        obj: the object.
        peers: all pods that there are.
    """

    obj: KubeObject
    peers: tuple[Peer, ...]

    @property
    def kind(self) -> str:
        """Of the object."""
        return str(self.obj["kind"])

    @property
    def spec(self) -> Mapping[str, Any]:
        """Of the object."""
        return self.obj.get("spec") or {}

    @property
    def action(self) -> str:
        """What it does, in the words of its kind; empty where a kind has only one action."""
        return str(self.spec.get("action") or "")

    @property
    def refs(self) -> tuple[ObjectRef, ...]:
        """The object, and the Schedule that made it."""
        owner = controller_of(self.obj)
        above = (
            () if owner is None else (ObjectRef(owner["kind"], owner["name"], namespace_of(self.obj), owner["apiVersion"]),)
        )
        return (*above, ObjectRef.of(self.obj))

    @cached_property
    def selected(self) -> frozenset[tuple[str, str]]:
        """Namespace and name of the pods on which it acts."""
        found = {(namespace, name): applied for namespace, name, applied in injected(self.obj)}
        if self.kind not in _OF_A_RUN:
            return frozenset(found)
        pods = {(peer.namespace, peer.name): peer for peer in self.peers}
        return frozenset(key for key, applied in found.items() if key in pods and _runs_since(pods[key], applied))

    @cached_property
    def targets(self) -> frozenset[tuple[str, str]] | None:
        """The pods on the other side of a network experiment; None for everybody."""
        if not self.spec.get("target"):
            return None
        return frozenset((namespace, name) for namespace, name, _ in injected(self.obj, TARGET))

    def takes(self, peer: Peer) -> bool:
        """Whether it acts on a pod."""
        return (peer.namespace, peer.name) in self.selected

    def directions(self, one: Peer, other: Peer) -> int:
        """In how many directions it acts between two pods: 0, 1 or 2."""
        return sum(self._acts(a, b) for a, b in ((one, other), (other, one)))

    def _acts(self, sender: Peer, receiver: Peer) -> bool:
        """Whether it acts on the packets from one pod to the other."""
        direction = self.spec.get("direction") or "to"
        onward = direction in ("to", "both") and self._between(sender, receiver)
        back = direction in ("from", "both") and self._between(receiver, sender)
        return onward or back

    def _between(self, selected: Peer, other: Peer) -> bool:
        return self.takes(selected) and (self.targets is None or (other.namespace, other.name) in self.targets)


def experiments(view: View, peers: Iterable[Peer]) -> tuple[Experiment, ...]:
    """The experiments that act on some pod now."""
    everybody = tuple(peers)
    objects = (obj for kind in KINDS for obj in view.all(kind))
    return tuple(Experiment(obj, everybody) for obj in objects if any(injected(obj)))


def _runs_since(peer: Peer, moment: str) -> bool:
    """Whether a pod's container has been running since before a moment."""
    running = ((main_status(peer.pod) or {}).get("state") or {}).get("running") or {}
    started = running.get("startedAt")
    if started is None or not moment:
        return False
    return datetime.fromisoformat(started) <= datetime.fromisoformat(moment)
