"""Messages: what is published waits until a consumer gets to it."""

from __future__ import annotations

import numpy as np

from itbench.twin.flow.conditions import SUCCESS, Conditions
from itbench.twin.flow.graph import Graph, Indices
from itbench.twin.flow.moments import Array
from itbench.twin.flow.response import Answers, Calls

_TINY = 1e-9


class Topics:
    """The routes that consume messages. Each of them is a consumer group of its own, which gets every message.

    Attributes:
        routes: indices of the consuming routes.
    """

    def __init__(self, graph: Graph) -> None:
        bodies = [graph.application.services[name.service].routes[name.route] for name in graph.routes]
        self._graph = graph
        self.routes = np.array([index for index, body in enumerate(bodies) if body.consumes], dtype=np.intp)
        self._published = np.array([graph.routes.index(body.consumes) for body in bodies if body.consumes], dtype=np.intp)
        self._workers = np.array(
            [float(graph.application.services[graph.routes[index].service].workers or 1) for index in self.routes]
        )
        self._polls = [self._calls_to_broker(index) for index in range(len(self.routes))]

    def published(self, arrivals: Array, answers: Answers) -> Array:
        """Messages a second (t, consumer) that come."""
        shares = answers.times[0, :, self._published, SUCCESS].T
        return np.asarray(arrivals[:, self._published] * shares, dtype=np.float64)

    def takes(self, given: Conditions, answers: Answers, calls: Calls) -> Array:
        """Messages a second (t, consumer) that the consumers could take."""
        held = np.maximum(answers.times[1][:, self.routes].sum(-1), _TINY)
        pods = given.running[self._graph.route_service[self.routes]]
        return np.asarray(self._reachable(calls) * pods * self._workers / held, dtype=np.float64)

    def _reachable(self, calls: Calls) -> Array:
        """(t, consumer) how often the consumer gets an answer when it asks the broker."""
        reachable = np.ones((calls.attempts.shape[0], len(self.routes)))
        for consumer, polls in enumerate(self._polls):
            if len(polls):
                reachable[:, consumer] = calls.kept[0][:, polls, SUCCESS].mean(-1)
        return reachable

    def _calls_to_broker(self, consumer: int) -> Indices:
        graph = self._graph
        service = graph.route_service[self.routes[consumer]]
        broker = graph.route_service[self._published[consumer]]
        mine = graph.route_service[graph.call_from] == service
        return np.flatnonzero(mine & (graph.route_service[graph.call_to] == broker))
