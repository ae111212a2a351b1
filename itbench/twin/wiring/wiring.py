"""From the objects of a cluster to the state that the solver takes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from itbench.twin.control.store import Store
from itbench.twin.flow.graph import Graph
from itbench.twin.flow.state import State
from itbench.twin.wiring.chaos import experiments
from itbench.twin.wiring.environment import SYNC_SECONDS, Environments
from itbench.twin.wiring.flags import Active, active_effects, unreachable
from itbench.twin.wiring.links import Links
from itbench.twin.wiring.peers import Peers, find_peers
from itbench.twin.wiring.view import View
from itbench.twin.wiring.work import Work
from itbench.twin.workload.behaviour import ImageBehaviour


class Wiring:
    """Reads objects as time goes on; it remembers with which environment each container started.

    Args:
        graph: of the application.
        images: what is known of the programs in pods that are not the application's.
    """

    def __init__(self, graph: Graph, images: Mapping[str, ImageBehaviour] | None = None) -> None:
        self._graph = graph
        self._images = images or {}
        self._environments = Environments()
        self._last: _Reading | None = None

    def lasts_until(self, now: float) -> float:
        """The second until which a state of `now` holds if no object changes."""
        return now + SYNC_SECONDS if self._graph.application.flags is not None else math.inf

    def holds(self, store: Store, now: float) -> bool:
        """Whether the last state holds at second `now`, provided that no object has changed since it was read.

        What can change by itself are the files that the kubelet brings up to date.
        """
        last = self._last
        if last is None:
            return False
        return active_effects(self._graph.application, View(store, now), last.peers, self._environments) == last.effects

    def state(self, store: Store, now: float) -> State:
        """What traffic meets at second `now` from the epoch, by the objects in `store`."""
        application = self._graph.application
        view = View(store, now)
        peers = find_peers(application, view, self._environments)
        chaos = experiments(view, peers.values())
        effects = active_effects(application, view, peers, self._environments)
        self._last = _Reading(peers, effects)
        links = Links(application, view, peers, chaos, unreachable(effects))
        work = Work(application, view, peers, chaos, effects, self._images)
        return State(
            services=tuple(work.service(name) for name in self._graph.services),
            routes=tuple(work.route(name) for name in self._graph.routes),
            links=tuple(links.state(link) for link in self._graph.links),
        )


@dataclass(frozen=True, slots=True)
class _Reading:
    """What the last state was made of."""

    peers: Peers
    effects: Sequence[Active]
